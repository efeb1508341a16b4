#!/usr/bin/env bash
# context.sh [SEED...]: texts that attend to a passage. wikiqa's questions, each of which attends to a sentence that may answer it;
# the sentences of a question are ranked by the probability that they do. MAP and MRR of the held-out part, by which the epoch was
# chosen, and of the test part. HEED names the program (build/heed), HEED_DATA the folder of the sets (../shared/data).
set -euo pipefail
source "$(dirname "$0")/data.sh"
need wikiqa
heed=${HEED:-build/heed} data=$data/wikiqa dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
zstd -dcq "$data/train.tsv.zst" >"$dir/train.tsv"
# RANKED MODEL FILE: mean average precision and mean reciprocal rank of its questions that have a right answer
ranked() {
    paste <(tail -n +2 "$2" | cut -f1,2) <(tail -n +2 "$2" | cut -f3,4 | "$heed" predict "$1" - --json --threads 1 |
        sed -E 's/.*"label": "1", "confidence": ([0-9.e-]+).*/\1/; s/.*"label": "0", "confidence": ([0-9.e-]+).*/-\1/' |
        awk '{ print $1 < 0 ? 1 + $1 : $1 }') | sort -t"$(printf '\t')" -k1,1 -k3,3gr -s |
        awk -F'\t' 'function end() { if (h) { ap += a / h; rr += 1 / f; n++ } h = a = f = i = 0 }
            $1 != q { end(); q = $1 } { i++; if ($2 == 1) { a += ++h / i; if (!f) f = i } }
            END { end(); printf "MAP %.3f MRR %.3f of %d questions\n", ap / n, rr / n, n }'
}
for seed in "${@:-1}"; do
    "$heed" train classify "$dir/train.tsv" --text question --context answer --label label --valid "$data/valid.tsv" --seed "$seed" \
        --threads 1 -o "$dir/m$seed" --run none >"$dir/log" 2>&1 || { tail -1 "$dir/log"; exit 1; }
    echo "seed $seed, held out: $(ranked "$dir/m$seed" "$data/valid.tsv"); test: $(ranked "$dir/m$seed" "$data/test.tsv")"
done
