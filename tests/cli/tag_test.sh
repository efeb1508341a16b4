#!/usr/bin/env bash
# Taggers from data to answers: same bits for any threads and ISA, scores that counting confirms, every scheme read alike,
# one clear sentence for what is wrong.
set -uo pipefail
. tests/cli/program.sh
data=tests/cli/data/people.conll
small="--epochs 10 --patience 10 --dropout 0.1 --embed 8 --features 8 --field 4 --hidden 8 --buckets 512 --lr 0.02 --seed 3"
train() { "$heed" train tag "$@" $small >"$dir/log" 2>&1 || wrong "train $*: $(cat "$dir/log")"; }

train "$data" -o "$dir/m1" --threads 1
grep -q 'people.conll: 120 sentences, .*tags are BIO' "$dir/log" || wrong "the data were not described: $(head -1 "$dir/log")"
grep -q '^Epoch .1/10., Loss: .*, F1: ' "$dir/log" || wrong "no score of an epoch was said"
page=$dir/m1.run/report.html
for part in Learning Confidence Confusions 'surest mistakes' '(none)' 'F1 of entities'; do
    grep -q "$part" "$page" || wrong "a tagger's report has no $part"
done
grep -Eiq 'https?://|<script|<link' "$page" && wrong "a tagger's report asks for something else"
said=$(sed -n 's|.*F1 of entities</dt><dd>\([0-9.]*\).*|\1|p' "$page") # the log's own, of the epoch that was kept
grep -q "F1: $said" "$dir/log" || wrong "the report says F1 $said, the training $(grep F1 "$dir/log" | tail -3)"
train "$data" -o "$dir/m2" --threads 3
HEED_ISA=scalar train "$data" -o "$dir/m3" --threads 2
for m in m2 m3; do
    cmp -s "$dir/m1/model.safetensors" "$dir/$m/model.safetensors" || wrong "$m has other weights than m1"
done

# the same data in another scheme, with Windows' line ends and compressed, give the same weights
awk -F'\t' 'BEGIN { OFS = "\t" } { line[NR] = $0 } END { for (i = 1; i <= NR; i++) {
    n = split(line[i], a, "\t"); split(line[i + 1], b, "\t"); last = substr(b[2], 1, 1) != "I"
    if (n == 2 && a[2] ~ /^B/) a[2] = (last ? "S" : "B") substr(a[2], 2)
    else if (n == 2 && a[2] ~ /^I/) a[2] = (last ? "E" : "I") substr(a[2], 2)
    print n == 2 ? a[1] OFS a[2] : "" } }' "$data" >"$dir/bioes"
sed 's/$/\r/' "$dir/bioes" | gzip >"$dir/bioes.gz"
train "$dir/bioes.gz" -o "$dir/m4"
grep -q 'tags are BIOES' "$dir/log" || wrong "BIOES was taken for another scheme: $(head -1 "$dir/log")"
cmp -s "$dir/m1/model.safetensors" "$dir/m4/model.safetensors" || wrong "the scheme of the data changes the weights"

# from another tagger: a step too small to matter leaves its answers; a new type gets scores of its own
"$heed" train tag "$data" -o "$dir/f1" --from "$dir/m1" --epochs 1 --lr 1e-9 --run none >"$dir/log" 2>&1 || wrong "--from: $(tail -1 "$dir/log")"
cmp -s <("$heed" predict "$dir/m1" "$data" --columns --conll | cut -f1,2) <("$heed" predict "$dir/f1" "$data" --columns --conll | cut -f1,2) ||
    wrong "--from does not begin with the other's weights"
sed 's/-[A-Z]*$/-NEW/' "$data" >"$dir/new.conll"
"$heed" train tag "$dir/new.conll" -o "$dir/f2" --from "$dir/m1" --epochs 12 --patience 12 --dropout 0.1 --lr 0.02 --run none >"$dir/log" 2>&1 || wrong "--from, new type: $(tail -1 "$dir/log")"
"$heed" predict "$dir/f2" "$dir/new.conll" --columns --conll | grep 'B-NEW' >/dev/null || wrong "--from learns no new type"
cmp -s "$dir/m1/vocab.txt" "$dir/f2/vocab.txt" || wrong "--from has other words"
# sentences of which none has tags that the model knows have no loss
printf 'Anna\tB-NEW\nlives\tO\n' >"$dir/strange"
"$heed" test "$dir/m1" "$dir/strange" >"$dir/out" || wrong "test of unknown tags"
grep -q "^1 entities have a type that the model does not" "$dir/out" && ! grep -q "^Test Loss" "$dir/out" || wrong "unknown tags have a loss: $(cat "$dir/out")"
"$heed" test "$dir/m1" "$dir/strange" --json | said '"loss": null, ' || wrong "unknown tags have a loss: $("$heed" test "$dir/m1" "$dir/strange" --json)"

expect 69 "--explain shows what a classifier attended to" "$heed" predict "$dir/m1" "$data" --explain
for o in "--top 3" "--features none.npy" "--context none.txt" --abstain "--window 3"; do
    # shellcheck disable=SC2086
    expect 69 "predict: ${o% *} is for classifiers, not for taggers" "$heed" predict "$dir/m1" "$data" $o
done
for o in --conll --columns "--token 1"; do
    # shellcheck disable=SC2086
    expect 69 "predict: ${o% *} is for taggers, not for classifiers" "$heed" predict models/language "$data" $o
done
for o in --features --context --text --label; do
    expect 69 "test: $o is for classifiers" "$heed" test "$dir/m1" "$data" $o none
done
expect 69 "test: --token is for taggers, not for classifiers" "$heed" test models/language "$data" --token 1
HEED_LANG=zh expect 69 "评测：--features 只用于分类器，不用于标注器" "$heed" test "$dir/m1" "$data" --features none

# what test says is what counting predict's columns says
"$heed" predict "$dir/m1" "$data" --columns --conll | cut -f2 >"$dir/said"
cut -f2 "$data" | paste - "$dir/said" | awk -F'\t' '$1 != "" { n++; r += $1 == $2 } END { printf "Word Accuracy: %.4f", r / n }' >"$dir/accuracy"
"$heed" test "$dir/m1" "$data" >"$dir/out" || wrong "test failed"
grep -qF "$(cat "$dir/accuracy")" "$dir/out" || wrong "test and predict disagree: $(cat "$dir/accuracy")"
awk '/^F1/ { exit !($2 > 0.9) }' "$dir/out" || wrong "it did not learn: $(grep F1 "$dir/out" | head -1)"
"$heed" test "$dir/m1" "$dir/bioes" | said "^$(grep ^F1 "$dir/out" | cut -c1-10)" || wrong "another scheme has another F1"
cut -f1 "$data" | "$heed" predict "$dir/m1" - --columns --conll | cut -f2 | cmp -s - "$dir/said" || wrong "columns from standard input are answered otherwise"

# columns read as lines are not read so without a word
"$heed" predict "$dir/m1" "$dir/new.conll" >"$dir/out" 2>"$dir/err" || wrong "columns read as lines: $(cat "$dir/err")"
grep -qx "heed predict: $dir/new.conll: each line is taken for a sentence; --columns reads a word a line" "$dir/err" || wrong "columns read as lines: $(cat "$dir/err")"
"$heed" predict "$dir/m1" "$dir/new.conll" --columns 2>&1 >"$dir/out" | said . && wrong "columns read as such are told of"

# plain text: entities with places in code points
printf 'É Anna Ahlmann lives in Basel.\n\n' | "$heed" predict "$dir/m1" >"$dir/out"
grep -q $'^1\tPER\t[01]\\.[0-9]*\t2\t14\tAnna Ahlmann$' "$dir/out" || wrong "Anna was not found: $(cat "$dir/out")"
printf 'É Anna Ahlmann lives in Basel.\n' | "$heed" predict "$dir/m1" --json >"$dir/out"
grep -q '"start": 2, "end": 14, "bytes": \[3, 15\], "words": \[1, 3\]' "$dir/out" || wrong "JSON: $(cat "$dir/out")"

"$heed" info "$dir/m1" | said "^types: LOC, ORG, PER$" || wrong "info does not tell the types"

expect 64 "-o DIR is needed" "$heed" train tag "$data"
expect 64 "--heads does nothing for the recipe lstm; it is for: encoder" "$heed" train tag "$data" -o "$dir/x" --heads 2
expect 66 "none.conll" "$heed" train tag "$dir/none.conll" -o "$dir/x"
printf 'a\tO\nb\tPER\n\n' >"$dir/bad"
expect 65 "bad:2: 'PER' is no tag" "$heed" train tag "$dir/bad" -o "$dir/x"
printf 'c\tQ-X\n' >>"$dir/bad"
most=3 expect 65 "bad:4: 'Q-X' is no tag" "$heed" train tag "$dir/bad" -o "$dir/x"
grep -q "bad: 2 lines are wrong; a tagger reads a word and its tag in each line" "$dir/err" && grep -q "bad:2: 'PER' is no tag" "$dir/err" || wrong "not all wrong tags are told: $(cat "$dir/err")"
printf 'a\tO\n\n' >"$dir/plain"
expect 64 "all 1 words have the tag O" "$heed" train tag "$dir/plain" -o "$dir/x" --valid-part 0
: >"$dir/empty"
expect 65 "empty" "$heed" train tag "$dir/empty" -o "$dir/x"
expect 64 "no recipe 'dance'" "$heed" train tag "$data" -o "$dir/x" --recipe dance
[ -e "$dir/x" ] && wrong "a training that failed left a folder"

# stopped and gone on with: the very weights of a training that was not
stopped_at "^Epoch .2/" "$dir/m5" "$heed" train tag "$data" $small -o "$dir/m5" --epochs 4000 --patience 4000
grep -q "best so far is in .*--resume goes on" "$dir/err" || wrong "stopped training said: $(tail -1 "$dir/err")"
[ -e "$dir/m5/model.safetensors" ] || wrong "the best so far was not kept"
expect 64 "was made with other data or settings" "$heed" train tag "$dir/bioes" $small -o "$dir/m5" --epochs 12 --resume --run "$dir/m5.run"

# a recipe, on small data of that name
mkdir -p "$dir/data/bc5cdr"
for part in train valid test; do cp "$data" "$dir/data/bc5cdr/$part.conll"; done
HEED=$heed HEED_DATA=$dir/data HEED_MODELS=$dir recipes/bc5cdr.sh 1 >"$dir/out" 2>/dev/null || wrong "the recipe failed"
grep -Eq '^bc5cdr mean of 1 seeds: F1 0\.[0-9]|F1 1' "$dir/out" || wrong "the recipe said: $(cat "$dir/out")"

# what is no tagger, for all that it says
printf 'good\tnice\nbad\tugly\n' >"$dir/two.tsv"
"$heed" train classify --recipe classic "$dir/two.tsv" -o "$dir/c" --epochs 1 >/dev/null 2>&1 || wrong "classify"
sed -i 's/"task": "classify"/"task": "tag"/' "$dir/c/config.json"
expect 69 "config.json" "$heed" predict "$dir/c" "$dir/two.tsv"
sed -i 's/"task": "tag"/"task": "paint"/' "$dir/m4/config.json"
expect 69 "a model for the task 'paint'" "$heed" predict "$dir/m4" "$dir/two.tsv"
cp -r "$dir/m1" "$dir/cut"; head -c 1000 "$dir/m1/model.safetensors" >"$dir/cut/model.safetensors"
expect 65 "model.safetensors" "$heed" predict "$dir/cut" "$dir/two.tsv"
printf 'good\n\xff\xfe\n' >"$dir/latin"
expect 69 "--compare is for classifiers" "$heed" test "$dir/m1" "$data" --compare "$dir/m1"
expect 65 "latin:2: not UTF-8" "$heed" predict "$dir/m1" "$dir/latin"
"$heed" predict "$dir/m1" "$dir/two.tsv" --json >/dev/full 2>"$dir/err" && wrong "a full device went unnoticed"
# one line of a million words is stopped within it: sooner where it was done already, later where the program had not begun with it
awk 'BEGIN { for (i = 0; i < 1000000; i++) printf "w%d ", i % 97; print "" }' >"$dir/long"
wait=0.2
for try in $(seq 30); do
    "$heed" predict "$dir/m1" "$dir/long" >"$dir/out" 2>"$dir/err" & job=$!
    sleep "$wait"; stop TERM
    ! grep -q "^heed: $dir/long:1: stopped after [0-9]* of 1000000 words$" "$dir/err" || break
    wait=$(awk -v w="$wait" -v late="$([ $rc = 0 ] && echo 1 || echo 0)" 'BEGIN { print late ? w * 0.6 : w * 1.3 }')
done
[ $rc = 75 ] && [ "$try" -lt 30 ] || wrong "a line was not stopped within, $try times: $rc, $(head -c 200 "$dir/err")"
# what timeout(1) sends, the same signal to the program and to its group, is one ^C; in half of all tries, where a machine may wait
once=0
for try in 1 2 3 4 5 6; do
    "$heed" predict "$dir/m1" "$dir/long" >"$dir/out" 2>"$dir/err" & job=$!
    sleep "$wait"; kill -TERM $job 2>/dev/null; sleep 0.001; stop TERM
    [ $rc != 75 ] || once=$((once + 1))
done
[ $once -ge 3 ] || wrong "the signal of one moment was taken for two in $((6 - once)) of 6 tries: $rc"
exit $failed
