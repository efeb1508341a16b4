#!/usr/bin/env bash
# robust.sh: what training against small changes of the words' vectors brings (sst2): accuracy on the test texts as they are and
# as the worst of ten changed copies, for docs/BENCHMARKS.md. HEED names the program (build/heed), HEED_DATA the folder of the
# sets (../shared/data), SEEDS the seeds (1 2 3 4 5), RECIPES the recipes (classic attend).
set -euo pipefail
export HEED_LANG=en # what is read below
heed=${HEED:-build/heed}
source "$(dirname "$0")/data.sh"
need sst2
data=$data/sst2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for recipe in ${RECIPES:-classic attend}; do
    for options in "" "--adv fgm" "--adv freelb"; do
        for seed in ${SEEDS:-1 2 3 4 5}; do
            # shellcheck disable=SC2086
            "$heed" train classify "$data/train.tsv" --text text --label label -o "$work/m" --recipe $recipe --seed "$seed" \
                --valid-part 0 --run none $options >"$work/log" 2>&1
            "$heed" test "$work/m" "$data/test.tsv" --text text --label label --attack typo,swap,gradient 2>&1 |
                sed -nE 's/^Test Accuracy: ([0-9.]+).*/plain \1/p; s/^Worst of 10 changed copies \((.*)\): accuracy (.*)/\1 \2/p'
        done | awk -v what="$recipe ${options:-plain}" '{ s[$1] += $2; q[$1] += $2 * $2; n[$1]++ }
            END { printf "%s:", what
                  for (k in s) { m = s[k] / n[k]; v = n[k] > 1 ? (q[k] - n[k] * m * m) / (n[k] - 1) : 0
                      printf "  %s %.1f (+- %.1f)", k, 100 * m, 100 * 1.96 * sqrt((v > 0 ? v : 0) / n[k]) }
                  print "" }'
    done
done
