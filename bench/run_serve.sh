#!/usr/bin/env bash
# run_serve.sh [SECONDS]: /v1/classify of `heed serve` on one core, wrk on another: with models/intent (attend), and, where ENCODER names
# the folder of a heavy model, with batches across requests, beside what the same model does offline (heed test). Requests a
# second, latency, and the server's processor time for a request, which other jobs on the machine disturb less. HEED: build/heed.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-8}
heed=${HEED:-build/heed}
work=$(mktemp -d)
server=
stop() {
    [ -z "$server" ] || { kill "$server" && wait "$server" || true; }
    server=
}
trap 'stop; rm -rf "$work"' EXIT

start() { # start MODEL THREADS CORES
    rm -f "$work"/heed.db*
    printf 'store: %s/heed.db\nsources: { push: { kind: push } }\nanalyses: { intent: { kind: classify, model: "%s" } }\n' \
        "$work" "$(realpath "$1")" >"$work/flow.yaml"
    taskset -c "$3" "$heed" serve "$work/flow.yaml" --listen 127.0.0.1:0 --threads "$2" >"$work/said" 2>"$work/log" &
    server=$!
    until grep -q 'at http' "$work/said"; do kill -0 $server && sleep 0.05; done
    address=$(sed -n 's/.* at //p' "$work/said")
}
load() { # load CONNECTIONS WHAT
    local before after
    before=$(awk '{ print $14 + $15 }' "/proc/$server/stat")
    taskset -c 1 wrk -t1 -c"$1" -d"${seconds}s" --latency -s bench/serve/classify.lua "$address" >"$work/wrk"
    after=$(awk '{ print $14 + $15 }' "/proc/$server/stat")
    awk -v w="$2" -v c="$1" -v t=$((after - before)) -v hz="$(getconf CLK_TCK)" '
        /50%/ { p50 = $2 } /99%/ { p99 = $2 } /requests in/ { n = $1 } /Requests\/sec/ { r = $2 }
        /Non-2xx/ { bad = " " $0 }
        END { printf "%-28s %3d connections: %7.0f requests/s, p50 %s, p99 %s, %.1f us of the server a request%s\n",
              w, c, r, p50, p99, t * 1e6 / hz / n, bad }' "$work/wrk"
}
start models/intent 1 0
load 16 "attend (models/intent)"
load 64 "attend (models/intent)"
stop
[ -n "${ENCODER:-}" ] || exit 0
texts=$(wc -l <data/banking77/test.tsv)
TIMEFORMAT=%U
offline=$({ time taskset -c 0 "$heed" test "$ENCODER" data/banking77/test.tsv --threads 1 >/dev/null; } 2>&1)
start "$ENCODER" 1 0
load 256 "encoder, in batches"
batch=$(for task in /proc/$server/task/*; do [ "$(cat "$task/comm")" != batch ] || awk '{ print $14 + $15 }' "$task/stat"; done)
awk -v off="$offline" -v n="$texts" -v b="$batch" -v hz="$(getconf CLK_TCK)" '
    /requests in/ { r = $1 }
    END { printf "the model alone, processor time of a text: offline %.0f us, in batches %.0f us: %.2f of offline\n",
          off * 1e6 / n, b * 1e6 / hz / r, (off / n) / (b / hz / r) }' "$work/wrk"
