#!/usr/bin/env bash
# few_labels.sh: what texts without labels (imdb) and changed copies (trec) bring where there are only 100 labels: accuracy on
# test texts, for docs/CAPABILITIES.md. HEED names the program (build/heed), HEED_DATA the folder of the sets (../shared/data).
set -euo pipefail
export HEED_LANG=en # what is read below
heed=${HEED:-build/heed}
data=${HEED_DATA:-../shared/data}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shuffle SEED: lines in an order that depends on the seed alone
shuffle() {
    awk -v x="$1" 'BEGIN { for (i = 0; i < 9; i++) x = (x * 69069 + 12345) % 4294967296 }
        { x = (x * 69069 + 12345) % 4294967296; printf "%.0f\t%s\n", x, $0 }' | sort -n -s -k1,1 | cut -f2-
}
accuracy() { "$heed" train classify "$@" -o "$work/m" --valid-part 0 --run none 2>/dev/null | sed -n 's/^Test Accuracy: //p'; }

zstd -dc "$data/imdb/train.tsv.zst" >"$work/imdb"
head -1 "$work/imdb" | tee "$work/few.tsv" >"$work/many.tsv"
tail -n +2 "$work/imdb" | shuffle 1 >"$work/shuffled"
head -100 "$work/shuffled" >>"$work/few.tsv"
sed -n 101,12100p "$work/shuffled" >>"$work/many.tsv"
{ head -1 "$work/imdb"; zstd -dc "$data/imdb/test.tsv.zst" | tail -n +2 | shuffle 2 | sed -n 1,4000p; } >"$work/test.tsv"
for more in "" "--unlabeled $work/many.tsv"; do
    # shellcheck disable=SC2086
    echo "imdb, 100 labels ${more:+and 12,000 texts without}: $(accuracy "$work/few.tsv" --test "$work/test.tsv" $more)"
done

for seed in 1 2 3 4 5; do
    { head -1 "$data/trec/train.tsv"; tail -n +2 "$data/trec/train.tsv" | shuffle "$seed" | sed -n 1,100p; } >"$work/few.tsv"
    for options in "--recipe classic --epochs 60" "--recipe classic --epochs 60 --augment 3" "--recipe attend" "--recipe attend --augment 3"; do
        # shellcheck disable=SC2086
        echo "trec, 100 labels, seed $seed, $options: $(accuracy "$work/few.tsv" --label coarse --text text --seed $seed --test "$data/trec/test.tsv" $options)"
    done
done
