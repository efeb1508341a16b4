#!/usr/bin/env bash
# docs/OPS.md is what tools/ops_doc.sh makes of the list, the headers and the files as they are; and
# the tool notices an operation that no header declares.
set -euo pipefail
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT

tools/ops_doc.sh >"$room/OPS.md"
diff docs/OPS.md "$room/OPS.md" || { echo "run tools/ops_doc.sh > docs/OPS.md"; exit 1; }

mkdir -p "$room/tree/src" "$room/tree/include"
cp -r src/ops "$room/tree/src/"
cp -r include/heed "$room/tree/include/"
echo 'X(undeclared)' >>"$room/tree/src/ops/list.h"
! tools/ops_doc.sh "$room/tree" >/dev/null 2>"$room/said" || { echo "undeclared op accepted"; exit 1; }
grep -q '^undeclared: no public header has heed_undeclared$' "$room/said"
