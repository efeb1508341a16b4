#!/usr/bin/env bash
# run_http.sh [SECONDS]: the HTTP server on one core, wrk or the listeners on another: requests a second, latency, and the server's
# processor time for a request, which other jobs on the machine disturb less; 500 listeners to 10 events a second, alone and beside wrk.
# BENCH names bench_http (cmake -DHEED_BENCH=ON).
set -euo pipefail
seconds=${1:-8}
bench=${BENCH:-build/bench/bench_http}
work=$(mktemp -d)
mkfifo "$work/in"
taskset -c 0 "$bench" serve 10 <"$work/in" >"$work/port" &
server=$!
exec 9>"$work/in"
trap 'exec 9>&-; wait $server; rm -rf "$work"' EXIT
until [ -s "$work/port" ]; do sleep 0.05; done
port=$(cat "$work/port")
ticks() { awk '{ print $14 + $15 }' "/proc/$server/stat"; }

load() { # load PATH CONNECTIONS
    local before after
    before=$(ticks)
    taskset -c 1 wrk -t1 -c"$2" -d"${seconds}s" --latency "http://127.0.0.1:$port$1" >"$work/wrk"
    after=$(ticks)
    awk -v p="$1" -v c="$2" -v t=$((after - before)) -v hz="$(getconf CLK_TCK)" '
        /50%/ { p50 = $2 } /99%/ { p99 = $2 } /requests in/ { n = $1 } /Requests\/sec/ { r = $2 }
        /Non-2xx/ { bad = " " $0 }
        END { printf "%-8s %3d connections: %8.0f requests/s, p50 %s, p99 %s, %.2f us of the server a request%s\n",
              p, c, r, p50, p99, t * 1e6 / hz / n, bad }' "$work/wrk"
}
load /health 64
load /worker 64
taskset -c 1 "$bench" listen "$port" 500 "$seconds"
taskset -c 1 "$bench" listen "$port" 500 $((seconds + 2)) >"$work/beside" &
listeners=$!
sleep 1
load /health 32
wait $listeners || true
echo "beside it: $(cat "$work/beside")"
