#!/usr/bin/env bash
# pairs.sh: vectors of texts learnt from pairs, as `heed train pairs` learns them without options, with three seeds.
#   bitext_support_qa: question and reply; row i (from 0) is test for i % 10 = 9, held out for 8, else training
#   wikiqa: the pairs with label 1; test ranks the sentences of each question
# HEED names the program (build/heed), HEED_DATA the folder of the sets (../shared/data), HEED_MODELS where models go (a temporary folder).
set -euo pipefail
heed=${HEED:-build/heed}
source "$(dirname "$0")/data.sh"
need bitext_support_qa wikiqa
models=${HEED_MODELS:-$(mktemp -d)}

# seeds NAME TRAIN VALID TEST: trains with each seed, tests once, prints each and the mean
seeds() {
    local seed
    for seed in 1 2 3; do
        "$heed" train pairs "$2" --valid "$3" -o "$models/$1-$seed" --seed "$seed" --run none >"$models/$1-$seed.log"
        "$heed" test "$models/$1-$seed" "$4" --json | sed -E "s/.*\"recall_1\": ([0-9.e-]+), \"recall_10\": ([0-9.e-]+), \"mrr\": ([0-9.e-]+), .*/$1 seed $seed recall@1 \1 recall@10 \2 MRR \3 &/; s/ \{.*\"map\": ([0-9.e-]+), \"mrr\": ([0-9.e-]+).*/ within MAP \1 MRR \2/; s/ \{.*//"
    done | tee "$models/$1.txt"
    awk '{ for (i = 5; i <= NF; i++) if ($i + 0 == $i) { sum[i] += $i; name[i] = $(i - 1) } n = NF }
        END { printf "%s mean of %d seeds:", $1, NR; for (i = 5; i <= n; i++) if (i in sum) printf " %s %.4f", name[i], sum[i] / NR; print "" }' "$models/$1.txt"
}

zstd -dcq "$data/bitext_support_qa/qa.jsonl.zst" | awk -v to="$models/qa" '{ i = (NR - 1) % 10; print > (to (i == 9 ? "-test" : i == 8 ? "-valid" : "-train") ".jsonl") }'
seeds bitext_support_qa "$models/qa-train.jsonl" "$models/qa-valid.jsonl" "$models/qa-test.jsonl"
seeds wikiqa "$data/wikiqa/train.tsv.zst" "$data/wikiqa/valid.tsv" "$data/wikiqa/test.tsv"
