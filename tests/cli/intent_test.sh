#!/usr/bin/env bash
# The model that ships: small enough, opens, answers as its card says on data that it has not seen, and abstains from nonsense.
set -uo pipefail
. tests/cli/program.sh

size=$(cat models/intent/* | wc -c)
[ "$size" -le 6000000 ] || wrong "models/intent has $size bytes"
echo 'my card was charged twice' | "$heed" predict models/intent >"$dir/out" || wrong "predict"
grep -q '^transaction_charged_twice' "$dir/out" || wrong "charged twice: $(cat "$dir/out")"
"$heed" test models/intent data/banking77/test.tsv --json >"$dir/out" || wrong "test"
grep -q '"accuracy": 0.912' "$dir/out" || wrong "accuracy is not that of the card: $(cut -c1-200 "$dir/out")"
echo 'the philosopher wrote three books about rivers' | "$heed" predict models/intent --abstain | said '^(' || wrong "what is none of its business was answered"
echo 'I lost my card' | "$heed" predict models/intent --top 1000 | tr '\t' '\n' >"$dir/out"
[ "$(wc -l <"$dir/out")" = 452 ] || wrong "of 226 labels --top 1000 shows $(($(wc -l <"$dir/out") / 2))"
[ "$(paste - - <"$dir/out" | cut -f1 | sort -u | wc -l)" = 226 ] || wrong "--top 1000 has labels twice"
exit $failed
