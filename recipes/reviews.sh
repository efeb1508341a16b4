#!/usr/bin/env bash
# reviews.sh [SEED...]: the published recipe for film reviews (embedding 64, LSTM 64, self-attention, Adam, batch 64; 10,000 words,
# the last 128 of each text, one epoch) on imdb, tested once for each seed (1 2 3).
# HEED names the program (build/heed), HEED_DATA the folder of the sets (../shared/data).
set -euo pipefail
export HEED_LANG=en # what is read below
heed=${HEED:-build/heed}
data=${HEED_DATA:-../shared/data}/imdb
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for seed in "${@:-1 2 3}"; do printf '%s\n' $seed; done >"$work/seeds"
while read -r seed; do
    start=$SECONDS
    "$heed" train classify "$data/train.tsv.zst" --text text --label label -o "$work/model" --seed "$seed" \
        --recipe lstm-attention --run none >"$work/log" </dev/null
    "$heed" test "$work/model" "$data/test.tsv.zst" --text text --label label --json </dev/null |
        sed -E "s/.*\"loss\": *([0-9.e-]+).*\"accuracy\": *([0-9.e-]+).*/imdb, lstm-attention seed $seed $((SECONDS - start)) s loss \1 accuracy \2/"
done <"$work/seeds" | tee "$work/lines"
awk '{ s += $NF; n++ } END { printf "imdb, lstm-attention: accuracy %.2f %%, mean of %d\n", 100 * s / n, n }' "$work/lines"
