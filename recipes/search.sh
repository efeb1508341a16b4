#!/usr/bin/env bash
# search.sh: what `heed train classify --search` brings over the default recipe, on five sets, each tested once: for
# docs/BENCHMARKS.md. HEED names the program (build/heed), HEED_DATA the folder of the sets (../shared/data), TIME the time of each
# search (3m), SETS the sets (all five). Both hold the same tenth of the training part out; test texts choose nothing.
set -euo pipefail
export HEED_LANG=en # what is read below
heed=${HEED:-build/heed}
source "$(dirname "$0")/data.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# accuracy SET TEXT LABEL TEST OPTION...
accuracy() {
    read_in "$1/train.tsv" >"$work/train.tsv"
    "$heed" train classify "$work/train.tsv" --text "$2" --label "$3" -o "$work/m" --seed 1 --run none "${@:5}" >"$work/log" 2>&1
    "$heed" test "$work/m" "$data/$1/$4.tsv" --text "$2" --label "$3" --json 2>/dev/null | sed -E 's/.*"accuracy": *([0-9.]+).*/\1/'
}

while read -r set text label test; do
    case " ${SETS:-$set} " in *" $set "*) ;; *) continue ;; esac
    need "$set"
    default=$(accuracy "$set" "$text" "$label" "$test")
    found=$(accuracy "$set" "$text" "$label" "$test" --search "${TIME:-3m}")
    echo "$set $default $found $(grep -c '^trial' "$work/log" || true)"
done <<'SETS' | awk '{ print $1 ": default " $2 ", searched " $3 " (" $4 " trials)"; n += $3 >= $2 }
    END { print n " of " NR " at least as good" }'
trec text coarse test
sst2 text label test
banking77 text intent test
twitter_financial_news text label valid
chnsenticorp text label test
SETS
