#!/usr/bin/env bash
# Training one can trust: held-out data, the best epoch kept, early stop, a run stopped and resumed with the very weights of one
# that was not, its logs, and what is refused.
set -uo pipefail
. tests/cli/program.sh
(head -1 data/banking77/train.tsv; awk 'NR > 1 && NR % 20 == 0' data/banking77/train.tsv) >"$dir/d.tsv"
common=(train classify --recipe classic "$dir/d.tsv" --seed 3 --max-len 24 --lr 0.01)
train() { "$heed" "${common[@]}" "$@"; }

# a line for each epoch, of the data held out; the epoch that was best on it is the model
train -o "$dir/a" --epochs 6 --ema 0.9 >"$dir/log" 2>/dev/null || wrong "train: $(cat "$dir/log")"
[ "$(grep -c '^Epoch \[[1-6]/6\], Loss: [0-9.]*, Acc: [0-9.]*$' "$dir/log")" = 6 ] || wrong "epochs: $(cat "$dir/log")"
grep -q "^held out: 50 of 500 texts by label, drawn by the seed$" "$dir/log" || wrong "it was not said what is held out"
best=$(grep -o 'Acc: .*' "$dir/log" | sort -k2 -rn | head -1 | cut -d' ' -f2)
[ "$(grep -c '"event":"epoch"' "$dir/a.run/log.jsonl")" = 6 ] || wrong "log.jsonl: $(cat "$dir/a.run/log.jsonl")"
grep -q '"event":"end","why":"done","epochs":6,' "$dir/a.run/log.jsonl" || wrong "log.jsonl has no end"
[ -s "$dir/a.run/events.out.tfevents.heed" ] || wrong "no events"
[ -e "$dir/a.run/checkpoint" ] && wrong "a checkpoint outlived its run"
# vectors of words: how much memory is told before the first step
"$heed" train vectors "$dir/d.tsv" -o "$dir/words.vec" --dim 16 >"$dir/log" 2>&1 || wrong "vectors: $(cat "$dir/log")"
grep -q "^memory: at most [0-9.]* MB$" "$dir/log" || wrong "vectors: $(cat "$dir/log")"
# held out by hand, the model's accuracy is the one told
awk 'NR == 1 || NR % 7' "$dir/d.tsv" >"$dir/l.tsv"; awk 'NR == 1 || NR % 7 == 0' "$dir/d.tsv" >"$dir/v.tsv"
"$heed" train classify --recipe classic "$dir/l.tsv" --valid "$dir/v.tsv" -o "$dir/v" --epochs 6 --lr 0.02 --max-len 24 >"$dir/log" 2>/dev/null || wrong "valid: $(cat "$dir/log")"
best=$(grep -o 'Acc: .*' "$dir/log" | sort -k2 -rn | head -1 | cut -d' ' -f2)
"$heed" test "$dir/v" "$dir/v.tsv" | said "Test Accuracy: $best" || wrong "the best epoch, $best, is not the model"
# nothing held out: the loss of what is learnt
train -o "$dir/n" --epochs 1 --valid-part 0 --run none >"$dir/log" 2>/dev/null
grep -q '^Epoch \[1/1\], Loss: [0-9.]*$' "$dir/log" || wrong "without held-out data: $(cat "$dir/log")"
[ -e "$dir/n.run" ] && wrong "--run none made a folder"
grep -q "^held out: nothing; the weights of the last epoch are kept$" "$dir/log" || wrong "nothing was held out: $(cat "$dir/log")"
printf 'a\thello there\nb\tgood bye\na\thello you\n' >"$dir/few.tsv" # a tenth of three is none
"$heed" train classify "$dir/few.tsv" -o "$dir/n" --epochs 1 --run none >"$dir/log" 2>/dev/null
grep -q "^held out: nothing;" "$dir/log" || wrong "a tenth of three texts: $(cat "$dir/log")"

# stopped before the first step
stopped_at "^held out" "$dir/early" "$heed" train classify data/banking77/train.tsv -o "$dir/early" --threads 1
tail -1 "$dir/err" | said -E "stopped( before its first step; nothing was saved| in epoch 1; )" || wrong "stopped early: $(tail -1 "$dir/err")"

# early stop: with a rate of nearly nothing no epoch is better than the first, or few are
train -o "$dir/p" --epochs 50 --lr 1e-9 --patience 2 >"$dir/log" 2>/dev/null
[ "$(grep -c '^Epoch' "$dir/log")" -lt 12 ] || wrong "patience 2 went on for $(grep -c '^Epoch' "$dir/log") epochs"
grep -q '"why":"patience"' "$dir/p.run/log.jsonl" || wrong "early stop is not in the log"
train -o "$dir/t" --epochs 100000 --seconds 0.3 >"$dir/log" 2>/dev/null || wrong "--seconds: $(cat "$dir/log")"
grep -q '"why":"time"' "$dir/t.run/log.jsonl" || wrong "a time limit is not in the log"

# stopped at three moments, in the middle of an epoch as a rule, and resumed each time: the very weights
train -o "$dir/w" --epochs 60 --ema 0.9 --run none >"$dir/log" 2>&1 || wrong "train: $(tail -1 "$dir/log")"
for epoch in 2 20 40; do
    [ $epoch = 2 ] || more=--resume
    stopped_at "^Epoch .$epoch/60" "$dir/b" "$heed" "${common[@]}" -o "$dir/b" --epochs 60 --ema 0.9 ${more:-}
    grep -q "has what a resume needs; the best so far is in $dir/b.*--resume goes on" "$dir/err" || wrong "stopped: $(tail -1 "$dir/err")"
    "$heed" predict "$dir/b" <<<"my card" >/dev/null 2>&1 || wrong "the best so far does not open"
done
cp -r "$dir/b.run" "$dir/again.run"; train -o "$dir/again" --epochs 1 >"$dir/log" 2>&1
grep -q "again.run: the training that was stopped there begins anew: it is not gone on with" "$dir/log" ||
    wrong "a stopped training was thrown away in silence: $(head -3 "$dir/log")"
for left in parts pretrain/checkpoint; do # of a training of several, of the language learnt first
    mkdir -p "$dir/left.run/$left"; echo '{}' >"$dir/left.run/$left/state.json"
    train -o "$dir/left" --epochs 1 >"$dir/log" 2>&1
    grep -q "left.run: the training that was stopped there begins anew" "$dir/log" || wrong "$left was thrown away in silence: $(head -3 "$dir/log")"
    rm -r "$dir/left.run"
done
train -o "$dir/b" --epochs 60 --ema 0.9 --resume >"$dir/log" 2>"$dir/err" || wrong "resume: $(cat "$dir/err")"
cmp -s "$dir/w/model.safetensors" "$dir/b/model.safetensors" || wrong "a resumed run has other weights than one that was not stopped"
[ "$(grep -c '"event":"epoch"' "$dir/b.run/log.jsonl")" = 60 ] || wrong "the log of a resumed run lacks epochs or has them twice"
[ -e "$dir/b.run/checkpoint" ] && wrong "a checkpoint outlived its run"
expect 66 "there is no training to go on with" train -o "$dir/b" --epochs 60 --resume
# a resume with other settings or data is none
stopped_at "^Epoch" "$dir/c" "$heed" "${common[@]}" -o "$dir/c" --epochs 1000
expect 64 "was made with other data or settings" train -o "$dir/c" --epochs 1000 --dropout 0.1 --resume
for o in "--clip 2" "--schedule linear" "--label-smoothing 0.1" "--pooling max" "--cut"; do
    # shellcheck disable=SC2086
    expect 64 "was made with other data or settings" train -o "$dir/c" --epochs 1000 $o --resume
done
expect 64 "was made with other data or settings" "$heed" train classify --recipe classic "$dir/l.tsv" --seed 3 --max-len 24 --lr 0.01 -o "$dir/c" --epochs 1000 --resume

# of several trainings: killed without a word, then stopped, it goes on; what is finished is told and not done again
few=(train classify --recipe classic "$dir/d.tsv" --seed 3 --max-len 24 --lr 0.01 --epochs 3)
"$heed" "${few[@]}" --curve -o "$dir/whole" >"$dir/whole.log" 2>"$dir/err" || wrong "curve: $(cat "$dir/err")"
begin "^curve: " "$heed" "${few[@]}" --curve -o "$dir/cut"; stop KILL
if [ ! -e "$dir/cut/config.json" ]; then
    [ -s "$dir/cut.run/parts/state.json" ] || wrong "a killed curve kept nothing"
    "$heed" "${few[@]}" --curve -o "$dir/cut" --resume >"$dir/log" 2>"$dir/err" || wrong "curve, resumed: $(cat "$dir/err")"
fi
cmp -s "$dir/whole/model.safetensors" "$dir/cut/model.safetensors" || wrong "a resumed curve has another model"
[ "$(grep ^curve "$dir/whole.log")" = "$(grep ^curve "$dir/log")" ] || wrong "a resumed curve is another one: $(cat "$dir/log")"
[ -e "$dir/cut.run/parts" ] && wrong "parts outlived their run"
stopped_at "^trial 2" "$dir/s" "$heed" "${few[@]}" --search 1h -o "$dir/s"
grep -q "$dir/s.run has what a resume needs; the best so far is in $dir/s; .*--resume goes on" "$dir/err" || wrong "a stopped search said: $(cat "$dir/err")"
"$heed" runs "$dir/s.run" | said "  stopped; " || wrong "a stopped search is not listed as one: $("$heed" runs "$dir/s.run")"
# refused, another one takes nothing of it and says nothing of beginning
cp -r "$dir/s.run" "$dir/s.was"
refused() { # status, part of the sentence, options
    local status=$1 text=$2; shift 2
    expect "$status" "$text" "$heed" train classify "$dir/d.tsv" -o "$dir/x" --run "$dir/s.run" "$@"
    diff -r "$dir/s.run" "$dir/s.was" >/dev/null || wrong "$* was refused and took what a stopped search had"
    grep -q "begins anew" "$dir/out" && wrong "$* was refused and said that it begins"
    expect "$status" "$text" "$heed" train classify "$dir/d.tsv" -o "$dir/x" --run "$dir/x.run" "$@"
    [ -e "$dir/x.run" ] && wrong "$* was refused and left a run"
}
cut -f1 "$dir/d.tsv" >"$dir/u.txt"
refused 64 'd_model 128 does not divide into 7 heads' --search 1h --recipe encoder --heads 7
refused 65 'neither an object nor a list' --search 1h --recipe encoder --tokenizer "$dir/d.tsv"
refused 65 "d.tsv:1: 'text' is no number" --curve --vectors "$dir/d.tsv"
refused 64 '2 heads are no multiple of 3 key heads' --curve --recipe classic --embed 10 --hidden 10 --heads 2 --kv-heads 3
refused 64 'd_model 128 does not divide into 7 heads' --unlabeled "$dir/u.txt" --recipe encoder --heads 7
# accepted, whichever it is, it begins anew and says so once
for o in "--search 1s" --curve "--unlabeled $dir/u.txt"; do
    rm -rf "$dir/x.run"; cp -r "$dir/s.was" "$dir/x.run"
    # shellcheck disable=SC2086
    train -o "$dir/x" --epochs 1 $o >"$dir/log2" 2>"$dir/err" || wrong "$o in a stopped search's place: $(cat "$dir/err")"
    [ "$(cat "$dir/log2" "$dir/err" | grep -c "x.run: the training that was stopped there begins anew")" = 1 ] ||
        wrong "$o threw a stopped search away and said $(cat "$dir/log2" "$dir/err")"
done
rm -r "$dir/s.was" "$dir/x.run"
"$heed" "${few[@]}" --search 1s -o "$dir/s" --resume >"$dir/log2" 2>"$dir/err" || wrong "search, resumed: $(cat "$dir/err")"
[ "$(grep "^trial" "$dir/log")" = "$(grep "done before$" "$dir/log2" | sed 's/, done before$//')" ] || wrong "a resumed search forgot trials: $(cat "$dir/log2")"
grep -q '<h2>Trials</h2>' "$dir/s.run/report.html" || wrong "the report of a search lacks its trials"
grep -q '"trial": 1,' "$dir/s.run/trials.jsonl" || wrong "trials.jsonl of a resumed search lacks the first trial"
"$heed" runs "$dir/s.run" >"$dir/out" 2>&1 || wrong "no run is listed of a search: $(cat "$dir/out")"
expect 66 "there is no search to go on with" "$heed" "${few[@]}" --search 1s -o "$dir/s" --resume
"$heed" train classify "$dir/d.tsv" --search 1s --epochs 1 -o "$dir/at" >"$dir/log" 2>"$dir/err" || wrong "a search whose best keeps no words: $(cat "$dir/err")"
grep -q "^kept: settings [0-9]" "$dir/log" || wrong "which settings a search kept went unsaid: $(cat "$dir/log")"
[ -s "$dir/at/config.json" ] || wrong "a search saved no model: $(cat "$dir/log")"

for task in classify pairs tag; do
    expect 64 "heed train $task: --run wants a name, not ''" "$heed" train $task none -o "$dir/x" --run ''
done
expect 64 "--search, --curve, --augment and --unlabeled go one at a time" train -o "$dir/x" --search 1s --curve
expect 64 "no optimizer 'adamax'" train -o "$dir/x" --optimizer adamax
expect 64 "no schedule 'steep'" train -o "$dir/x" --schedule steep
expect 64 "no recipe 'bert'; there are attend, classic, encoder, encoder-base, lstm-attention, match" \
    "$heed" train classify "$dir/none" -o "$dir/x" --recipe bert # before any data are read
expect 64 "--keep is head or tail" train -o "$dir/x" --keep middle
expect 64 "--layers does nothing for the recipe attend; it is for: classic, encoder" "$heed" train classify none.tsv -o "$dir/x" --layers 2
expect 64 "--bidirectional does nothing for the recipe encoder" "$heed" train classify none.tsv -o "$dir/x" --recipe encoder-base --bidirectional
expect 64 "--heads does nothing for the recipe match; it is for: attend, classic, encoder" "$heed" train classify none.tsv -o "$dir/x" --recipe match --heads 2
expect 64 "--tokenizer does nothing for the recipe classic" "$heed" train classify none.tsv -o "$dir/x" --recipe lstm-attention --tokenizer bpe
for o in "--adv-size 2:--adv" "--pretrain-epochs 2:--pretrain" "--keep head:--cut" "--analysis mood:--from-feedback"; do
    expect 64 "${o%% *} does nothing without ${o#*:}" "$heed" train classify none.tsv -o "$dir/x" ${o%:*}
done
# a task's help has the options that it takes, and no others
for o in several label-sep hierarchy balanced label-smoothing search curve unlabeled augment from-feedback analysis; do
    "$heed" train classify --help | said "^  --$o " || wrong "--$o is not in the help of train classify"
    "$heed" train score --help | said "^  --$o " && wrong "--$o is in the help of train score"
done
"$heed" train score --help | said "^  --loss L .*huber" || wrong "--loss is not in the help of train score"
"$heed" train classify --help | said "^  --loss " && wrong "--loss is in the help of train classify"
expect 64 "heed train score: --label-smoothing is for labels" "$heed" train score none.tsv -o "$dir/x" --label-smoothing 0.1
expect 66 "none.tsv" train -o "$dir/x" --valid "$dir/none.tsv"
for o in "--optimizer adamw --weight-decay 0.01" "--optimizer sgd --lr 0.1" "--schedule linear --warmup 0.2" "--schedule plateau" \
    "--schedule inv_sqrt --warmup 0.3" "--label-smoothing 0.1 --balanced" "--keep head --cut --max-len 4" "--attention additive --bidirectional"; do
    # shellcheck disable=SC2086
    train -o "$dir/x" --epochs 1 --run none $o >"$dir/log" 2>&1 || wrong "$o: $(tail -1 "$dir/log")"
done
# another model's words and weights, its head alone learnt: what is below stays as it was
train -o "$dir/f" --from "$dir/a" --freeze --epochs 1 --run none >"$dir/log" 2>&1 || wrong "from: $(tail -1 "$dir/log")"
cmp -s "$dir/a/vocab.txt" "$dir/f/vocab.txt" || wrong "--from has other words"
cmp -s "$dir/a/model.safetensors" "$dir/f/model.safetensors" && wrong "--from --freeze learnt nothing"
exit $failed
