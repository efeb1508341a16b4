#!/usr/bin/env bash
# run_predict.sh [WORDS...]: how near answers of an encoder (6 layers of 256, 8 heads) come to what their kernels can do: texts of so
# many words (128 32 12), one thread, by processor time less that of starting; the FLOPs of `heed info` beside the packed products
# of bench_gemm in the same run (M=512, N=K=768), by processor time too. BUILD names the build folder, PYTHON an interpreter, TEXTS
# how many texts are answered.
set -euo pipefail
export HEED_LANG=en # what is read below
cd "$(dirname "$0")/.."
build=${BUILD:-build} here=bench
cmake -S . -B "$build" -G Ninja -DHEED_BENCH=ON >/dev/null
cmake --build "$build" --target heed bench_gemm >/dev/null
heed=$build/heed
python=${PYTHON:-python3}
texts=${TEXTS:-2000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ $# -gt 0 ] || set -- 128 32 12

# lines COUNT WORDS
lines() {
    awk -v n="$1" -v w="$2" 'BEGIN { srand(1); for (i = 0; i < n; i++) { s = ""; for (k = 0; k < w; k++) s = s " w" int(rand() * 5000); print substr(s, 2) } }'
}

{ echo $'label\ttext'; lines 400 128 | awk '{ print (NR % 2 ? "a" : "b") "\t" $0 }'; } >"$work/learn.tsv"
"$heed" train classify "$work/learn.tsv" -o "$work/m" --recipe encoder --embed 256 --layers 6 --heads 8 --epochs 1 --valid-part 0 --run none >"$work/log" 2>&1 ||
    { tail -1 "$work/log" >&2; exit 1; }
product=$(OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 CPU_TIME=1 "$build/bench/bench_gemm" | awk '$1 == 512 && $2 == 768 && $3 == 768 && $4 == "packed" { print $5 }')
[ -n "$product" ] || { echo "run_predict.sh: bench_gemm tells nothing of M=512, N=K=768" >&2; exit 1; }
lines 1 1 >"$work/one"
used=$("$python" "$here/used.py" "$heed" predict "$work/m" "$work/one" --threads 1)
start=${used% *}
for words in "$@"; do
    lines "$texts" "$words" >"$work/texts"
    # a layer's products are 2 FLOPs a weight, 4 d² + 2 d ff of them; attention has 4 d T for each place
    flops=$("$heed" info "$work/m" | awk -v t="$words" '/^an answer/ { of = $7 } $1 == "encoder" { e = $3 } $1 == "head" { h = $3 } $1 == "attention" { a = $3 }
        END { printf "%.0f", e * t / of + h + a * (t / of) ^ 2 }')
    used=$("$python" "$here/used.py" "$heed" predict "$work/m" "$work/texts" --threads 1)
    awk -v n="$texts" -v w="$words" -v f="$flops" -v s="${used% *}" -v o="$start" -v p="$product" -v m="${used#* }" 'BEGIN {
        g = f * n / (s - o) / 1e9
        printf "%4d words: %.0f texts/s, %.1f GFLOP/s, %.2f of the product%s (%.1f), %s MB\n", w, n / (s - o), g, g / p, "\047s", p, m }'
done
