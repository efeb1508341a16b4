#!/usr/bin/env bash
# confidence.sh [SET...]: how far a model's confidence can be believed, for docs/BENCHMARKS.md: the default recipe with what it
# holds out by itself (a tenth; clinc150_valid: its valid.tsv), tested once for each seed (SEEDS="1 2 3"; of a set without a test
# part its first fold). Accuracy and calibration error; how many sets of labels that promise 0.95 hold the right one, beside what
# the beta-binomial law of the two sizes allows in 99 of 100 trainings; of clinc150 texts in scope kept and others found with 0.95.
# HEED names the program (build/heed), HEED_DATA the folder of the sets (../shared/data).
set -euo pipefail
export HEED_LANG=en # what is read below
heed=${HEED:-build/heed}
seeds=${SEEDS:-1 2 3}
source "$(dirname "$0")/sets.sh"

# labels: of $work/test.$ext, a line each
labels() {
    if [ "$ext" = jsonl ]; then sed -E 's/.*"label": *"([^"]*)".*/\1/' "$work/test.jsonl"; else tail -n +2 "$work/test.tsv" | cut -f1; fi
}

# ask OPTION...: the model's answers to the test part, a line of JSON each
ask() {
    "$heed" predict "$work/m" "$work/test.$ext" --text text --json "$@" 2>"$work/err" || { cat "$work/err" >&2; return 1; }
}

# allowed CALIBRATED TESTED: the 99 % interval of the part covered: k of n follow a beta-binomial law, a = ceil(0.95 (m + 1)), b = m + 1 - a
allowed() {
    awk -v m="$1" -v n="$2" 'BEGIN {
        a = int(0.95 * (m + 1)); if (a < 0.95 * (m + 1)) a++
        b = m + 1 - a
        if (b < 1) { print 0, 1; exit }
        top = int(n * a / (a + b)); p[top] = sum = 1
        for (k = top; k < n; k++) sum += p[k + 1] = p[k] * (n - k) / (k + 1) * (k + a) / (n - k - 1 + b)
        for (k = top; k > 0; k--) sum += p[k - 1] = p[k] * k / (n - k + 1) * (n - k + b) / (k - 1 + a)
        for (low = 0; (s += p[low]) < 0.005 * sum; low++) continue
        for (high = n; (t += p[high]) < 0.005 * sum; high--) continue
        printf "%.4f %.4f\n", low / n, high / n }'
}

# one SET SEED: trains, and tells
one() {
    local fold k options=() answer tested calibrated
    read -r fold k < <(folds "$1") || true
    make "${1/#clinc150_valid/clinc150}" "$fold" "$k"
    if [ "$1" = clinc150_valid ]; then
        read_in clinc150/valid.tsv | awk -F'\t' '$2 != "oos"' | columns 'intent text' >"$work/valid.tsv"
        options=(--valid "$work/valid.tsv")
    fi
    quietly "$heed" train classify "$work/train.$ext" --text text --label label -o "$work/m" --run none --seed "$2" "${options[@]}"
    answer=$("$heed" test "$work/m" "$work/test.$ext" --text text --label label --json)
    labels >"$work/right"
    ask --coverage 0.95 >"$work/said"
    tested=$(wc -l <"$work/right")
    calibrated=$(tr -d ' \n' <"$work/m/config.json" | sed -nE 's/.*"scores":\[([^]]*)\].*/\1/p' | tr ',' '\n' | grep -c '[0-9]' || true)
    [ "$calibrated" -gt 0 ] || { echo "confidence.sh: the model of $1 is not calibrated" >&2; exit 65; }
    printf '%s seed %s accuracy %s ece %s ' "$1" "$2" "$(number accuracy <<<"$answer")" "$(number ece <<<"$answer")"
    paste "$work/right" "$work/said" | awk -F'\t' -v bounds="$(allowed "$calibrated" "$tested")" '
        { set = $2; sub(/.*"set": \[/, "", set); sub(/\].*/, "", set); held += index(set, "\"" $1 "\"") > 0
          len = $2; sub(/.*"set_len": /, "", len); labels += len + 0 }
        END { split(bounds, b, " "); c = held / NR
              printf "covered %.4f labels %.2f %s %.4f to %.4f", c, labels / NR, (c < b[1] ? "below" : c > b[2] ? "above" : "inside"), b[1], b[2] }'
    case $1 in clinc150*)
        ask --scope 0.95 | awk '{ kept += /"in_scope": true/ } END { printf " kept %.4f", kept / NR }'
        { echo text; read_in clinc150/test.tsv | awk -F'\t' '$2 == "oos" { print $3 }'; } >"$work/test.tsv"
        ask --scope 0.95 | awk '{ out += /"in_scope": false/ } END { printf " found %.4f of %d", out / NR, NR }' ;;
    esac
    echo
}

# shellcheck disable=SC2086
for set in ${*:-$ALL clinc150_valid}; do
    for seed in $seeds; do one "$set" "$seed"; done | tee "$work/lines"
    awk -v set="$set" '{ for (i = 1; i < NF; i++) { if ($i ~ /^(accuracy|ece|covered|labels|kept|found)$/) sum[$i] += $(i + 1); inside += $i == "inside" } }
        END { printf "%s: accuracy %.2f %%, ece %.4f, covered %.4f (%d of %d inside), labels %.2f", set, 100 * sum["accuracy"] / NR,
                  sum["ece"] / NR, sum["covered"] / NR, inside, NR, sum["labels"] / NR
              if ("kept" in sum) printf ", kept %.4f, found %.4f", sum["kept"] / NR, sum["found"] / NR
              printf "; mean of %d\n", NR }' "$work/lines"
done
