#!/usr/bin/env bash
# intent.sh [DIR]: makes the model that ships, models/intent: 226 intents of what bank customers (banking77) and users of an
# assistant (clinc150) write. HEED names the program (build/heed), HEED_DATA the folder of clinc150 (../shared/data).
set -euo pipefail
heed=${HEED:-build/heed}
source "$(dirname "$0")/data.sh"
need clinc150
out=${1:-models/intent}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
clinc() { awk -F'\t' 'NR > 1 && $1 != "oos" { print $1 "\t" $3 }' "$data/clinc150/$1.tsv"; }
{
    printf 'intent\ttext\n'
    tail -n +2 data/banking77/train.tsv
    clinc train
} >"$work/train.tsv"
{ printf 'intent\ttext\n'; clinc test; } >"$work/clinc150.tsv"
"$heed" train classify "$work/train.tsv" -o "$out" --recipe attend --vocab 12000 --embed 48 --run none
du -cb "$out"/* | tail -1
for test in data/banking77/test.tsv "$work/clinc150.tsv"; do
    "$heed" test "$out" "$test" | grep -v ' x '
done
