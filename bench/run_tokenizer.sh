#!/usr/bin/env bash
# run_tokenizer.sh [FILE...]: text encoded by heed and by PyPI `tokenizers`, in turns, on one core (CORE, 1), one thread each,
# by the CPU's seconds. For each FILE, a text a line (.zst too), heed trains a WordPiece, a byte-level BPE and a Unigram tokenizer of
# VOCAB (30000) tokens on it, and both libraries encode the first BYTES (8000000) of it with each. PYTHON needs `tokenizers`. Then
# both train on the same text with as many threads as they like, by the clock; TRAIN=0 leaves that out.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build} core=${CORE:-1} python=${PYTHON:-python3} vocab=${VOCAB:-30000} bytes=${BYTES:-8000000}
cmake -S . -B "$build" -G Ninja -DHEED_BENCH=ON >/dev/null
cmake --build "$build" --target bench_tokenizer heed >/dev/null
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export TOKENIZERS_PARALLELISM=false
for file; do
  { case $file in *.zst) zstd -dc "$file" ;; *) cat "$file" ;; esac || true; } 2>/dev/null | head -c 15000000 >"$dir/all.txt"
  sed -i '$d' "$dir/all.txt" # the last line may be half of one
  head -c "$bytes" "$dir/all.txt" | sed '$d' >"$dir/text.txt"
  echo "$file: $(stat -c %s "$dir/text.txt") bytes of $(wc -l <"$dir/text.txt") texts"
  for kind in wordpiece bpe unigram; do
    "$build/heed" train tokenizer "$dir/all.txt" -o "$dir/$kind.json" --kind $kind --vocab "$vocab" --alphabet 6000 >/dev/null 2>&1
    for turn in 1 2 3; do
      taskset -c "$core" "$build/bench/bench_tokenizer" "$dir/$kind.json" "$dir/text.txt" 3 >>"$dir/$kind.heed"
      taskset -c "$core" "$python" bench/tokenizer_peers.py encode "$dir/$kind.json" "$dir/text.txt" >>"$dir/$kind.peer"
    done
    "$python" bench/tokenizer_peers.py ratio $kind "$dir/$kind.heed" "$dir/$kind.peer"
    rm "$dir/$kind.heed" "$dir/$kind.peer"
  done
  [ "${TRAIN:-1}" = 0 ] || TOKENIZERS_PARALLELISM=true "$python" bench/tokenizer_peers.py train "$build/heed" "$dir/all.txt" 10000
done
