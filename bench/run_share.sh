#!/usr/bin/env bash
# run_share.sh: two-thread training while another process keeps one of the two cores busy. Its fair share is 4/3 of a
# core (three runnable threads, two cores); prints the part of that share that training got. Median step, wall time.
#
#     bench/run_share.sh [CASE ...]     (BUILD=build SECONDS_EACH=8)
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build} seconds=${SECONDS_EACH:-8}
cmake -S . -B "$build" -G Ninja -DHEED_BENCH=ON >/dev/null
cmake --build "$build" --target bench_train >/dev/null
cases=("$@")
[ ${#cases[@]} -gt 0 ] || cases=(encoder256 lstm128)
busy=
trap '[ -z "$busy" ] || kill "$busy"' EXIT
printf '%-12s %12s %12s %12s\n' case alone_1 shared_2 of_share
for case in "${cases[@]}"; do
    read -r _ alone _ < <(taskset -c 1 "$build/bench/bench_train" "$case" 1 "$seconds")
    while :; do :; done &
    busy=$!
    read -r _ shared _ < <(taskset -c 0-1 "$build/bench/bench_train" "$case" 2 "$seconds")
    kill "$busy"
    busy=
    awk -v c="$case" -v a="$alone" -v s="$shared" 'BEGIN { printf "%-12s %12.1f %12.1f %12.2f\n", c, a, s, s / (a * 4 / 3) }'
done
