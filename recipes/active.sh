#!/usr/bin/env bash
# active.sh: how many labels reach 90 % on clinc150's in-scope test texts when `heed label` chooses what to label next, beside
# labels drawn by chance from the same pool. For docs/BENCHMARKS.md. HEED names the program (build/heed), HEED_DATA the folder of the
# sets (../shared/data), SEEDS the seeds (1 2 3 4 5), STEP the labels of a round (750: a label or five of each intent).
set -euo pipefail
heed=${HEED:-build/heed}
source "$(dirname "$0")/data.sh"
need clinc150
data=$data/clinc150
step=${STEP:-750}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# shuffle SEED: lines in an order that depends on the seed alone
shuffle() {
    awk -v x="$1" 'BEGIN { for (i = 0; i < 9; i++) x = (x * 69069 + 12345) % 4294967296 }
        { x = (x * 69069 + 12345) % 4294967296; printf "%.0f\t%s\n", x, $0 }' | sort -n -s -k1,1 | cut -f2-
}

in_scope() { awk -F'\t' 'NR > 1 && $1 != "oos" && $2 != "oos" { print $1 "\t" $3 }' "$1"; }
in_scope "$data/train.tsv" >"$work/all"
in_scope "$data/test.tsv" >"$work/test.tsv"
pool=$(wc -l <"$work/all")

# learn SEED: a model of $work/have.tsv; prints its accuracy on the test texts
learn() {
    "$heed" train classify "$work/have.tsv" -o "$work/model" --seed "$1" --valid-part 0 --run none >"$work/log" 2>&1
    "$heed" test "$work/model" "$work/test.tsv" --json 2>/dev/null | sed -E 's/.*"accuracy": *([0-9.]+).*/\1/'
}

# reach WAY SEED: rounds until 90 %
reach() {
    local accuracy n
    shuffle "$2" <"$work/all" >"$work/order"
    head -"$step" "$work/order" >"$work/have.tsv"
    tail -n +$((step + 1)) "$work/order" >"$work/left"
    while true; do
        accuracy=$(learn "$2")
        n=$(wc -l <"$work/have.tsv")
        echo "$1 seed $2: $n labels: $accuracy" >&2
        if awk -v a="$accuracy" 'BEGIN { exit !(a >= 0.9) }' || [ "$n" -ge "$pool" ]; then echo "$n" && return; fi
        if [ "$1" = chosen ]; then
            cut -f2 "$work/left" >"$work/pool.txt"
            "$heed" label "$work/model" "$work/pool.txt" -n "$step" 2>/dev/null | cut -f1 | sort -n >"$work/lines"
        else
            seq "$step" >"$work/lines"
        fi
        awk -v have="$work/have.tsv" 'NR == FNR { pick[$1]; next } FNR in pick { print >> have; next } { print }' \
            "$work/lines" "$work/left" >"$work/rest"
        mv "$work/rest" "$work/left"
    done
}

for seed in ${SEEDS:-1 2 3 4 5}; do
    chosen=$(reach chosen "$seed")
    chance=$(reach chance "$seed")
    echo "$seed $chosen $chance"
done | awk '{ print "seed " $1 ": " $2 " labels chosen, " $3 " by chance"; a += $2; b += $3 }
    END { printf "mean: %.0f chosen, %.0f by chance: %.2f\n", a / NR, b / NR, a / b }'
