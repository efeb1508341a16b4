#!/usr/bin/env bash
# clients.sh HEED: tools/clients.py against a server of the demo flow. PYTHON names an interpreter that has openai, huggingface_hub and
# prometheus_client (python3).
set -euo pipefail
heed=$1
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$dir"' EXIT
"$heed" serve examples/flows/demo.yaml --listen 127.0.0.1:0 --store "$dir/demo.db" >"$dir/said" 2>"$dir/log" &
server=$!
until grep -q 'at http' "$dir/said"; do
    kill -0 "$server" 2>/dev/null || { cat "$dir/log" >&2 && exit 1; }
    sleep 0.05
done
sleep 2 # some events
"${PYTHON:-python3}" tools/clients.py "$(sed -n 's/.* at //p' "$dir/said")"
