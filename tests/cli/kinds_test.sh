#!/usr/bin/env bash
# Several labels, scores, pairs of texts and labels that are paths: learnt, tested and answered; a recipe over tokens that learns
# the language first; long texts read in windows.
set -uo pipefail
. tests/cli/program.sh
train() { "$heed" train "$@" --run none --seed 5 >"$dir/log" 2>&1 || wrong "train $*: $(tail -1 "$dir/log")"; }
# ge VALUE LEAST
ge() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a >= b) }'; }

# words that stand for labels: a text has those whose words it has; its score is how many x it has; pairs are alike or not
awk 'BEGIN { srand(7); split("red green blue", w); split("x y z", f)
    for (i = 0; i < 400; i++) {
        t = ""; l = ""; n = 0
        for (k = 1; k <= 3; k++) if (rand() < 0.4 || i + k == 1) { t = t " " w[k]; l = l ", \"" w[k] "\"" }
        for (k = 0; k < 6; k++) { c = f[1 + int(rand() * 3)]; t = t " " c; n += c == "x" }
        print "{\"label\": [" substr(l, 3) "], \"text\": \"here" t "\"}" >"'"$dir"'/several.jsonl"
        print n "\there" t >"'"$dir"'/score.tsv"
        a = w[1 + int(rand() * 3)]; b = w[1 + int(rand() * 3)]
        print (a == b ? "same" : "other") "\ta " a " one\tmy " b " thing" >"'"$dir"'/pairs"
        c = 1 + int(rand() * 3); d = 1 + int(rand() * 2)
        print w[c] "/" f[d] "\tit is " w[c] " and " f[d] >"'"$dir"'/paths.tsv"
    } }'
(printf 'label\ttext\ttext2\n'; cat "$dir/pairs") >"$dir/pairs.tsv"

train classify --recipe classic "$dir/several.jsonl" --several -o "$dir/several" --epochs 8 --lr 0.02
grep -q '^a text may have several labels' "$dir/log" || wrong "several labels went unsaid"
grep -q '^Epoch .8/8., Loss: [0-9.]*, F1: ' "$dir/log" || wrong "no F1 of held-out data: $(cat "$dir/log")"
"$heed" test "$dir/several" "$dir/several.jsonl" >"$dir/log"
grep -q "several.jsonl: 400 texts; JSON lines" "$dir/log" || wrong "a test of several labels does not say what was read: $(cat "$dir/log")"
[ "$(grep -cE '^(Test Loss|All labels right|Precision|Recall|F1|Macro F1|Calibration error): [0-9.]+ \(95 %: [0-9.]+ to [0-9.]+\)$' "$dir/log")" = 7 ] ||
    wrong "a test of several labels has no intervals: $(cat "$dir/log")"
grep -qE '^(red|green|blue) +1\.0000 +1\.0000 +1\.0000 +1[0-9][0-9]$' "$dir/log" || wrong "a test of several labels has no table of them: $(cat "$dir/log")"
# held-out data counts with all its labels
train classify --recipe classic "$dir/several.jsonl" --several --valid "$dir/several.jsonl" -o "$dir/valid" --epochs 8 --lr 0.02
best=$(grep -o 'F1: .*' "$dir/log" | cut -d' ' -f2 | sort -n | tail -1)
ge "$best" 0.95 || wrong "of held-out texts with several labels not all counted: $(cat "$dir/log")"
# the same in columns: an empty field is a text with none of the labels, and of one label a text still wrong
sed 's/{"label": \[//; s/\], "text": "/\t/; s/"}$//; s/"//g; s/, */|/g' "$dir/several.jsonl" >"$dir/several.tsv"
none=$(grep -c '^'$'\t' "$dir/several.tsv")
[ "$none" -gt 0 ] || wrong "no text without a label to learn from"
for how in "--label-sep |" "--several --label-sep |"; do
    # shellcheck disable=SC2086
    train classify --recipe classic "$dir/several.tsv" $how -o "$dir/columns" --epochs 8 --lr 0.02
    grep -q "several.tsv: $none texts have none of them" "$dir/log" || wrong "texts with none of the labels went unsaid: $(cat "$dir/log")"
    cmp -s "$dir/columns/model.safetensors" "$dir/several/model.safetensors" || wrong "columns with $how give another model than JSON"
done
[ "$("$heed" test "$dir/columns" "$dir/several.tsv" --label-sep '|' --json)" = "$("$heed" test "$dir/several" "$dir/several.jsonl" --json)" ] ||
    wrong "columns are tested otherwise than JSON"
most=11 expect 65 "the label is empty" "$heed" train classify "$dir/several.tsv" -o "$dir/x"
f1=$("$heed" test "$dir/several" "$dir/several.jsonl" --json | grep -o '"f1": [0-9.]*' | cut -d' ' -f2)
ge "$f1" 0.95 || wrong "several labels: F1 $f1"
echo "here it is" | "$heed" predict "$dir/several" --explain --json | said '"attention": \[{"begin": 0, "end": 4, "text": "here", "weight": 0' ||
    wrong "several labels are not explained: $(echo "here it is" | "$heed" predict "$dir/several" --explain --json)"
[ "$(echo "here red blue z y x" | "$heed" predict "$dir/several" --json | grep -o '"label": "[a-z]*"' | sort | tr -d '\n')" = '"label": "blue""label": "red"' ] ||
    wrong "several labels: $(echo "here red blue z y x" | "$heed" predict "$dir/several")"
"$heed" info "$dir/several" | said "recipe classic, gives several labels for a text, 3 labels" || wrong "info: $("$heed" info "$dir/several" | head -1)"

expect 69 "predict: --top is for one label a text; of several each is shown" "$heed" predict "$dir/several" --top 2 <<<"here"
# a label that three in ten such texts have is given where it weighs more
awk 'BEGIN { srand(3); for (i = 0; i < 600; i++) { n = rand() < 0.15; r = n && rand() < 0.3; b = rand() < 0.5 ? "blue" : "red"
    printf "{\"text\": \"it is %s %s\", \"label\": [\"%s\"%s]}\n", n ? "rare" : "plain", b, b, r ? ", \"seldom\"" : "" } }' >"$dir/seldom.jsonl"
for how in "" --balanced; do
    train classify --recipe classic "$dir/seldom.jsonl" --several -o "$dir/seldom" --epochs 8 --lr 0.02 --valid-part 0 $how
    echo "it is rare red" | "$heed" predict "$dir/seldom" --json | grep -o '"label": "[a-z]*"' | tr -d '\n'
    echo
done >"$dir/seldom.txt"
[ "$(tr '\n' ' ' <"$dir/seldom.txt")" = '"label": "red" "label": "red""label": "seldom" ' ] || wrong "--balanced with several labels: $(cat "$dir/seldom.txt")"
# a label told twice of a text is told once
sed -E 's/\["(blue|red)"/["\1", "\1"/' "$dir/seldom.jsonl" >"$dir/twice.jsonl"
for data in seldom twice; do train classify "$dir/$data.jsonl" --several --balanced -o "$dir/$data.m" --epochs 1; done
cmp -s "$dir/seldom.m/model.safetensors" "$dir/twice.m/model.safetensors" || wrong "a label told twice counts twice"
# a field that was to be cut and was not: its labels are nobody's, and why is said; not where it was cut
"$heed" test "$dir/columns" "$dir/several.tsv" >"$dir/out" 2>/dev/null
grep -q "several in a field are cut by --label-sep" "$dir/out" || wrong "labels read whole went unsaid: $(head -12 "$dir/out")"
sed '2s/.*/nobody\tsaid so/' "$dir/several.tsv" >"$dir/stranger.tsv"
"$heed" test "$dir/columns" "$dir/stranger.tsv" --label-sep '|' | said "several in a field are cut" && wrong "what was cut is told to be cut"

for option in --several --hierarchy "--label-sep ;" "--search 1s" --curve "--unlabeled x"; do
    # shellcheck disable=SC2086
    expect 64 "heed train score: ${option%% *} is for labels" "$heed" train score "$dir/score.tsv" $option -o "$dir/x"
done
echo '{"text": "a", "labels": []}' >"$dir/none.jsonl"
expect 65 "none.jsonl: no text has a label" "$heed" train classify "$dir/none.jsonl" --several -o "$dir/x"
expect 69 "--hierarchy is for one label a text, not for several" "$heed" train classify "$dir/several.jsonl" --several --hierarchy -o "$dir/x"
expect 64 "train score: --balanced is for labels" "$heed" train score --recipe classic "$dir/score.tsv" --balanced -o "$dir/x"

train score --recipe classic "$dir/score.tsv" -o "$dir/score" --epochs 20 --lr 0.02 --test "$dir/score.tsv"
grep -q "score: [0-9]* parameters, trained in" "$dir/log" || wrong "a score has labels: $(cat "$dir/log")"
grep -qE '^R2: [0-9.]+ \(95 %: [0-9.]+ to [0-9.]+\)$' "$dir/log" || wrong "a test of a score has no interval: $(cat "$dir/log")"
r2=$("$heed" test "$dir/score" "$dir/score.tsv" --json | grep -o '"r2": [0-9.]*' | cut -d' ' -f2)
ge "$r2" 0.8 || wrong "a score: R2 $r2"
expect 69 "predict: --top is for labels; this model gives a score" "$heed" predict "$dir/score" --top 2 <<<"here"
grep -q "^R2: " "$dir/log" || wrong "--test of a score said $(tail -3 "$dir/log")"
# what a training is tested on is read once: standard input cannot be read twice
train score --recipe classic "$dir/score.tsv" -o "$dir/x" --epochs 1 --test - <"$dir/score.tsv"
grep -q "^standard input: 400 texts; " "$dir/log" && grep -q "^R2: " "$dir/log" || wrong "--test of standard input: $(tail -3 "$dir/log")"
# one score of fifty is grossly wrong: squares learn nothing of the others, Huber's loss does, and keeps it with the model
awk -F '\t' -v OFS='\t' 'NR > 1 && NR % 50 == 2 { $1 = 30000 } { print }' "$dir/score.tsv" >"$dir/gross.tsv"
for loss in squared huber; do
    train score --recipe classic "$dir/gross.tsv" -o "$dir/$loss" --epochs 20 --lr 0.02 --loss $loss
    "$heed" test "$dir/$loss" "$dir/score.tsv" --json | grep -o '"r2": [-0-9.e+]*' | cut -d' ' -f2 >"$dir/r2.$loss"
done
ge "$(cat "$dir/r2.huber")" 0.7 || wrong "Huber's loss: R2 $(cat "$dir/r2.huber")"
ge "$(cat "$dir/r2.squared")" 0.3 && wrong "gross errors leave squares as they are: $(cat "$dir/r2.squared")"
grep -q '"huber": 1.345' "$dir/huber/config.json" || wrong "the loss is not kept with the model"
grep -q huber "$dir/squared/config.json" && wrong "squares are called Huber's"
# scores that are all one have no variance to explain, whatever the rounding; one that no float holds is refused, the largest is not
awk -F '\t' -v OFS='\t' '{ $1 = 0.1; print }' "$dir/score.tsv" >"$dir/same.tsv"
awk -F '\t' -v OFS='\t' '{ $1 *= 1e-20; if (NR == 7) $1 = 1e30; print }' "$dir/score.tsv" >"$dir/far.tsv"
for loss in squared huber; do
    train score --recipe classic "$dir/same.tsv" -o "$dir/same" --epochs 1 --loss $loss
    grep -qE '^Epoch .1/1., Loss: [0-9]\.[0-9]*, R[12]: 0.0000$' "$dir/log" || wrong "equal scores, $loss: $(grep Epoch "$dir/log")"
    [ "$("$heed" test "$dir/same" "$dir/same.tsv" | tail -2)" = "$(printf 'R2: 0 (95 %%: 0 to 0)\nCorrelation: 0 (95 %%: 0 to 0)')" ] ||
        wrong "equal scores, $loss: $("$heed" test "$dir/same" "$dir/same.tsv" | tail -2)"
    train score --recipe classic "$dir/far.tsv" -o "$dir/far" --epochs 1 --loss $loss
    [[ "$("$heed" predict "$dir/far" --json <<<"here x")" =~ ^\{\"value\":\ -?[0-9] ]] || wrong "a far score: $("$heed" predict "$dir/far" --json <<<"here x")"
done
awk -F '\t' -v OFS='\t' 'NR == 3 { $1 = "-1e31" } { print }' "$dir/score.tsv" >"$dir/beyond.tsv"
expect 65 "beyond.tsv:3: '-1e31' is beyond 1e30, the largest score" "$heed" train score "$dir/beyond.tsv" -o "$dir/x"
sed -i 's/"spread": [^,]*/"spread": 1e39/' "$dir/far/config.json"
expect 65 "config.json: head.mean and head.spread are" "$heed" predict "$dir/far" <<<"here x"
expect 64 "there is no loss 'cubed' for scores; there are squared, huber" "$heed" train score "$dir/score.tsv" --loss cubed -o "$dir/x"
expect 69 "the loss huber is for scores" "$heed" train classify "$dir/several.jsonl" --several --loss huber -o "$dir/x"
(printf 'review,stars\n'; for i in $(seq 30); do echo "so $i,$((i % 5))"; done) >"$dir/stars.csv"
train score --recipe classic "$dir/stars.csv" -o "$dir/stars" --epochs 1
grep -q "text from column 'review', label from column 'stars'" "$dir/log" || wrong "stars are no score: $(cat "$dir/log")"
few=$(echo "here y y z z y z" | "$heed" predict "$dir/score"); many=$(echo "here x x x x x x" | "$heed" predict "$dir/score")
ge "$many" "$few" || wrong "a score: $many is not above $few"
printf '1\ta b\ntwo\tc\n' >"$dir/bad.tsv"
expect 65 "bad.tsv:2: 'two' is no number" "$heed" train score --recipe classic "$dir/bad.tsv" -o "$dir/x"
printf '3 \td\n' >>"$dir/bad.tsv"
"$heed" train score --recipe classic "$dir/bad.tsv" -o "$dir/x" 2>"$dir/log"
[ $? = 65 ] && [ "$(sed "s|$dir/||" "$dir/log" | tr '\n' ';')" = \
    "bad.tsv:2: 'two' is no number;bad.tsv:3: '3 ' is no number;heed: bad.tsv: 2 lines are wrong;" ] ||
    wrong "two scores that are no numbers: $(cat "$dir/log")"

train classify --recipe classic "$dir/pairs.tsv" --pairs -o "$dir/pairs.m" --epochs 30 --lr 0.02
right=$("$heed" test "$dir/pairs.m" "$dir/pairs.tsv" | grep '^Test Accuracy' | cut -d' ' -f3)
ge "$right" 0.95 || wrong "pairs: accuracy $right"
# labels that the model does not have count in macro-F1 as labels never found
(cat "$dir/pairs.tsv"; printf 'one\ta\tb\ntwo\ta\tb\ntwo\tb\tc\n') >"$dir/strange.tsv"
macro=$("$heed" test "$dir/pairs.m" "$dir/strange.tsv" | grep '^Macro F1' | cut -d' ' -f3)
ge 0.5 "$macro" && ge "$macro" 0.45 || wrong "two labels of four not known: macro-F1 $macro"
[ "$(printf 'a red one\tmy red thing\n' | "$heed" predict "$dir/pairs.m" | cut -f1)" = same ] || wrong "pairs: red and red are not the same"
expect 65 "this model reads pairs" "$heed" predict "$dir/pairs.m" - <<<"a red one"
"$heed" info "$dir/pairs.m" | said "gives one label for two texts" || wrong "info of pairs"

train classify --recipe classic "$dir/paths.tsv" --hierarchy --balanced -o "$dir/paths" --epochs 8 --lr 0.02
! grep -q "hierarchy" "$dir/log" || wrong "paths are said to be none: $(cat "$dir/log")"
sed 's|/|-|' "$dir/paths.tsv" >"$dir/flat.tsv"
train classify --recipe classic "$dir/flat.tsv" --hierarchy -o "$dir/flat" --epochs 1
grep -qx "no label is a path such as a/b: --hierarchy changes nothing" "$dir/log" || wrong "a hierarchy of no paths went unsaid: $(cat "$dir/log")"
"$heed" test "$dir/paths" "$dir/paths.tsv" | grep -Eq '^Accuracy at level 1: (1.0000|0.9[89])' || wrong "paths: $("$heed" test "$dir/paths" "$dir/paths.tsv" | tail -2)"
"$heed" test "$dir/paths" "$dir/paths.tsv" --json | grep -Eq '"levels": \[(1|0.9[89])' || wrong "paths: no levels in $("$heed" test "$dir/paths" "$dir/paths.tsv" --json)"
expect 69 "test: only for models that give one label a text" "$heed" test "$dir/paths" "$dir/paths.tsv" --compare "$dir/score"
# a score or pairs from a model of labels: what the labels' n-grams said is forgotten
train classify "$dir/paths.tsv" -o "$dir/attend" --epochs 1
train score "$dir/score.tsv" --from "$dir/attend" -o "$dir/x" --epochs 1
train classify "$dir/pairs.tsv" --pairs --from "$dir/attend" -o "$dir/x" --epochs 1
echo "it is red and" | "$heed" predict "$dir/paths" --json | said '"parents": \[{"label": "red", "score": ' || wrong "no parents"

# tokens, and the language first: what is hidden is told better at the end than at the beginning
cut -f2 "$dir/paths.tsv" >"$dir/texts"
"$heed" train classify --recipe classic "$dir/paths.tsv" -o "$dir/enc" --recipe encoder --tokenizer wordpiece --vocab 60 --embed 32 --heads 2 --epochs 6 --lr 0.003 \
    --pretrain "$dir/texts" --pretrain-epochs 4 >"$dir/log" 2>&1 || wrong "encoder: $(tail -1 "$dir/log")"
[ "$(grep -c '^Language: Epoch .[1-4]/4' "$dir/log")" = 4 ] && [ "$(grep -c '^Epoch .[1-6]/6' "$dir/log")" = 6 ] || wrong "epochs of both parts: $(cat "$dir/log")"
grep -q '^pretrain 4/4 100%' "$dir/log" || wrong "progress does not tell that the language is learnt: $(cat "$dir/log")"
[ -s "$dir/enc.run/pretrain/log.jsonl" ] || wrong "learning the language left no log"
right=$("$heed" test "$dir/enc" "$dir/paths.tsv" | grep '^Test Accuracy' | cut -d' ' -f3)
ge "$right" 0.95 || wrong "encoder: accuracy $right"
# stopped while it learns the language, it goes on to the weights of one that was not stopped
small=(train classify "$dir/paths.tsv" --recipe encoder --embed 16 --heads 2 --layers 1 --epochs 1 --pretrain "$dir/texts" --pretrain-epochs 200)
stopped_at "^Language: Epoch .1/" "$dir/go" "$heed" "${small[@]}" -o "$dir/go"
[ -e "$dir/go.run/pretrain/checkpoint" ] || wrong "stopped while it learns the language, it left no checkpoint"
grep -q "has what a resume needs" "$dir/err" && ! grep -q "nothing was saved" "$dir/err" || wrong "stopped while it learns the language, it said $(cat "$dir/err")"
"$heed" "${small[@]}" -o "$dir/go" --resume >"$dir/log" 2>&1 || wrong "resume of the language: $(tail -1 "$dir/log")"
"$heed" "${small[@]}" -o "$dir/straight" --run none >/dev/null 2>&1
cmp -s "$dir/go/model.safetensors" "$dir/straight/model.safetensors" || wrong "resumed in the language, it has other weights"
expect 66 "there is no training to go on with" "$heed" "${small[@]}" -o "$dir/go" --resume
# also where another training was stopped in that folder before: its checkpoint is gone once this one has begun
other=(train classify "$dir/paths.tsv" --recipe classic --epochs 40000 --seed 9 -o "$dir/go")
rm -rf "$dir/go"; stopped_at "^Epoch .2/" "$dir/go" "$heed" "${other[@]}"
[ -e "$dir/go.run/checkpoint" ] || wrong "stopped, it left no checkpoint"
stopped_at "^Language: Epoch .1/" "$dir/go" "$heed" "${small[@]}" -o "$dir/go"
[ ! -e "$dir/go.run/checkpoint" ] || wrong "an earlier training's checkpoint is still there"
"$heed" "${small[@]}" -o "$dir/go" --resume >"$dir/log" 2>&1 || wrong "resume of the language beside an earlier training: $(tail -1 "$dir/log")"
cmp -s "$dir/go/model.safetensors" "$dir/straight/model.safetensors" || wrong "resumed in the language, it has other weights than straight on"
[ -s "$dir/enc/tokenizer.json" ] || wrong "no tokenizer in the folder"
echo "it is red and x" | "$heed" predict "$dir/enc" --explain | tail -1 | said '\[' || wrong "encoder: nothing explained"
"$heed" info "$dir/enc" | said "recipe encoder" || wrong "info of an encoder"
for p in learned rotary; do train classify --recipe classic "$dir/paths.tsv" -o "$dir/x" --recipe encoder --position $p --embed 16 --heads 2 --layers 1 --epochs 1; done
expect 69 "learns no language beforehand" "$heed" train classify --recipe classic "$dir/paths.tsv" -o "$dir/x" --recipe classic --pretrain "$dir/texts" --run none
expect 66 "none.json" "$heed" train classify --recipe classic "$dir/paths.tsv" -o "$dir/x" --recipe encoder --tokenizer "$dir/none.json"
# another head on a body that is there
train score --recipe classic "$dir/score.tsv" -o "$dir/x" --from "$dir/several" --epochs 1

# a long text is read in windows: what counts may stand anywhere
long() { yes z | head -300 | tr '\n' ' '; }
train classify --recipe classic "$dir/paths.tsv" -o "$dir/w" --max-len 8 --epochs 4 --lr 0.02
echo "$(long) it is red and x" | "$heed" predict "$dir/w" --json | said '"tokens_seen": 305, "tokens_total": 305' || wrong "windows did not see it all"
train classify --recipe classic "$dir/paths.tsv" -o "$dir/w" --max-len 8 --cut --keep head --epochs 1
echo "$(long) it is red and x" | "$heed" predict "$dir/w" --json | said '"tokens_seen": 8, "tokens_total": 305' || wrong "a cut text is not said to be cut"
exit $failed
