#!/usr/bin/env bash
# run_attention.sh [--cpu] — times attention against the FMA peak of this core, and beside PyTorch, ONNX Runtime and
# OpenVINO in one process, all pinned to one core. PYTHON names an interpreter that has them; CORE the core.
set -euo pipefail
cd "$(dirname "$0")/.."
cmake -S . -B build -G Ninja -DHEED_BENCH=ON >/dev/null
cmake --build build --target bench_attention bench_attention_shim >/dev/null
export ATEN_CPU_CAPABILITY=avx512 OMP_NUM_THREADS=1
taskset -c "${CORE:-1}" build/bench/bench_attention
taskset -c "${CORE:-1}" "${PYTHON:-python3}" bench/attention_peers.py build/bench/bench_attention_shim.so "$@"
