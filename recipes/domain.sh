#!/usr/bin/env bash
# domain.sh: a model of film reviews (imdb) on texts of other domains: how far it falls, what it believes of itself, and whether
# answering only where it is sure keeps the error that was promised. For docs/BENCHMARKS.md. HEED names the program (build/heed),
# HEED_DATA the folder of the sets (../shared/data).
set -euo pipefail
heed=${HEED:-build/heed}
source "$(dirname "$0")/data.sh"
need imdb sst2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for part in train test; do zstd -dqc "$data/imdb/$part.tsv.zst" | cut -f1,4 >"$work/imdb-$part.tsv"; done
mv "$work/imdb-test.tsv" "$work/imdb.tsv"
cp "$data/sst2/test.tsv" "$work/sst2.tsv"
"$heed" train classify "$work/imdb-train.tsv" --text text --label label -o "$work/m" --seed 1 --run none >"$work/log" 2>&1
for domain in imdb sst2; do
    "$heed" test "$work/m" "$work/$domain.tsv" --text text --label label --json 2>/dev/null |
        sed -E "s/.*\"accuracy\": *([0-9.]+).*\"ece\": *([0-9.]+).*/$domain: accuracy \1, ECE \2/"
    # --abstain answers where the set of labels promised to hold the right one in 95 of 100 has one label
    awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } { print $at["text"] }' "$work/$domain.tsv" >"$work/text"
    awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next } { print $at["label"] }' "$work/$domain.tsv" >"$work/label"
    "$heed" predict "$work/m" "$work/text" --abstain 2>/dev/null | cut -f1 | paste - "$work/label" |
        awk -F'\t' -v d="$domain" '{ n++ } $1 !~ /^\(/ { said++; wrong += $1 != $2 }
            END { printf "%s: answers %.1f %% of the texts, %.1f %% of them wrongly\n", d, 100 * said / n, 100 * wrong / said }'
done
