#!/usr/bin/env bash
# The page about a training and the promises of a calibrated model: made by `heed train`, harmless whatever the texts and
# labels hold, and in need of no network; sets, scope and abstention as asked for.
set -uo pipefail
. tests/cli/program.sh

{
    printf 'text\tlabel\n'
    for i in {1..60}; do
        printf '<script>alert(%d)</script> & sunny warm day\t<b>good</b>\n' "$i"
        printf 'rain "cold" wind %d\tbad & wet\n' "$i"
        printf 'who knows %d\t%s\n' "$i" "$([ $((i % 2)) = 0 ] && echo '<b>good</b>' || echo 'bad & wet')"
    done
} >"$dir/d.tsv"
"$heed" train classify --recipe classic "$dir/d.tsv" -o "$dir/m" --valid-part 0.3 --epochs 3 --threads 1 >"$dir/out" 2>/dev/null || wrong "train"
page=$dir/m.run/report.html
grep -q "report: $page" "$dir/out" || wrong "the page is not told of"
[ -s "$page" ] || wrong "no page"
(cd "$dir" && "$heed" train classify --recipe classic d.tsv -o m --valid-part 0.3 --epochs 3 --threads 1) >"$dir/out" 2>/dev/null || wrong "train again"
grep -q "report: m.run/report.html" "$dir/out" || wrong "the page's place is not said as the model's was: $(tail -1 "$dir/out")"
grep -qE '<script|<b>good|src=|href=|http' "$page" && wrong "the page holds what a text or label gave it, or needs another file"
grep -q '&lt;b&gt;good&lt;/b&gt;' "$page" || wrong "a label is not shown"
[ "$(grep -c '<svg' "$page")" = 5 ] || wrong "there are not five drawings"
for word in 'temperature' 'The surest mistakes' 'part answered' 'how often right' 'while learning'; do
    grep -q "$word" "$page" || wrong "no '$word' on the page"
done
grep -q '<text x="428" y="[0-9.]*">bad &amp; wet</text>' "$page" || wrong "a row of the confusions has no name"
grep -q "^calibration error of held-out texts: [0-9.]*, with temperature [0-9.]*: [0-9.]*$" "$dir/out" || wrong "calibration went unsaid: $(cat "$dir/out")"
grep -q "calibration error rose" "$dir/out" && wrong "it did not rise: $(cat "$dir/out")"
# a model that is sure and right in the few texts held out is made less sure of them
for i in {1..20}; do printf 'a\tgood fine %s\nb\tbad poor %s\nc\tplain so %s\n' $((i % 7)) $((i % 5)) $((i % 3)); done >"$dir/sure.tsv"
"$heed" train classify "$dir/sure.tsv" -o "$dir/sure" --epochs 3 --threads 1 --run none >"$dir/sure.out" 2>/dev/null || wrong "train surely"
grep -A1 "^calibration error of held-out texts" "$dir/sure.out" | grep -qx "the calibration error rose, for the temperature is chosen by the loss" ||
    wrong "that calibration is worse went unsaid: $(cat "$dir/sure.out")"

# a label longer than its column widens it: the figures stand below each other
long=$(printf 'a%.0s' {1..45})
for i in {1..20}; do printf '%s\tone two %s\nb\tthree four %s\n' "$long" "$i" "$i"; done >"$dir/long.tsv"
"$heed" train classify --recipe classic "$dir/long.tsv" -o "$dir/l" --epochs 1 --threads 1 --run none >/dev/null 2>&1
"$heed" test "$dir/l" "$dir/long.tsv" | grep -E '^(label|a+|b) ' >"$dir/table"
[ "$(wc -l <"$dir/table")" = 3 ] && [ "$(awk '{ print length }' "$dir/table" | sort -u | wc -l)" = 1 ] ||
    wrong "a long label moves its row's figures: $(cat "$dir/table")"

said_accuracy=$(sed -n 's/^finished, on held-out texts: accuracy \([0-9.]*\), loss [0-9.]*$/\1/p' "$dir/out")
[ -n "$said_accuracy" ] && tr -d '\n' <"$page" | grep -q "accuracy</[a-z]*>[^0-9]*$said_accuracy" || wrong "the page has not the accuracy that was said, '$said_accuracy'"
"$heed" train classify --recipe classic "$dir/d.tsv" -o "$dir/n" --valid-part 0 --epochs 1 --threads 1 --run none >"$dir/out" 2>/dev/null || wrong "train with nothing held out"
[ -e "$dir/n.run" ] && wrong "a run that was not asked for"

echo 'who knows' | "$heed" predict "$dir/m" --coverage 0.95 >"$dir/out" || wrong "coverage"
grep -q 'good.*bad' "$dir/out" || grep -q 'bad.*good' "$dir/out" || wrong "a toss-up's set has not both labels: $(cat "$dir/out")"
echo 'who knows' | "$heed" predict "$dir/m" --abstain >"$dir/out" || wrong "abstain"
grep -Eq '^\((unsure|out of scope)\)' "$dir/out" || wrong "a toss-up was answered: $(cat "$dir/out")"
# of 10 texts held out 0.95 cannot be promised: what can be is, and said
{ printf 'label\ttext\n'; for i in {1..50}; do printf 'good\tfine and good %s\nbad\tsour and bad %s\n' "$i" "$i"; done; } >"$dir/few.tsv"
"$heed" train classify "$dir/few.tsv" -o "$dir/few" --threads 1 --run none >/dev/null 2>&1 || wrong "train on few"
echo 'fine and good 7' | "$heed" predict "$dir/few" --abstain >"$dir/out" 2>"$dir/err"
grep -q '^good' "$dir/out" || wrong "abstains where less can be promised: $(cat "$dir/out")"
grep -q '^predict: .* coverage 0.95 needs 19, and this model had 10: it promises 0.909$' "$dir/err" || wrong "what is promised: $(cat "$dir/err")"
echo 'fine and good 7' | "$heed" predict "$dir/few" --coverage 0.95 >"$dir/out" 2>"$dir/err"
grep -q '^predict: .* coverage 0.95 needs 19, and this model had 10: each set has all labels$' "$dir/err" || wrong "why each set has all: $(cat "$dir/err")"
echo 'who knows' | "$heed" predict "$dir/n" --coverage 0.9 >"$dir/out" 2>"$dir/err"
[ $? = 69 ] || wrong "coverage of a model with nothing held out"
grep -q 'nothing held out' "$dir/err" || wrong "why there is no coverage: $(cat "$dir/err")"

# what to label next: the toss-ups, each text once, and no more than there are
printf 'text\nrain cold wind\nwho knows\nwho knows\nsunny warm day\n' >"$dir/pool.tsv"
"$heed" label "$dir/m" "$dir/pool.tsv" -n 2 >"$dir/out" || wrong "label"
head -1 "$dir/out" | said 'who knows' || wrong "a toss-up is not the first to label: $(cat "$dir/out")"
[ "$("$heed" label "$dir/m" "$dir/pool.tsv" -n 50 | grep -c 'who knows')" = 1 ] || wrong "the same text twice"
# a text is one line whatever is in it, and moves nobody's terminal
printf '%s\n' '{"text": "who\nknows\t\u001b[31m\u009b1m"}' '{"text": "rain"}' >"$dir/pool.jsonl"
"$heed" label "$dir/m" "$dir/pool.jsonl" >"$dir/out" || wrong "label of JSON lines"
[ "$(wc -l <"$dir/out")" = 2 ] && said 'who knows  \[31m 1m$' <"$dir/out" || wrong "a text of two lines: $(cat -v "$dir/out")"
"$heed" predict "$dir/m" --explain --text text "$dir/pool.jsonl" >"$dir/out" || wrong "predict --explain of JSON lines"
[ "$(wc -l <"$dir/out")" = 4 ] && ! tr -d '\n\t' <"$dir/out" | LC_ALL=C grep -q "$(printf '[\001-\037\302]')" || wrong "a text of two lines is shown so: $(cat -v "$dir/out")"

# runs: listed, compared, drawn; a cut last line of a log is passed over
"$heed" train classify --recipe classic "$dir/d.tsv" -o "$dir/k" --epochs 2 --threads 1 --seed 2 >"$dir/out" 2>/dev/null || wrong "train again"
"$heed" runs "$dir" --html "$dir/runs.html" >"$dir/out" || wrong "runs"
[ "$(wc -l <"$dir/out")" = 3 ] || wrong "two runs are not three lines: $(cat "$dir/out")"
grep -Eq "k.run +2 " "$dir/out" && grep -Eq "m.run +3 " "$dir/out" || wrong "epochs of the runs: $(cat "$dir/out")"
[ "$(grep -c '<svg' "$dir/runs.html")" = 3 ] || wrong "there are not three drawings of runs"
mkdir "$dir/k.run/parts"; echo '{}' >"$dir/k.run/parts/state.json" # what else lies there says nothing of how it ended
"$heed" runs "$dir/k.run" | said '  done; ' || wrong "a training that is done: $("$heed" runs "$dir/k.run")"
truncate -s -20 "$dir/k.run/log.jsonl"
"$heed" runs "$dir/k.run" | said 'not ended' || wrong "a cut log"
# what a stranger's log and folder are called moves no terminal and breaks no line, no JSON, no page
odd=$dir/odd/$(printf 'e\033[31mv\377l.run') wide=$dir/odd/长名字
mkdir -p "$odd" "$wide"
sed 's/"why":"[a-z]*"/"why":"do\\u001bne\\n"/; s/"settings":"/&\\u001b[2Ja\\n/' "$dir/m.run/log.jsonl" | tee "$odd/log.jsonl" >"$wide/log.jsonl"
"$heed" runs "$dir/odd" --html "$dir/odd.html" >"$dir/out"
[ "$(wc -l <"$dir/out")" = 3 ] && ! grep -q "$(printf '\033')" "$dir/out" && iconv -f utf-8 -t utf-8 "$dir/out" "$dir/odd.html" >/dev/null || wrong "a stranger's runs: $(cat -v "$dir/out")"
grep -q 'e?\[31mv?l.run  *3' "$dir/out" || wrong "names of runs: $(cat -v "$dir/out")"
"$heed" runs "$dir/odd" --json | iconv -f utf-8 -t utf-8 | said 'e\\u001b\[31mv\\ufffdl.run' || wrong "a name of a run in JSON: $("$heed" runs "$dir/odd" --json | cat -v)"
# numbers that a drawing cannot tell apart, or that lie further apart than a double holds: drawn all the same, at once
mkdir -p "$dir/axis/x.run"
for pair in "0.93333333333333335 0.9333333333333335" "-1e308 1e308" "1e30 1e30" "0 5e-324"; do
    set -- $pair
    for e in 1 2; do echo "{\"event\":\"epoch\",\"epoch\":$e,\"loss\":$1,\"held_loss\":$1,\"score\":\"Acc\",\"value\":$1}"; shift; done >"$dir/axis/x.run/log.jsonl"
    (ulimit -f 1000; timeout 60 "$heed" runs "$dir/axis" --html "$dir/axis.html" >"$dir/out" 2>"$dir/err") || wrong "runs with values $pair: $(cat "$dir/err")"
    grep -Eq '[="," -](nan|inf)[",]' "$dir/axis.html" && wrong "$pair has no place in $(grep -Eo '.{20}(nan|inf)' "$dir/axis.html" | head -1)"
done
# what is no file is no log, and nobody waits for a pipe
mkdir -p "$dir/axis/pipe.run" "$dir/axis/folder.run/log.jsonl"; mkfifo "$dir/axis/pipe.run/log.jsonl"
timeout 60 "$heed" runs "$dir/axis" >"$dir/out" 2>"$dir/err" && [ "$(wc -l <"$dir/out")" = 2 ] || wrong "a pipe and a folder as logs: $(cat "$dir/out" "$dir/err")"
# epochs that a log does not tell of, and a best one that it cannot know
mkdir "$dir/gap.run"
for e in 1 7 8 9; do echo "{\"event\":\"epoch\",\"epoch\":$e,\"loss\":0.$e,\"held_loss\":0.2$e,\"score\":\"Acc\",\"value\":0.9$e}"; done >"$dir/gap.run/log.jsonl"
echo '{"event":"end","why":"done","best_epoch":9,"seconds":1}' >>"$dir/gap.run/log.jsonl"
"$heed" runs "$dir/gap.run" --json | said '"epochs": 9, "best_epoch": 9, .*"held_loss": 0.29, "score": 0.99,' || wrong "a log with a gap: $("$heed" runs "$dir/gap.run" --json)"
echo '{"event":"end","why":"done","best_epoch":90000,"seconds":1}' >>"$dir/gap.run/log.jsonl"
"$heed" runs "$dir/gap.run" --json | said '"best_epoch": 0, .*"score": 0.99,' || wrong "a best epoch that was not: $("$heed" runs "$dir/gap.run" --json)"
mkdir "$dir/none"
"$heed" runs "$dir/none" 2>"$dir/err"; [ $? = 66 ] || wrong "a folder without runs"
grep -q 'no run is there' "$dir/err" || wrong "said: $(cat "$dir/err")"
exit $failed
