#!/usr/bin/env bash
# schemathesis.sh [FLOW] [EXAMPLES]: `heed serve` on a free port, and schemathesis against its /openapi.json: what breaks the server,
# what breaks its own description, what is taken and should not be. SCHEMATHESIS names the program, HEED ours.
set -euo pipefail
cd "$(dirname "$0")/.."
flow=${1:-examples/flows/demo.yaml} examples=${2:-50}
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; wait; rm -rf "$work"' EXIT
"${HEED:-build/heed}" serve "$flow" --listen 127.0.0.1:0 --store "$work/heed.db" --no-sources >"$work/out" 2>&1 &
server=$!
until address=$(grep -o 'http://[0-9.:]*' "$work/out" | head -1) && [ -n "$address" ]; do
    kill -0 $server || { cat "$work/out"; exit 1; }
    sleep 0.1
done
until curl -sf "$address/ready" >/dev/null; do sleep 0.1; done
(cd "$work" && "${SCHEMATHESIS:-schemathesis}" --config-file "$OLDPWD/tools/schemathesis.toml" run "$address/openapi.json" \
    --max-examples "$examples" --exclude-path /v1/stream --request-timeout 300 --no-color --seed 1)
curl -sf "$address/health" >/dev/null || { echo "the server is gone"; exit 1; }
