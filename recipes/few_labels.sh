#!/usr/bin/env bash
# few_labels.sh: what texts without labels (imdb, 24,900 of them) and changed copies (trec) bring where there are only 100 labels,
# drawn by chance anew for each seed: accuracy on test texts (imdb: 6,000 of them drawn by chance), for docs/BENCHMARKS.md.
# HEED names the program (build/heed), HEED_DATA the folder of the sets (../shared/data), SEEDS the seeds (1 2 3 4 5), SETS the
# sets (imdb trec).
set -euo pipefail
export HEED_LANG=en # what is read below
heed=${HEED:-build/heed}
source "$(dirname "$0")/data.sh"
need imdb trec
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shuffle SEED: lines in an order that depends on the seed alone
shuffle() {
    awk -v x="$1" 'BEGIN { for (i = 0; i < 9; i++) x = (x * 69069 + 12345) % 4294967296 }
        { x = (x * 69069 + 12345) % 4294967296; printf "%.0f\t%s\n", x, $0 }' | sort -n -s -k1,1 | cut -f2-
}
accuracy() { "$heed" train classify "$@" -o "$work/m" --valid-part 0 --run none 2>/dev/null | sed -n 's/^Test Accuracy: //p'; }
# few SEED OPTION...: one line with its accuracy
few() {
    local seed=$1 what=$2; shift 2
    echo "$what: seed $seed: $(accuracy "$work/few.tsv" --seed "$seed" "$@")" | tee -a "$work/lines"
}

for set in ${SETS:-imdb trec}; do
    if [ "$set" = imdb ]; then
        zstd -dc "$data/imdb/train.tsv.zst" >"$work/imdb"
        { head -1 "$work/imdb"; zstd -dc "$data/imdb/test.tsv.zst" | tail -n +2 | shuffle 2 | sed -n 1,6000p; } >"$work/test.tsv"
    fi
    for seed in ${SEEDS:-1 2 3 4 5}; do
        if [ "$set" = imdb ]; then
            tail -n +2 "$work/imdb" | shuffle $((seed + 10)) >"$work/shuffled"
            { head -1 "$work/imdb"; head -100 "$work/shuffled"; } >"$work/few.tsv"
            { head -1 "$work/imdb"; tail -n +101 "$work/shuffled"; } >"$work/many.tsv"
            few "$seed" "imdb, 100 labels" --test "$work/test.tsv"
            few "$seed" "imdb, 100 labels and 24,900 texts without" --test "$work/test.tsv" --unlabeled "$work/many.tsv"
        else
            { head -1 "$data/trec/train.tsv"; tail -n +2 "$data/trec/train.tsv" | shuffle "$seed" | sed -n 1,100p; } >"$work/few.tsv"
            for copies in "" "--augment 3" "--augment 8"; do
                # shellcheck disable=SC2086
                few "$seed" "trec, 100 labels ${copies:-alone}" --label coarse --text text --test "$data/trec/test.tsv" $copies
            done
        fi
    done
done
awk -F': ' '{ s[$1] += $3; n[$1]++ } END { for (k in s) printf "%s: mean of %d: %.2f %%\n", k, n[k], 100 * s[k] / n[k] }' "$work/lines" | sort
