#!/usr/bin/env bash
# run_flow.sh [SECONDS]: events pushed, analysed by models/intent (attend), decided and stored, as fast as they are taken: events a
# second, memory as it goes on, processor time of each thread for an event. The server says no (429) where more is pushed
# than it can follow; nothing is lost. HEED: build/heed.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
heed=${HEED:-build/heed}
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
cat >"$work/flow.yaml" <<FLOW
store: heed.db
sources: { push: { kind: push } }
analyses:
  intent: { kind: classify, model: "$PWD/models/intent" }
rules:
  unusual: { kind: surge, by: [intent], window: 10m }
  many: { kind: count, by: [intent], window: 1m, least: 100000 }
FLOW
"$heed" serve "$work/flow.yaml" --listen 127.0.0.1:0 >"$work/said" 2>"$work/log" &
server=$!
until grep -q 'at http' "$work/said"; do kill -0 $server && sleep 0.05; done
address=$(sed -n 's/.* at //p' "$work/said")
state() { curl -s "$address/v1/system" | tr ',{}' '\n\n\n' | awk -F: -v k="\"$1\"" '$1 == k { print $2; exit }' || true; }
wrk -t1 -c4 -d"${seconds}s" -s bench/serve/events.lua "$address" >"$work/wrk" &
load=$!
printf '%8s %10s %10s %10s %8s\n' seconds taken decided waiting MB
for ((at = 0; at < seconds; at += seconds / 10 > 0 ? seconds / 10 : 1)); do
    sleep $((seconds / 10 > 0 ? seconds / 10 : 1))
    printf '%8d %10d %10d %10d %8.1f\n' "$SECONDS" "$(state last)" "$(state decided)" "$(state queue)" \
        "$(awk -v m="$(state memory)" 'BEGIN { print m / 1e6 }')"
done
wait $load || true
begin=$SECONDS
while [ "$(state queue)" -gt 0 ]; do sleep 0.2; done
n=$(state decided)
echo "all $n decided, $((SECONDS - begin)) s after the last was pushed"
for task in /proc/$server/task/*; do
    awk -v c="$(cat "$task/comm")" -v n="$n" -v hz="$(getconf CLK_TCK)" \
        '{ if ($14 + $15 > 0) printf "  %-12s %6.2f us an event\n", c, ($14 + $15) * 1e6 / hz / n }' "$task/stat"
done
grep -E 'Non-2xx|requests in' "$work/wrk"
[ ! -s "$work/log" ] || cat "$work/log"
