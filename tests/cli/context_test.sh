#!/usr/bin/env bash
# Texts that attend to a passage (--context): what the passage says is learnt where the text alone says nothing; from a column or a
# file; stored with the model; the same bits for any threads, batch mates and ISA; and what is refused.
set -uo pipefail
. tests/cli/program.sh
# a text names a thing, its passage names that thing (1) or another one (0); the things of the test were never seen before
make() {
    awk -v from="$1" -v len="$2" -v OFS='\t' 'function thing(i,   n, w) { n = (i * 7919 + 13) % 6436343; w = ""; while (length(w) < 5) { w = w sprintf("%c", 97 + n % 23); n = int(n / 23) } return w }
        BEGIN { print "label", "text", "passage"
            for (i = from; i < from + len; i++) { y = int(i * 7 / 3) % 2; print y, "find the " thing(i) " now", "the box has a " thing(y ? i : i + 1000) " and more" } }'
}
make 0 500 >"$dir/d.tsv"; make 5000 100 >"$dir/t.tsv"
quick=(--run none --seed 1 --threads 1)
"$heed" train classify "$dir/d.tsv" --text text --context passage --recipe match --embed 32 --epochs 12 --batch 16 -o "$dir/m" "${quick[@]}" >"$dir/log" 2>&1 || wrong "train: $(tail -1 "$dir/log")"
acc() { "$heed" test "$@" --json | sed -E 's/.*"accuracy": ([0-9.]+).*/\1/'; }
a=$(acc "$dir/m" "$dir/t.tsv" --text text --context passage)
awk -v a="$a" 'BEGIN { exit !(a > 0.75) }' || wrong "of things never seen only $a are found in their passages"
"$heed" train classify "$dir/d.tsv" --text text --recipe match --embed 32 --epochs 12 -o "$dir/alone" "${quick[@]}" >/dev/null 2>&1
b=$(acc "$dir/alone" "$dir/t.tsv" --text text)
awk -v b="$b" 'BEGIN { exit !(b < 0.7) }' || wrong "the texts alone tell the label: $b"
# the same as a file with a line each, in training and after
for f in d t; do tail -n +2 "$dir/$f.tsv" | cut -f3 >"$dir/$f.txt"; cut -f1,2 "$dir/$f.tsv" >"$dir/$f.two"; done
"$heed" train classify "$dir/d.two" --context "$dir/d.txt" --recipe match --embed 32 --epochs 12 --batch 16 -o "$dir/f" "${quick[@]}" >"$dir/log" 2>&1 || wrong "from a file: $(tail -1 "$dir/log")"
cmp -s "$dir/m/model.safetensors" "$dir/f/model.safetensors" || wrong "from a file another model than from a column"
[ "$(acc "$dir/m" "$dir/t.two" --context "$dir/t.txt")" = "$a" ] || wrong "test from a file differs"
tail -n +2 "$dir/t.tsv" | cut -f2 >"$dir/texts"
tail -n +2 "$dir/t.tsv" | cut -f2,3 | "$heed" predict "$dir/m" >"$dir/said" || wrong "predict"
[ "$("$heed" predict "$dir/m" "$dir/texts" --context "$dir/t.txt")" = "$(cat "$dir/said")" ] || wrong "predict from a file differs"
[ "$(paste <(cut -f1 "$dir/said") <(tail -n +2 "$dir/t.tsv" | cut -f1) | awk '$1 == $2' | wc -l)" = "$(awk -v a="$a" 'BEGIN { printf "%d", 100 * a + 0.5 }')" ] ||
    wrong "one by one it answers otherwise than together"
[ "$("$heed" predict "$dir/m" "$dir/t.tsv" --text text --context passage)" = "$(cat "$dir/said")" ] || wrong "predict from a column differs"
expect 64 "--context does not go with --text2" "$heed" predict "$dir/m" "$dir/t.tsv" --text text --text2 passage --context "$dir/t.txt"
expect 66 "no column 'elsewhere' for the context" "$heed" predict "$dir/m" "$dir/t.tsv" --text text --context elsewhere
head -1 "$dir/t.txt" >"$dir/one"
[ "$("$heed" predict "$dir/m" "$dir/texts" --context "$dir/one")" = "$(sed "s/\$/\t$(cat "$dir/one")/" "$dir/texts" | "$heed" predict "$dir/m")" ] || wrong "one passage for all"
head -1 "$dir/texts" | "$heed" predict "$dir/m" --context "$dir/one" --explain | said "\[" || wrong "nothing is shaded"
"$heed" info "$dir/m" | said "a text and its passage" || wrong "info: $("$heed" info "$dir/m" | head -1)"
# bits: threads and ISA
"$heed" train classify "$dir/d.tsv" --text text --context passage --recipe match --embed 32 --epochs 12 --batch 16 -o "$dir/two" --run none --seed 1 --threads 2 >/dev/null 2>&1
cmp -s "$dir/m/model.safetensors" "$dir/two/model.safetensors" || wrong "two threads give another model"
HEED_ISA=scalar "$heed" test "$dir/m" "$dir/t.tsv" --text text --context passage --json >"$dir/scalar"
"$heed" test "$dir/m" "$dir/t.tsv" --text text --context passage --json | cmp -s - "$dir/scalar" || wrong "scalar kernels answer otherwise"
# every recipe; scores; a stopped training goes on
for r in attend classic encoder; do
    "$heed" train classify "$dir/d.tsv" --text text --context passage --recipe $r --embed 16 --epochs 1 -o "$dir/x" "${quick[@]}" >"$dir/log" 2>&1 || wrong "$r: $(tail -1 "$dir/log")"
    "$heed" test "$dir/x" "$dir/t.tsv" --text text --context passage >/dev/null || wrong "test of $r"
done
"$heed" train score "$dir/d.tsv" --label label --text text --context passage --recipe match --embed 16 --epochs 1 -o "$dir/x" "${quick[@]}" >/dev/null 2>&1 || wrong "score"
"$heed" test "$dir/x" "$dir/t.two" --label label --context "$dir/t.txt" | said "^R2" || wrong "test of a score"
"$heed" train classify "$dir/d.tsv" --text text --context passage --from "$dir/m" --freeze --epochs 1 -o "$dir/x" "${quick[@]}" >"$dir/log" 2>&1 || wrong "from: $(tail -1 "$dir/log")"
grep -q "the head too" "$dir/log" || wrong "the head was not taken: $(cat "$dir/log")"

head -5 "$dir/t.txt" >"$dir/five"
expect 65 "five: 5 lines for the 500 texts of" "$heed" train classify "$dir/d.two" --context "$dir/five" -o "$dir/no"
expect 65 "five: 5 lines, and more texts than that" "$heed" predict "$dir/m" "$dir/texts" --context "$dir/five"
expect 64 "this model reads single texts" "$heed" predict "$dir/alone" "$dir/texts" --context "$dir/one"
expect 64 "nor with --unlabeled, whose texts have none" "$heed" train classify "$dir/d.tsv" --context passage --unlabeled "$dir/texts" -o "$dir/no"
expect 66 "no column 'elsewhere' for the context; it has: label, text, passage" "$heed" train classify "$dir/d.tsv" --context elsewhere -o "$dir/no"
expect 66 "no column 'elsewhere' for the context" "$heed" test "$dir/m" "$dir/t.tsv" --text text --context elsewhere
expect 66 "没有列“elsewhere”（用作上下文）" "$heed" --lang zh test "$dir/m" "$dir/t.tsv" --text text --context elsewhere
# trainings of several: parts of the texts, changed copies and drawn settings, each with its passage
"$heed" train classify "$dir/d.tsv" --text text --context passage --recipe match --embed 32 --epochs 12 --batch 16 --curve -o "$dir/curve" "${quick[@]}" >"$dir/log" 2>&1 || wrong "curve: $(tail -1 "$dir/log")"
[ "$(grep -c ^curve "$dir/log")" -ge 2 ] || wrong "a curve without points: $(cat "$dir/log")"
awk -v a="$(acc "$dir/curve" "$dir/t.tsv" --text text --context passage)" 'BEGIN { exit !(a > 0.7) }' || wrong "after a curve nothing is found in the passages"
"$heed" train classify "$dir/d.two" --context "$dir/d.txt" --recipe match --embed 32 --epochs 6 --batch 16 --augment 2 -o "$dir/copies" "${quick[@]}" >"$dir/log" 2>&1 || wrong "augment: $(tail -1 "$dir/log")"
awk -v a="$(acc "$dir/copies" "$dir/t.two" --context "$dir/t.txt")" 'BEGIN { exit !(a > 0.7) }' || wrong "with changed copies nothing is found in the passages"
head -81 "$dir/d.tsv" >"$dir/few.tsv"
"$heed" train classify "$dir/few.tsv" --text text --context passage --recipe match --embed 16 --epochs 1 --search 2s -o "$dir/searched" "${quick[@]}" >"$dir/log" 2>&1 || wrong "search: $(tail -1 "$dir/log")"
[ "$(grep -c "^trial" "$dir/log")" -ge 2 ] || wrong "a search of one trial: $(cat "$dir/log")"
grep "^trial" "$dir/log" | said "accuracy 0.0000, loss 0.0000" && wrong "a trial could not be trained: $(cat "$dir/log")"
"$heed" test "$dir/searched" "$dir/t.tsv" --text text --context passage >/dev/null || wrong "test of what a search found"
printf 'a\xff\n' >"$dir/bad"; expect 65 "bad:1: not UTF-8" "$heed" train classify "$dir/d.two" --context "$dir/bad" -o "$dir/no"
: >"$dir/empty"; expect 65 "empty: is empty" "$heed" train classify "$dir/d.two" --context "$dir/empty" -o "$dir/no"
sed -i 's/"pairs": true,//' "$dir/x/config.json"
expect 65 "a context where no second text is read" "$heed" predict "$dir/x" "$dir/texts"
[ -e "$dir/no" ] && wrong "what was refused left a model"
exit $failed
