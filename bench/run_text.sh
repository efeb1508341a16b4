#!/usr/bin/env bash
# run_text.sh FILE [TEXTS] [heed|peer]: the recipe attend beside fastText on the same label<TAB>text lines (a header first), one
# thread, by processor time: words a second of training (all passes, everything counted from reading to saving), texts a second of
# answers, peak memory, accuracy on the last tenth. PYTHON names an interpreter with fasttext (fasttext-wheel). A million short
# texts: bench/text_million.py. OPTIONS: more options of heed's training, such as --no-evidence.
set -euo pipefail
file=$1 texts=${2:-1000000} which=${3:-both}
heed=${HEED:-build/heed}
here=$(dirname "$0")
python=${PYTHON:-/usr/bin/python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
head -n $((texts + 1)) "$file" >"$work/all.tsv"
cut=$(((texts * 9) / 10))
head -n $((cut + 1)) "$work/all.tsv" >"$work/train.tsv"
{ head -n 1 "$work/all.tsv"; tail -n +$((cut + 2)) "$work/all.tsv"; } >"$work/test.tsv"
tail -n +2 "$work/test.tsv" | cut -f 2- >"$work/test.txt"
words=$(tail -n +2 "$work/train.tsv" | cut -f 2- | wc -w)
passes=3
if [ "$which" != peer ]; then
    # shellcheck disable=SC2086
    learnt=$("$python" "$here/used.py" "$heed" train classify "$work/train.tsv" --text text --label label -o "$work/m" \
        --recipe attend --epochs $passes --valid-part 0 --threads 1 --run none ${OPTIONS:-})
    answered=$("$python" "$here/used.py" "$heed" predict "$work/m" "$work/test.txt" --threads 1)
    right=$("$heed" test "$work/m" "$work/test.tsv" --text text --label label --json | sed -E 's/.*"accuracy": *([0-9.]+).*/\1/')
    awk -v w="$words" -v p=$passes -v s="${learnt% *}" -v n="$(wc -l <"$work/test.txt")" -v a="${answered% *}" -v r="$right" -v m="${learnt#* }" \
        -v o="${answered#* }" 'BEGIN { printf "heed attend: %.0f words/s (%.0f s), %.0f texts/s, accuracy %s, peak %s MB, answering %s MB\n",
            w * p / s, s, n / a, r, m, o }'
fi
[ "$which" = heed ] || "$python" "$here/text_peers.py" "$file" "$texts"
