#!/usr/bin/env bash
# The program from data to answers: same bits for any threads and ISA, and one clear sentence for what is wrong.
set -uo pipefail
. tests/cli/program.sh

(head -1 data/banking77/train.tsv; awk 'NR > 1 && NR % 25 == 0' data/banking77/train.tsv) >"$dir/small.tsv"
train() { "$heed" train classify --recipe classic "$dir/small.tsv" --epochs 2 --seed 3 "$@" >"$dir/log" 2>&1 || wrong "train $*: $(cat "$dir/log")"; }
train -o "$dir/m1" --threads 1
train -o "$dir/m2" --threads 2
train -o "$dir/m3" --threads 7
HEED_ISA=scalar train -o "$dir/m4" --threads 2
first=$(sha256sum <"$dir/m1/model.safetensors")
for m in m2 m3 m4; do
    [ "$first" = "$(sha256sum <"$dir/$m/model.safetensors")" ] || wrong "$m has other weights than m1"
    cmp -s "$dir/m1/config.json" "$dir/$m/config.json" || wrong "$m has another config than m1"
done
if "$heed" info | said 'avx2 *yes'; then
    HEED_ISA=avx2 train -o "$dir/m5" --threads 1
    [ "$first" = "$(sha256sum <"$dir/m5/model.safetensors")" ] || wrong "avx2 gives other weights"
fi
# bf16 is a precision of its own, with the same bits everywhere
for isa in scalar avx512 avx2; do
    "$heed" info | said "$isa *yes" || { echo "$isa: not on this CPU, skipped"; continue; }
    HEED_ISA=$isa train -o "$dir/b-$isa" --precision bf16
    cmp -s "$dir/b-scalar/model.safetensors" "$dir/b-$isa/model.safetensors" || wrong "bf16: $isa differs from scalar"
done
cmp -s "$dir/m1/model.safetensors" "$dir/b-scalar/model.safetensors" && wrong "bf16 gave the weights of f32"
grep -q '"precision": "bf16"' "$dir/b-scalar/config.json" || wrong "the precision is not stored"
"$heed" train classify --recipe classic "$dir/small.tsv" --epochs 2 --seed 4 -o "$dir/other" >/dev/null 2>&1
[ "$first" != "$(sha256sum <"$dir/other/model.safetensors")" ] || wrong "another seed gave the same weights"

# what test says is what counting predict's lines says
tail -n +2 "$dir/small.tsv" | cut -f2 >"$dir/texts"
"$heed" predict "$dir/m1" "$dir/texts" | cut -f1 >"$dir/said"
right=$(paste "$dir/said" <(tail -n +2 "$dir/small.tsv" | cut -f1) | awk -F'\t' '$1 == $2 { n++ } END { printf "%.4f", n / NR }')
"$heed" test "$dir/m1" "$dir/small.tsv" | said "Test Accuracy: $right" || wrong "test and predict disagree: $right"
# one line at a time, and all at once, give the same answers
head -5 "$dir/texts" | while IFS= read -r t; do printf '%s\n' "$t" | "$heed" predict "$dir/m1" -; done >"$dir/one"
head -5 "$dir/texts" | "$heed" predict "$dir/m1" | cmp -s - "$dir/one" || wrong "a text's answer depends on the texts beside it"
long=$(yes word | head -300 | tr '\n' ' ')
echo "$long" | "$heed" predict "$dir/m1" | said 'tokens seen' && wrong "a long text was not read in windows"
train -o "$dir/last" --cut
echo "$long" | "$heed" predict "$dir/last" | said '(128 of 300 tokens seen)' || wrong "a cut text was not said to be cut"

expect 64 "no command 'fly'; " "$heed" fly
expect 64 "no command 'trian'; did you mean train?" "$heed" trian
expect 64 "no command 'chta'; did you mean chat?" "$heed" chta
expect 64 "no option '--covrage'; did you mean --coverage?" "$heed" predict x --covrage 0.9
expect 64 "no option '--lables=a'; did you mean --label?" "$heed" train classify x -o y --lables=a
expect 64 "no option '--optim'; did you mean --optimizer?" "$heed" train classify x -o y --optim sgd
expect 64 "no option '--$(printf 'c%.0s' {1..99})'; " "$heed" predict x "--$(printf 'c%.0s' {1..99})"
expect 64 "no option '-x'; " "$heed" predict x -x
expect 64 "no option '--fly'; " "$heed" train classify --recipe classic x -o y --fly
expect 64 "--epochs wants a whole number from 1" "$heed" train classify --recipe classic x -o y --epochs 0
expect 64 "--epochs wants a value" "$heed" train classify --recipe classic x -o y --epochs
for name in out valid test vectors unlabeled pretrain run from; do
    expect 64 "--$name wants a name, not ''" "$heed" train classify x --"$name" ''
done
expect 64 "heed predict: an argument is empty" "$heed" predict ''
expect 64 "there is no attack ''" "$heed" test models/intent "$dir/d.tsv" --attack ''
expect 64 "there is no attack ''" "$heed" test models/intent "$dir/d.tsv" --attack typo,
expect 64 "no task 'dance'" "$heed" train dance x -o y
expect 64 "-o DIR is needed" "$heed" train classify --recipe classic x
expect 66 "$dir/none.tsv: " "$heed" train classify --recipe classic "$dir/none.tsv" -o "$dir/x"
expect 66 "no column 'zz'" "$heed" train classify --recipe classic "$dir/small.tsv" -o "$dir/x" --label zz
expect 66 "none/config.json" "$heed" predict "$dir/none"
printf 'a\tb\n' >"$dir/one.tsv"
expect 65 "all texts have the label 'a'" "$heed" train classify --recipe classic "$dir/one.tsv" -o "$dir/x"
printf 'a\tb\nc\n' >"$dir/bad.tsv"
expect 65 "bad.tsv:2: 1 column where there should be 2" "$heed" train classify --recipe classic "$dir/bad.tsv" -o "$dir/x"
: >"$dir/empty.tsv"
expect 65 "no line of data" "$heed" train classify --recipe classic "$dir/empty.tsv" -o "$dir/x"
HEED_ISA=fast expect 64 "fast" "$heed" predict "$dir/m1" "$dir/texts"
printf 'good\n\xff\xfe\n' >"$dir/latin"
expect 65 "latin:2: not UTF-8" "$heed" predict "$dir/m1" "$dir/latin"
mkdir -p "$dir/full/inside"
expect 74 "holds 'inside'" "$heed" train classify --recipe classic "$dir/small.tsv" -o "$dir/full" --epochs 1
echo x >"$dir/file"
expect 74 "there is a file of that name" "$heed" train classify --recipe classic "$dir/small.tsv" -o "$dir/file" --epochs 1

# a folder that is damaged
cp -r "$dir/m1" "$dir/cut"
head -c 1000 "$dir/m1/model.safetensors" >"$dir/cut/model.safetensors"
expect 65 "model.safetensors" "$heed" predict "$dir/cut" "$dir/texts"
cp -r "$dir/m1/." "$dir/cut"; sed -i 's/"format_version": [0-9]*/"format_version": 99/' "$dir/cut/config.json"
expect 69 "format_version 99 is newer" "$heed" predict "$dir/cut" "$dir/texts"
cp -r "$dir/m1/." "$dir/cut"; head -3 "$dir/m1/vocab.txt" >"$dir/cut/vocab.txt"
expect 65 "where config.json says" "$heed" predict "$dir/cut" "$dir/texts"
rm "$dir/cut/vocab.txt"
expect 66 "vocab.txt" "$heed" predict "$dir/cut" "$dir/texts"

# stopped: nothing new, the old model as it was
before=$(cat "$dir/m1"/* | sha256sum)
stopped_at "^Epoch" "$dir/m1" "$heed" train classify --recipe classic data/banking77/train.tsv --epochs 1000 -o "$dir/m1"
grep -q "stopped in epoch" "$dir/err" || wrong "stopped training said: $(tail -1 "$dir/err")"
[ "$before" = "$(cat "$dir/m1"/* | sha256sum)" ] || wrong "stopped training touched the old model"
"$heed" predict "$dir/m1.run/model" "$dir/texts" >/dev/null || wrong "of a stopped training the best so far was not kept"
# without a run's folder the best goes where no model is yet, and else nowhere
head -300 data/banking77/train.tsv >"$dir/part.tsv"
for out in alone m1; do
    stopped_at "^Epoch" "$dir/$out" "$heed" train classify --recipe classic "$dir/part.tsv" --epochs 100000 --run none -o "$dir/$out"
    end="nothing was saved"
    [ $out = m1 ] || end="the best so far is in $dir/alone"
    grep -q "stopped in epoch [0-9]*; $end\$" "$dir/err" || wrong "without a run's folder it said: $(tail -1 "$dir/err")"
done
[ -s "$dir/alone/config.json" ] || wrong "without a run's folder nothing was kept"
[ "$before" = "$(cat "$dir/m1"/* | sha256sum)" ] || wrong "a training stopped without a run's folder touched the old model"
"$heed" predict "$dir/m1" "$dir/texts" >/dev/full 2>"$dir/err" && wrong "a full device went unnoticed"
grep -q "could not be written" "$dir/err" || wrong "full device: $(cat "$dir/err")"
[ "$("$heed" --version)" = "heed $(grep -o '[0-9.]*' <<<"$(grep 'define HEED_VERSION' include/heed/base.h)")" ] || wrong "version"
# labels that a model knows and the data does not: the mean of those that the data has is told too
printf 'label\ttext\nalarm\tset an alarm for seven\nalarm\twhat is my account balance\n' >"$dir/few.tsv"
"$heed" test models/intent "$dir/few.tsv" >"$dir/out"
grep -q "^Macro F1: 0.3333 " "$dir/out" && grep -qx "Macro F1 of the 1 labels that these texts have: 0.6667 (1 others were answered)" "$dir/out" ||
    wrong "macro F1 of few labels: $(cat "$dir/out")"
# a model of one label is not tested on texts of several
printf '{"text": "a", "label": ["x", "y"]}\n' >"$dir/two.jsonl"
expect 65 "two.jsonl:1: several labels, where the model gives one (train --several makes one that gives several)" "$heed" test models/intent "$dir/two.jsonl"
expect 65 "two.jsonl:1: several labels, where the model gives one (train --several makes one that gives several)" "$heed" bench ablate classify "$dir/two.jsonl"
exit $failed
