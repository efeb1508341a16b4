#!/usr/bin/env bash
# run.sh SECONDS WORK [TARGET...]: runs the libFuzzer programs of WORK/build (all, or those named without "fuzz_") beside each other, at
# idle priority, for SECONDS each, and says executions, coverage and processor time. They are built before, from the source tree, by
#     cmake -S . -B WORK/build -G Ninja -DCMAKE_C_COMPILER=clang -DHEED_FUZZ=ON -DHEED_SANITIZE=address,undefined
#     cmake --build WORK/build
# Each begins with its corpus of an earlier run (WORK/corpus/TARGET), of corpus.tar.zst and what text_seeds.py and serve_seeds.py make (model_seeds.py: what of model is in the archive). A finding
# lies in WORK/findings as TARGET-crash-…, TARGET-leak-…, TARGET-timeout-…, and ends that target's run with a line that says so.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
seconds=$1 work=$(cd "$2" && pwd)
shift 2
[ $# -gt 0 ] || set -- $(cd "$work/build/fuzz" && ls | sed -n 's/^fuzz_//p')
mkdir -p "$work/corpus" "$work/findings" "$work/seeds" "$work/logs"
tar --zstd --skip-old-files -xf "$here/corpus.tar.zst" -C "$work/seeds"
python3 "$here/text_seeds.py" "$work/seeds" >/dev/null
python3 "$here/serve_seeds.py" "$work/seeds" >/dev/null
# freed memory is kept apart for a while only: most executions are short, and fresh pages cost more than they
export ASAN_OPTIONS=quarantine_size_mb=8:malloc_context_size=8:allocator_release_to_os_interval_ms=-1:${ASAN_OPTIONS:-}
one() {
    local name=$1 dict=()
    [ ! -f "$here/$name.dict" ] || dict=("-dict=$here/$name.dict")
    mkdir -p "$work/corpus/$name" "$work/seeds/$name"
    TIMEFORMAT="$name %R s, of the processor %U s and %S s in the system"
    time chrt --idle 0 nice -n 19 timeout $((seconds + 300)) "$work/build/fuzz/fuzz_$name" "-max_total_time=$seconds" -max_len=8192 \
        -timeout=1200 -report_slow_units=600 -rss_limit_mb=2048 -print_final_stats=1 "-artifact_prefix=$work/findings/$name-" "${dict[@]}" \
        "$work/corpus/$name" "$work/seeds/$name" >"$work/logs/$name" 2>&1 || sed -n "/ERROR\|runtime error/{s/^/$name: a finding: /p;q}" "$work/logs/$name"
    echo "$name $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/logs/$name") executions, $(grep -o 'cov: [0-9]* ft: [0-9]* corp: [^ ]*' \
        "$work/logs/$name" | tail -1)"
}
for name; do one "$name" & done
wait
