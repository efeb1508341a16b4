# tag.sh: sourced by the recipes of taggers.
#   tag_seeds NAME "OPTIONS OF TRAINING" [SEED...]: trains on $data/NAME with each seed (1 2 3), tests once, prints F1 and the mean.
# HEED names the program (build/heed), HEED_DATA the folder of the sets (../shared/data), HEED_MODELS where models go (a temporary folder).
set -euo pipefail
heed=${HEED:-build/heed}
source "$(dirname "$0")/data.sh"
models=${HEED_MODELS:-$(mktemp -d)}

# part NAME WHICH: the file of that part, plain or compressed
part() {
    local f
    for f in "$data/$1/$2.conll" "$data/$1/$2.conll.zst" "$data/$1/$2.conll.gz"; do
        [ ! -e "$f" ] || { printf '%s' "$f"; return; }
    done
}

tag_seeds() {
    local name=$1 options=$2 train test valid seed start
    shift 2
    train=$(part "$name" train) test=$(part "$name" test) valid=$(part "$name" valid)
    [ -n "$train" ] && [ -n "$test" ] || { echo "$name: no train.conll and test.conll in $data/$name" >&2; exit 66; }
    for seed in "${@:-1 2 3}"; do printf '%s\n' $seed; done >"$models/seeds"
    while read -r seed; do
        start=$SECONDS
        # shellcheck disable=SC2086
        "$heed" train tag "$train" ${valid:+--valid "$valid"} -o "$models/$name-$seed" --seed "$seed" --run none $options >"$models/$name-$seed.log"
        "$heed" test "$models/$name-$seed" "$test" --json </dev/null |
            sed -E "s/.*\"f1\": ([0-9.e-]+), \"precision\": ([0-9.e-]+), \"recall\": ([0-9.e-]+),.*/$name seed $seed $((SECONDS - start)) s F1 \1 precision \2 recall \3/"
    done <"$models/seeds" | tee "$models/$name.txt"
    awk -v name="$name" '{ s += $7; n++ } END { printf "%s mean of %d seeds: F1 %.4f\n", name, n, s / n }' "$models/$name.txt"
}
