#!/usr/bin/env bash
# language.sh [DIR]: makes the model that ships, models/language: 31 languages of Latin and Cyrillic letters, from made-up
# texts of recipes/language.py (PYTHON with wordfreq 3). HEED names the program (build/heed), HEED_DATA the folder of multi30k
# and clinc150 (../shared/data), on whose texts, of which it has seen none, it is tested.
set -euo pipefail
heed=${HEED:-build/heed}
source "$(dirname "$0")/data.sh"
need clinc150 multi30k
out=${1:-models/language}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" "$(dirname "$0")/language.py" "$work/train.tsv"
"$heed" train classify "$work/train.tsv" -o "$out" --recipe attend --vocab 15000 --embed 16 --epochs 4 --threads 1 --run none
du -cb "$out"/* | tail -1
{
    printf 'language\ttext\n'
    awk -F'\t' 'NR > 1 { print "en\t" $1 "\nde\t" $2 "\nfr\t" $3 "\ncs\t" $4 }' "$data/multi30k/test2016.tsv"
} >"$work/multi30k.tsv"
{
    printf 'language\ttext\n'
    awk -F'\t' 'NR > 1 { print "en\t" $3 }' "$data/clinc150/test.tsv"
} >"$work/clinc150.tsv"
for test in multi30k clinc150; do
    echo "$test"
    "$heed" test "$out" "$work/$test.tsv" | grep -E 'Accuracy|Calibration'
done
