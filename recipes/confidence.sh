#!/usr/bin/env bash
# confidence.sh [SET...]: how far a model's confidence can be believed, for docs/BENCHMARKS.md: banking77 and imdb with a tenth
# of the training part held out, clinc150 so and with its valid.tsv. Calibration error on the test part, how many sets of labels
# promised to hold the right one with 0.95 do, and, of clinc150, texts out of scope found with 0.95 of the others kept.
# HEED names the program (build/heed), HEED_DATA the folder of the sets (../shared/data).
set -euo pipefail
export HEED_LANG=en # what is read below
heed=${HEED:-build/heed}
data=${HEED_DATA:-../shared/data}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

clinc() { awk -F'\t' -v oos="$2" 'NR == 1 { print "label\ttext"; next } ($1 == "oos") == oos { print $1 "\t" $3 }' "$data/clinc150/$1.tsv"; }
plain() { awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; print "label\ttext"; next }
    { print $at["'"$1"'"] "\t" $at["text"] }'; }

make() {
    case $1 in
    banking77)
        plain intent <"$data/banking77/train.tsv" >"$work/train.tsv"
        plain intent <"$data/banking77/test.tsv" >"$work/test.tsv" ;;
    imdb)
        zstd -dc "$data/imdb/train.tsv.zst" | plain label >"$work/train.tsv"
        zstd -dc "$data/imdb/test.tsv.zst" | plain label >"$work/test.tsv" ;;
    clinc150*)
        clinc train 0 >"$work/train.tsv"
        clinc test 0 >"$work/test.tsv"
        clinc valid 0 >"$work/valid.tsv" ;;
    *) echo "confidence.sh: no set '$1'" >&2 && exit 64 ;;
    esac
}

[ $# -gt 0 ] || set -- banking77 imdb clinc150 clinc150_valid
for set in "$@"; do
    make "$set"
    options=()
    [ "$set" != clinc150_valid ] || options=(--valid "$work/valid.tsv")
    "$heed" train classify "$work/train.tsv" -o "$work/m" --run none "${options[@]}" >/dev/null 2>&1
    echo "== $set"
    "$heed" test "$work/m" "$work/test.tsv" | grep -E '^(Test Accuracy|Calibration)'
    tail -n +2 "$work/test.tsv" | cut -f2 | "$heed" predict "$work/m" --coverage 0.95 --scope 0.95 --json >"$work/said"
    tail -n +2 "$work/test.tsv" | cut -f1 | paste - "$work/said" | awk -F'\t' '
        { set = $2; sub(/.*"set": \[/, "", set); sub(/\].*/, "", set); held += index(set, "\"" $1 "\"") > 0 }
        { len = $2; sub(/.*"set_len": /, "", len); labels += len + 0; kept += $2 ~ /"in_scope": true/ }
        END { printf "sets that hold the right label: %.4f, of %.2f labels; kept in scope: %.4f\n", held / NR, labels / NR, kept / NR }'
    case $set in clinc150*)
        clinc test 1 | tail -n +2 | cut -f2 | "$heed" predict "$work/m" --scope 0.95 --json |
            awk '{ out += /"in_scope": false/ } END { printf "out of scope found: %.4f of %d texts\n", out / NR, NR }' ;;
    esac
done
