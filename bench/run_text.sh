#!/usr/bin/env bash
# run_text.sh FILE [TEXTS]: the recipe attend beside fastText on the same label<TAB>text lines (a header first), one thread, by processor time:
# words a second of training (all passes, everything counted from reading to saving), texts a second of answers, peak memory, accuracy
# on the last tenth. PYTHON names an interpreter with fasttext (fasttext-wheel).
set -euo pipefail
file=$1 texts=${2:-1000000}
heed=${HEED:-build/heed}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
head -n $((texts + 1)) "$file" >"$work/all.tsv"
cut=$(((texts * 9) / 10))
head -n $((cut + 1)) "$work/all.tsv" >"$work/train.tsv"
{ head -n 1 "$work/all.tsv"; tail -n +$((cut + 2)) "$work/all.tsv"; } >"$work/test.tsv"
words=$(tail -n +2 "$work/train.tsv" | cut -f 2- | wc -w)
passes=3
times() { /usr/bin/env bash -c 'TIMEFORMAT="%U %S"; time "$@" >/dev/null 2>&1' _ "$@" 2>&1 | tail -n 1 | awk '{ print $1 + $2 }'; }
spent=$(times "$heed" train classify "$work/train.tsv" --text text --label label -o "$work/m" --recipe attend --epochs $passes --valid-part 0 --threads 1 --run none)
answer=$(times "$heed" test "$work/m" "$work/test.tsv" --text text --label label --threads 1)
right=$("$heed" test "$work/m" "$work/test.tsv" --text text --label label --json | sed -E 's/.*"accuracy": *([0-9.]+).*/\1/')
awk -v w="$words" -v p=$passes -v s="$spent" -v n="$(tail -n +2 "$work/test.tsv" | wc -l)" -v a="$answer" -v r="$right" 'BEGIN {
    printf "heed attend: %.0f words/s, %.0f texts/s with their bootstrap, accuracy %s\n", w * p / s, n / a, r }'
"${PYTHON:-/usr/bin/python3}" "$(dirname "$0")/text_peers.py" "$file" "$texts"
