#!/usr/bin/env bash
# heed bench: what it measures has a row each, and an argument that says nothing to it is refused, not passed over.
set -uo pipefail
. tests/cli/program.sh
for len in 0 -5 abc 128.. ..128 128..16 100,300 1..9999999 99999999999999999999; do
    expect 64 "--len wants A..B" "$heed" bench attention --len="$len"
done
expect 64 "--dim wants a whole number from 1 to 256" "$heed" bench attention --dim 257
expect 64 "gemm: --causal is no option of it" "$heed" bench gemm --causal
expect 64 "ops: --len is no option of it" "$heed" bench ops --len 1..2
expect 64 "attention: --only is no option of it" "$heed" bench attention --only softmax
expect 64 "no 'attn'; there is" "$heed" bench attn --causal
expect 64 "there is no operation 'soft'" "$heed" bench ops --only soft --json
[ ! -s "$dir/out" ] || wrong "an operation that there is not: $(cat "$dir/out")"

# doubled lengths, one row each, and how time grows
expect 0 "" "$heed" bench attention --len 3..13 --heads 1 --dim 5
[ "$(awk 'NF == 4 && $1 + 0 { printf "%s ", $1 }' "$dir/out")" = "3 6 12 " ] || wrong "lengths: $(cat "$dir/out")"
grep -q '^time grows as length to the power -\?[0-9.]*$' "$dir/out" || wrong "no exponent: $(cat "$dir/out")"
# a row is told once it is known, not at the end
: >"$dir/rows"
"$heed" bench attention --len 3..50000 --heads 1 --dim 8 >"$dir/rows" & job=$!
until [ "$(wc -l <"$dir/rows")" -ge 2 ] || ! kill -0 $job 2>/dev/null; do sleep 0.01; done
kill -9 $job 2>/dev/null || wrong "rows come at the end alone"
wait $job 2>/dev/null
grep -qE '^ +3 ' "$dir/rows" || wrong "no first row: $(cat "$dir/rows")"
expect 0 "" "$heed" bench ops --only rotary
[ "$(grep -c '^rotary ' "$dir/out")" -ge 1 ] || wrong "rotary: $(cat "$dir/out")"
exit $failed
