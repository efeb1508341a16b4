#!/usr/bin/env bash
# run_threads.sh: training by two threads against one, several times in turns; before and after the two the time that a line of
# memory takes from core to core and what both cores reach in FMA at once: what a host does with them shows there.
#
#     bench/run_threads.sh [CASE ...]     (BUILD=build SECONDS_EACH=3 RUNS=5)
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build} seconds=${SECONDS_EACH:-3}
cmake -S . -B "$build" -G Ninja -DHEED_BENCH=ON >/dev/null
cmake --build "$build" --target bench_train bench_line >/dev/null
cases=("$@")
[ ${#cases[@]} -gt 0 ] || cases=(encoder256 lstm128)
printf '%-12s %10s %10s %7s    %s\n' case one two ratio "line_ns, GFLOP/s of both: before; after"
for case in "${cases[@]}"; do
    for ((i = 0; i < ${RUNS:-5}; i++)); do
        read -r _ one _ < <(taskset -c 1 "$build/bench/bench_train" "$case" 1 "$seconds")
        before=$("$build/bench/bench_line")
        read -r _ two _ < <(taskset -c 0-1 "$build/bench/bench_train" "$case" 2 "$seconds")
        after=$("$build/bench/bench_line")
        awk -v c="$case" -v o="$one" -v t="$two" -v b="$before" -v a="$after" \
            'BEGIN { printf "%-12s %10.1f %10.1f %7.2f    %s\n", c, o, t, t / o, b "; " a }'
    done
done
