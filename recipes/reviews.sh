#!/usr/bin/env bash
# reviews.sh [SEED...]: the published recipe for film reviews (embedding 64, LSTM 64, self-attention, Adam, batch 64; 10,000 words,
# the last 128 of each text, one epoch) on imdb, tested once for each seed (1 2 3). WHOLE=1: the same model on whole reviews (1,500
# words), with vectors learnt from the training part's own text, dropout and an adversary; a tenth held out chooses of 4 epochs.
# HEED names the program (build/heed), HEED_DATA the folder of the sets (../shared/data).
set -euo pipefail
export HEED_LANG=en # what is read below
heed=${HEED:-build/heed}
source "$(dirname "$0")/sets.sh"
need imdb
for each in train test; do read_in "imdb/$each.tsv" >"$work/$each.tsv"; done
more=() name="imdb, lstm-attention"
if [ -n "${WHOLE:-}" ]; then
    "$heed" train vectors "$work/train.tsv" --text text -o "$work/imdb.vec" --dim 64 >"$work/log" </dev/null
    more=(--max-len 1500 --epochs 4 --dropout 0.5 --adv fgm --vectors "$work/imdb.vec" --valid-part 0.1) name="imdb, lstm-attention, whole"
fi
for seed in "${@:-1 2 3}"; do printf '%s\n' $seed; done >"$work/seeds"
while read -r seed; do
    start=$SECONDS
    "$heed" train classify "$work/train.tsv" --text text --label label -o "$work/model" --seed "$seed" \
        --recipe lstm-attention --run none "${more[@]}" >"$work/log" </dev/null
    answer=$("$heed" test "$work/model" "$work/test.tsv" --text text --label label --json </dev/null)
    echo "$name seed $seed $((SECONDS - start)) s loss $(number loss <<<"$answer") accuracy $(number accuracy <<<"$answer")"
done <"$work/seeds" | tee "$work/lines"
awk -v name="$name" '{ s += $NF; n++ } END { printf "%s: accuracy %.2f %%, mean of %d\n", name, 100 * s / n, n }' "$work/lines"
