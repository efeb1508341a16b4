#!/usr/bin/env bash
# run_http.sh [SECONDS]: the HTTP server on one core, wrk or the listeners on another: requests a second, latency, and the server's
# processor time for a request, which other jobs on the machine disturb less; libmicrohttpd alone beside it; 500 listeners to 10 events a
# second, alone and beside wrk. BENCH names bench_http (cmake -DHEED_BENCH=ON).
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-8}
bench=${BENCH:-build/bench/bench_http}
work=$(mktemp -d)
server=
stop() { exec 9>&-; [ -z "$server" ] || wait "$server" || true; server=; }
trap 'stop; rm -rf "$work"' EXIT
start() { # start MODE...
    rm -f "$work/in" "$work/port"
    mkfifo "$work/in"
    taskset -c 0 "$bench" "$@" <"$work/in" >"$work/port" &
    server=$!
    exec 9>"$work/in"
    until [ -s "$work/port" ]; do sleep 0.05; done
    port=$(cat "$work/port")
}
ticks() { awk '{ print $14 + $15 }' "/proc/$server/stat"; }

load() { # load NAME PATH CONNECTIONS
    local before after
    before=$(ticks)
    taskset -c 1 wrk -t1 -c"$3" -d"${seconds}s" --latency "http://127.0.0.1:$port$2" >"$work/wrk"
    after=$(ticks)
    awk -v p="$1" -v c="$3" -v t=$((after - before)) -v hz="$(getconf CLK_TCK)" '
        /50%/ { p50 = $2 } /99%/ { p99 = $2 } /requests in/ { n = $1 } /Requests\/sec/ { r = $2 }
        /Non-2xx/ { bad = " " $0 }
        END { printf "%-8s %3d connections: %8.0f requests/s, p50 %s, p99 %s, %.2f us of the server a request%s\n",
              p, c, r, p50, p99, t * 1e6 / hz / n, bad }' "$work/wrk"
}
start bare
load bare /health 64
stop
start serve 10
load /health /health 64
load /worker /worker 64
taskset -c 1 "$bench" listen "$port" 500 "$seconds" || true
taskset -c 1 "$bench" listen "$port" 500 $((seconds + 2)) >"$work/beside" &
listeners=$!
sleep 1
load /health /health 32
wait $listeners || true
echo "beside it: $(cat "$work/beside")"
