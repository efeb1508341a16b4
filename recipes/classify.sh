#!/usr/bin/env bash
# classify.sh: the default recipe on labelled texts: learnt from the set's own training part, tested once for each seed.
#   recipes/classify.sh [SET...]      SEEDS="1 2 3"; all sets without arguments; one line for each model, then the mean
# HEED names the program (build/heed), HEED_DATA the folder of the sets (../shared/data). OPTIONS, the same for every set,
# were chosen on parts held out of the training data.
set -euo pipefail
heed=${HEED:-build/heed}
seeds=${SEEDS:-1 2 3}
source "$(dirname "$0")/sets.sh"
OPTIONS=(--recipe attend --valid-part 0 --label-smoothing 0.1 --max-len 2048 --run none)

# one SET FOLD K SEED: trains and tests
one() {
    local start answer
    make "$1" "$2" "$3"
    start=$(date +%s.%N)
    quietly "$heed" train classify "$work/train.$ext" --text text --label label -o "$work/model" --seed "$4" "${OPTIONS[@]}"
    local spent
    spent=$(awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN { printf "%.1f", b - a }')
    answer=$("$heed" test "$work/model" "$work/test.$ext" --text text --label label --json)
    printf '%s seed %s %s %s s accuracy %s ece %s\n' "$1" "$4" "${2:+fold $2}" "$spent" "$(number accuracy <<<"$answer")" "$(number ece <<<"$answer")"
}

# shellcheck disable=SC2086
for set in ${*:-$ALL}; do
    for seed in $seeds; do
        while read -r fold k; do one "$set" "$fold" "$k" "$seed"; done < <(folds "$set")
    done | tee "$work/lines"
    awk -v set="$set" '{ for (i = 1; i < NF; i++) if ($i == "accuracy") { s += $(i + 1); n++ } }
        END { printf "%s: accuracy %.2f %%, mean of %d\n", set, 100 * s / n, n }' "$work/lines"
done
