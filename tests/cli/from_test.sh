#!/usr/bin/env bash
# A training that starts from a model of another kind takes what fits, says what, and refuses in a sentence what cannot be.
set -uo pipefail
. tests/cli/program.sh
people=tests/cli/data/people.conll
(head -1 data/banking77/train.tsv; awk 'NR > 1 && NR % 40 == 0' data/banking77/train.tsv) >"$dir/d.tsv"
awk -F'\t' 'NR == 1 { print "a\tb"; next } NR % 3 == 0 { print $1 "\t" $2 }' "$dir/d.tsv" >"$dir/pairs.tsv"
quick=(--epochs 1 --run none --seed 2 --threads 1)
learn() { "$heed" train "$@" "${quick[@]}" >"$dir/log" 2>&1 || wrong "train $*: $(tail -1 "$dir/log")"; }
learn classify "$dir/d.tsv" --recipe classic --bidirectional --embed 16 --hidden 16 -o "$dir/classic"
learn classify "$dir/d.tsv" --recipe encoder --embed 16 --layers 1 --heads 2 --tokenizer bpe --vocab 400 -o "$dir/tokens"
learn classify "$dir/d.tsv" --recipe attend --embed 16 -o "$dir/attend"
cp -r "$dir/tokens" "$dir/piped"
rm "$dir/piped/tokenizer.json"
mkfifo "$dir/piped/tokenizer.json"
expect 74 "tokenizer.json: is not a regular file" "$heed" predict "$dir/piped" "$dir/d.tsv"
learn pairs "$dir/pairs.tsv" --recipe encoder --embed 16 --layers 1 --heads 2 -o "$dir/encoder"
learn pairs "$dir/pairs.tsv" --embed 16 --buckets 512 -o "$dir/match"
learn tag "$people" --hidden 8 --embed 16 --features 8 --field 4 --buckets 256 -o "$dir/lstm"
learn tag "$people" --recipe encoder --hidden 8 --heads 2 --layers 1 --embed 12 --features 8 --field 4 --buckets 256 -o "$dir/tagger"

# takes MODEL 'what is said' train...
takes() {
    local model=$1 text=$2; shift 2
    "$heed" train "$@" --from "$dir/$model" -o "$dir/x" "${quick[@]}" >"$dir/log" 2>&1 || wrong "$* from $model: $(tail -1 "$dir/log")"
    grep -q "^$dir/$model: $text" "$dir/log" || wrong "$* from $model said: $(grep "^$dir/$model" "$dir/log")"
}
whole="words and layers are taken"
takes encoder "$whole; the head begins anew" classify "$dir/d.tsv"
takes match "$whole; the head begins anew" classify "$dir/d.tsv"
takes classic "$whole, the head too" classify "$dir/d.tsv"
takes attend "vectors of [0-9]* of [0-9]* words are taken; the rest begins anew" classify "$dir/d.tsv" --recipe classic
takes tokens "vectors of [0-9]* of [0-9]* words are taken; the rest begins anew" classify "$dir/d.tsv" --recipe attend
takes lstm "vectors of [0-9]* of [0-9]* words and the LSTM are taken" classify "$dir/d.tsv"
takes tagger "vectors of [0-9]* of [0-9]* words and the encoder's layers are taken" classify "$dir/d.tsv"
takes classic "$whole" pairs "$dir/pairs.tsv"
takes lstm "vectors of [0-9]* of [0-9]* words and the LSTM are taken" pairs "$dir/pairs.tsv"
takes match "vectors of 46 of 46 words are taken; the rest" tag "$people" --buckets 256
takes tokens "vectors of 46 of 46 words and the encoder's layers are taken" tag "$people" --buckets 256
takes lstm "$whole, what scores the tags too" tag "$people"
takes lstm "vectors of 46 of 46 words are taken; the rest" tag "$people" --recipe encoder --hidden 8 --heads 2 --buckets 256
# a body that is taken and frozen is the very body
learn classify "$dir/d.tsv" --from "$dir/encoder" --freeze -o "$dir/frozen"
cut -f2 "$dir/d.tsv" | head -9 >"$dir/texts"
cmp -s <("$heed" embed "$dir/encoder" "$dir/texts") <("$heed" embed "$dir/frozen" "$dir/texts") || wrong "a frozen body has other vectors than the model it came from"
[ "$(HEED_LANG=zh "$heed" train pairs "$dir/pairs.tsv" --from "$dir/lstm" -o "$dir/x" "${quick[@]}" 2>/dev/null | grep -c 'lstm：取用了 .* 个词中 .* 个的向量，以及 LSTM；其余重新开始')" = 1 ] || wrong "not said in Chinese"

expect 69 "attend: the recipe 'match' can only start from a model of its own" "$heed" train pairs "$dir/pairs.tsv" --recipe match --from "$dir/attend" -o "$dir/no"
expect 69 "freeze needs a model of the same recipe" "$heed" train classify "$dir/d.tsv" --freeze --from "$dir/lstm" -o "$dir/no"
expect 64 "the model to start from reads at most 256 words at once, not 300" "$heed" train classify "$dir/d.tsv" --from "$dir/encoder" --max-len 300 -o "$dir/no"
expect 64 "the model to start from reads at most 256 words at once, not 300" "$heed" train pairs "$dir/pairs.tsv" --from "$dir/encoder" --max-len 300 -o "$dir/no"
expect 69 "with a tokenizer there is no table of words" "$heed" train classify "$dir/d.tsv" --recipe encoder --tokenizer bpe --from "$dir/classic" -o "$dir/no"
expect 64 "classic: its words have vectors of 16 numbers, not 20" "$heed" train tag "$people" --from "$dir/classic" --embed 20 -o "$dir/no"
expect 64 "attend: its words have vectors of 16 numbers, not 20" "$heed" train classify "$dir/d.tsv" --recipe classic --from "$dir/attend" --embed 20 -o "$dir/no"
echo "x O" >"$dir/one"; printf 'q B-A\nq I-A\n' >>"$dir/one"
expect 65 "classic: none of its words is in the training texts" "$heed" train tag "$dir/one" --valid-part 0 --from "$dir/classic" -o "$dir/no"
mkdir "$dir/other"; echo '{"format_version": 1, "task": "draw"}' >"$dir/other/config.json"
expect 69 "a model for the task 'draw', which none can start from" "$heed" train tag "$people" --from "$dir/other" -o "$dir/no"
expect 66 "none/config.json" "$heed" train pairs "$dir/pairs.tsv" --from "$dir/none" -o "$dir/no"
sed -i 's/"heads": *4/"heads": 3/' "$dir/classic/config.json"
expect 65 "$dir/classic/config.json: " "$heed" train tag "$people" --from "$dir/classic" -o "$dir/no"
expect 65 "$dir/classic/config.json: " "$heed" predict "$dir/classic" "$dir/texts"
[ -e "$dir/no" ] && wrong "a refused --from left a model"
exit $failed
