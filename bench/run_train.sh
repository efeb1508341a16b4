#!/usr/bin/env bash
# run_train.sh: training steps beside PyTorch, pinned to the same cores, in the same run; prints ratios.
#
#     bench/run_train.sh [CASE ...]     (BUILD=build PYTHON=python3 SECONDS_EACH=8 THREADS="1 2" COMPILE=1)
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}
python=${PYTHON:-python3}
seconds=${SECONDS_EACH:-8}
cmake -S . -B "$build" -G Ninja -DHEED_BENCH=ON >/dev/null
cmake --build "$build" --target bench_train >/dev/null
# some builds of torch leave AVX-512 unused unless they are told
if grep -qw avx512f /proc/cpuinfo; then export ATEN_CPU_CAPABILITY=${ATEN_CPU_CAPABILITY:-avx512}; fi
cases=("$@")
[ ${#cases[@]} -gt 0 ] || cases=(encoder256 encoder256d encoder384 encoder384d lstm128 lstm200 gpt2)

printf '%-12s %7s %10s %10s %10s %7s %9s %9s %7s\n' case threads heed eager compile ratio heed_MB torch_MB memory
for threads in ${THREADS:-1 2}; do
    cores=1
    [ "$threads" = 1 ] || cores=0-$((threads - 1))
    for case in "${cases[@]}"; do
        told=$(taskset -c "$cores" "$build/bench/bench_train" "$case" "$threads" "$seconds")
        read -r _ ours our_mb _ <<<"$told"
        told=$(taskset -c "$cores" "$python" bench/train_peers.py "$case" "$threads" "$seconds")
        read -r _ eager mb _ <<<"$told"
        compiled=0
        if [ "${COMPILE:-1}" = 1 ]; then
            told=$(taskset -c "$cores" "$python" bench/train_peers.py "$case" "$threads" "$seconds" compile)
            read -r _ compiled _ <<<"$told"
        fi
        awk -v c="$case" -v t="$threads" -v o="$ours" -v e="$eager" -v k="${compiled:-0}" -v m="$our_mb" -v p="$mb" 'BEGIN {
            best = e > k ? e : k
            printf "%-12s %7d %10.1f %10.1f %10.1f %7.2f %9d %9d %7.2f\n", c, t, o, e, k, o / best, m, p, m / p }'
    done
done
