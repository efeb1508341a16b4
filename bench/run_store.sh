#!/usr/bin/env bash
# run_store.sh DATA [N]: the store on one machine: events taken a second, commits with words and vectors, questions to N (1,000,000)
# short texts: sentences of the data sets imdb (70 %), thucnews10_titles, tnews and online_shopping_10_cats (30 %) under DATA, in an
# order drawn once. FOLDER says where the store lies.
set -euo pipefail
data=$1 n=${2:-1000000} build=${BUILD:-build} folder=${FOLDER:-}
[ -n "$folder" ] || { folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; }
cmake -S . -B "$build" -G Ninja -DHEED_BENCH=ON >/dev/null
cmake --build "$build" --target bench_store >/dev/null
texts=$folder/texts
lines() { zstd -dc "$@" | cut -f "$field" | tr '\t' ' '; }
sentences() { sed 's/<br \/>/ /g; s/[.!?。！？] */&\n/g' | awk 'length($0) > 15 && length($0) < 160'; }
if [ ! -s "$texts" ]; then
  english=$((n * 7 / 10)) chinese=$((n - n * 7 / 10))
  repeat() { awk -v n="$1" '{ line[NR] = $0 } END { for (i = 0; i < n; i++) print line[i % NR + 1] }'; }
  {
    field=4 lines "$data"/imdb/*.tsv.zst | sentences | repeat $english
    {
      field=2 lines "$data"/thucnews10_titles/*.zst
      field=3 lines "$data"/online_shopping_10_cats/*.zst | sed 's/[。！？，] */&\n/g' | awk 'length($0) > 12 && length($0) < 160'
    } | repeat $chinese
  } | shuf --random-source=<(yes) >"$texts"
fi
wc -lc "$texts" | awk '{ printf "%d texts, %.0f MB\n", $1, $2 / 1e6 }'
"$build/bench/bench_store" append "$texts" "$folder"
"$build/bench/bench_store" fill "$texts" "$folder" "$n"
"$build/bench/bench_store" search "$texts" "$folder"
