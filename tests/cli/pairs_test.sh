#!/usr/bin/env bash
# Pairs of texts from file to vectors: `heed train pairs`, `heed embed` in every form of output, `heed test`.
set -uo pipefail
. tests/cli/program.sh
cd "$dir" || exit 1

{ printf 'question\tanswer\n'
  for n in 1 2 3; do for c in red green blue; do for t in cat tree house; do
      printf 'a %s %s, %s\tsome %sish %s here\n' $c $t $n $c $t; done; done; done; } >p.tsv
train() { "$heed" train pairs p.tsv --recipe classic --epochs 8 --batch 9 --lr 0.01 --embed 16 --hidden 16 --heads 2 \
    --valid-part 0 --run none "$@" >log 2>err || wrong "train pairs $*: $(cat err)"; }
train -o m1 --threads 1 --test p.tsv
grep -q "p.tsv: 27 pairs; tab-separated; text from column 'question', text2 from column 'answer'" log || wrong "not said: $(cat log)"
grep -q "each ranks 9 different second texts" log || wrong "no test: $(cat log)"
grep -q "^held out: nothing;" log || wrong "nothing was held out"
train -o m2 --valid-part 0.2
grep -q "^held out: 5 of 27 pairs, drawn by the seed$" log || wrong "it was not said what is held out: $(cat log)"
train -o m2 --threads 2
cmp -s m1/model.safetensors m2/model.safetensors || wrong "two threads give another model"
HEED_ISA=scalar train -o m3 --threads 1
cmp -s m1/model.safetensors m3/model.safetensors || wrong "scalar kernels give another model"
"$heed" test m1 p.tsv --json | said '"n": 27, "candidates": 9' || wrong "test --json"
[ "$("$heed" test m1 p.tsv --json)" = "$("$heed" test m1 p.tsv --json --threads 2)" ] || wrong "test depends on threads"

# a setting in config.json that cannot be is a wrong file
cp -r m1 mbad; sed -i 's/"heads": 2/"heads": 3/' mbad/config.json
expect 65 "3 heads are no multiple of 2 key heads" "$heed" embed mbad p.tsv

# stopped and gone on with: the very weights of a training that was not
long=(train pairs p.tsv --recipe classic --epochs 1200 --batch 9 --lr 0.01 --embed 16 --hidden 16 --heads 2 --valid-part 0)
"$heed" "${long[@]}" -o straight --run none >/dev/null 2>&1
stopped_at "^Epoch .2/" go "$heed" "${long[@]}" -o go
"$heed" "${long[@]}" -o go --resume >log 2>err || wrong "resume: $(cat err)"
cmp -s go/model.safetensors straight/model.safetensors || wrong "a resumed training of pairs has other weights"

# verdicts: pairs with 0 are left out of training, and answers are ranked within their questions
awk -F'\t' 'NR == 1 { print $0 "\tlabel" } NR > 1 { print $0 "\t1"; print $1 "\tsomething else\t0" }' p.tsv >v.tsv
"$heed" train pairs v.tsv -o mv --recipe classic --epochs 1 --run none >log 2>err || wrong "verdicts: $(cat err)"
grep -q "27 of them belong together (label 1); the others are left out" log || wrong "verdicts were not said: $(cat log)"
"$heed" test m1 v.tsv --json | said '"within": {"queries": 27, ' || wrong "no figures within questions"

# labels that are no verdicts: refused of a chosen column, said of a guessed one
sed 's/\t0$/\tno/; s/\t1$/\tyes/' v.tsv >w.tsv
expect 65 "w.tsv:2: the label of a pair is 1 or 0, not 'yes'" "$heed" train pairs w.tsv -o mw --label label --run none
expect 65 "w.tsv:2: the label of a pair is 1 or 0, not 'yes'" "$heed" test m1 w.tsv --label label
grep -v $'\t1$' v.tsv >0.tsv
expect 65 "0.tsv: no pair has the label 1" "$heed" train pairs 0.tsv -o mw --label label --run none
expect 65 "0.tsv: no pair has the label 1" "$heed" train pairs 0.tsv -o mw --run none
expect 65 "0.tsv: no pair has the label 1" "$heed" test m1 0.tsv --json
"$heed" train pairs w.tsv -o mw --recipe classic --epochs 1 --run none >log 2>err || wrong "labels that are no verdicts: $(cat err)"
grep -q "w.tsv: labels are not 1 and 0 but such as 'yes': passed over" log || wrong "labels were passed over in silence: $(cat log)"
"$heed" test m1 w.tsv | said "not 1 and 0 but such as 'yes'" || wrong "the test passed over labels in silence"
expect 0 "w.tsv: labels are not 1 and 0 but such as 'yes'" "$heed" test m1 w.tsv --json # beside what a program reads
said '^{"n": ' <out || wrong "labels that are passed over stand in the JSON: $(cat out)"
printf 'question\tanswer\tlabel\na\tb\tx%s\nc\td\t1\n' "$(printf '长%.0s' {1..30})" | "$heed" test m1 - >out || wrong "a long label"
grep -q "^standard input: 2 pairs" out && grep -q "^standard input: labels are not 1 and 0 but such as 'x.*?'" out &&
    iconv -f utf-8 -t utf-8 out >/dev/null || wrong "a long label on standard input: $(cat -v out)"

# every form of output holds the same numbers
tail -n +2 p.tsv | cut -f1 >lines
"$heed" embed m1 lines >plain 2>err || wrong "embed: $(cat err)"
[ "$(wc -l <plain)" = 27 ] || wrong "embed gave $(wc -l <plain) lines"
"$heed" embed m1 lines --json | sed 's/{"vector": \[//; s/\]}//; s/,//g' | cmp -s - plain || wrong "--json holds other numbers"
"$heed" embed m1 <lines | cmp -s - plain || wrong "standard input gives other numbers"
"$heed" embed m1 p.tsv --text question | cmp -s - plain || wrong "a column gives other numbers"
[ "$(first_answer "$(head -1 lines)" "$heed" embed m1)" = "$(head -1 plain)" ] || wrong "the vector of a pipe's first line waits for the next"
gzip -c lines | "$heed" embed m1 - --threads 2 | cmp -s - plain || wrong "packed lines give other numbers"
"$heed" embed m1 lines -o v.npy >log || wrong "embed -o: $(cat log)"
grep -q "v.npy: 27 vectors of 16 numbers" log || wrong "npy was not said: $(cat log)"
[ "$(wc -c <v.npy)" = $((128 + 27 * 16 * 4)) ] || wrong "v.npy has $(wc -c <v.npy) bytes"
head -c 128 v.npy | tail -c 118 | said "'descr': '<f4', 'fortran_order': False, 'shape': (27, 16)" || wrong "the header of v.npy"
"$heed" embed m1 lines -o v.safetensors >log && tail -c $((27 * 16 * 4)) v.safetensors | cmp -s - <(tail -c +129 v.npy) ||
    wrong "v.safetensors holds other numbers"

# a classifier's own vectors; a model of another task
awk -F'\t' 'NR > 1 { split($1, w, " "); print w[2] "\t" $1 }' p.tsv >c.tsv
"$heed" train classify --recipe classic c.tsv -o mc --epochs 1 --run none >log 2>err || wrong "classify: $(cat err)"
[ "$("$heed" embed mc lines | wc -l)" = 27 ] || wrong "a classifier gave no vectors"
"$heed" info m1 | said "m1: embedder, vectors of 16 numbers" || wrong "info: $("$heed" info m1 2>&1)"
expect 69 "embed" "$heed" predict m1 lines
expect 69 "--attack is for classifiers" "$heed" test m1 p.tsv --attack typo
expect 69 "--context is for classifiers, not for embedders" "$heed" test m1 p.tsv --context answer
expect 64 "--context does not go with --text2" "$heed" test m1 p.tsv --context answer --text2 answer
expect 64 "-o FILE ends in .npy or .safetensors" "$heed" embed m1 lines -o v.txt
expect 66 "none: " "$heed" embed m1 none
printf 'a\n\xff\n' >bad; expect 65 "bad:2: not UTF-8" "$heed" embed m1 bad
[ "$(wc -l <out)" = 1 ] || wrong "the text before a wrong line has no vector"
printf 'one column\n' >bad; expect 66 "bad:1:" "$heed" train pairs bad -o x
expect 64 "-o DIR is needed" "$heed" train pairs p.tsv
expect 64 "--buckets does nothing for the recipe classic; it is for: match" "$heed" train pairs p.tsv -o x --recipe classic --buckets 64
expect 64 "--heads does nothing for the recipe match" "$heed" train pairs p.tsv -o x --heads 2
expect 66 "no column 'zz'" "$heed" train pairs p.tsv -o x --text2 zz
[ ! -e x ] || wrong "a wrong file left a folder"

# stopped and resumed: the very model
stopped_at "^Epoch .2/" s1 "$heed" train pairs p.tsv -o s1 --recipe classic --epochs 40000 --run r --seconds 0
"$heed" embed s1 lines >/dev/null 2>err || wrong "the best so far was not saved: $(cat err)"
exit $failed
