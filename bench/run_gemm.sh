#!/usr/bin/env bash
# run_gemm.sh: matrix products beside this core's limits, oneDNN, OpenBLAS and, where PYTHON has it, torch.
# One thread on one core (CORE, 1), the peers told to use AVX-512, everything in one run. CPU_TIME=1: by processor time.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build} core=${CORE:-1} python=${PYTHON:-python3}
cmake -S . -B "$build" -G Ninja -DHEED_BENCH=ON >/dev/null
cmake --build "$build" --target bench_gemm bench_gemm_shim >/dev/null
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
export OPENBLAS_CORETYPE=${OPENBLAS_CORETYPE:-SkylakeX} ATEN_CPU_CAPABILITY=${ATEN_CPU_CAPABILITY:-avx512}
taskset -c "$core" "$build/bench/bench_gemm"
if "$python" -c 'import torch' 2>/dev/null; then
  taskset -c "$core" "$python" bench/gemm_peers.py "$build/bench/bench_gemm_shim.so"
else
  echo "torch: $python has none, skipped"
fi
