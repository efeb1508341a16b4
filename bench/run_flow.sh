#!/usr/bin/env bash
# run_flow.sh [SECONDS]: events pushed, analysed, decided and stored: how many, the queue, memory as it goes on, how late what was
# decided is told, processor time of each thread for an event. HEED: build/heed.
#
#     bench/run_flow.sh 60                           as fast as they are taken, by models/intent (attend) alone. The server says no (429)
#                                                    where more is pushed than it can follow; nothing is lost
#     RATE=10000 KEEP=3m bench/run_flow.sh 600       so many a second, of which none may be refused: personal data replaced, intent,
#                                                    language, vectors, novelty, two rules, findings, vectors and words stored, and
#                                                    what is older than KEEP (0: nothing) removed as it goes on
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
rate=${RATE:-0}
heed=${HEED:-build/heed}
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
more() { [ "$rate" -eq 0 ] || printf '%s\n' "$@"; }
{
    printf 'store: heed.db\nsources: { push: { kind: push } }\n'
    more 'redact: [mail, phone, card]' "keep: ${KEEP:-0}"
    printf 'analyses:\n  intent: { kind: classify, model: "%s/models/intent" }\n' "$PWD"
    more "  language: { kind: language, model: \"$PWD/models/language\" }" \
        "  meaning: { kind: embed, model: \"$PWD/models/support_pairs\" }" '  seen: { kind: novelty }'
    printf 'rules:\n  unusual: { kind: surge, by: [intent], window: 10m }\n'
    printf '  many: { kind: count, by: [intent], window: 1m, least: 100000 }\n'
} >"$work/flow.yaml"
"$heed" serve "$work/flow.yaml" --listen 127.0.0.1:0 >"$work/said" 2>"$work/log" &
server=$!
until grep -q 'at http' "$work/said"; do kill -0 $server && sleep 0.05; done
address=$(sed -n 's/.* at //p' "$work/said")
# The flow's figures of one moment, from one question: state NAME...
state() {
    curl -s "$address/v1/system" | tr ',{}' '\n\n\n' | awk -F: -v want="$*" '
        BEGIN { n = split(want, name, " ") }
        NF == 2 { gsub(/"/, "", $1); if (!($1 in is)) is[$1] = $2 }
        END { for (i = 1; i <= n; i++) printf "%s%s", is[name[i]], i < n ? " " : "\n" }'
}
script=bench/serve/events.lua
[ "$rate" -eq 0 ] || script=bench/serve/paced.lua
RATE=$rate wrk -t1 -c4 -d"${seconds}s" -s $script "$address" >"$work/wrk" &
load=$!
printf '%8s %10s %10s %8s %8s %8s %9s %7s %8s %8s\n' seconds taken decided waiting most resident store free 'p99 ms' most
every=$((rate ? 30 : seconds / 10 > 0 ? seconds / 10 : 1))
SECONDS=0
most=0 late=0
for ((at = 1; at <= seconds; at++)); do
    while [ $SECONDS -lt $at ]; do sleep 0.1; done
    read -r last decided queue p99 size free < <(state last decided queue p99_ms size free)
    [ "$queue" -le "$most" ] || most=$queue
    late=$(awk -v a="$late" -v b="$p99" 'BEGIN { print (b > a ? b : a) }')
    if [ $((at % every)) -eq 0 ]; then
        awk -v s=$SECONDS -v l="$last" -v d="$decided" -v q="$queue" -v m="$most" -v z="$size" -v f="$free" -v p="$p99" -v t="$late" '
            /VmRSS/ { printf "%8d %10d %10d %8d %8d %5.1f MB %6.0f MB %4.0f MB %8.1f %8.1f\n",
                      s, l, d, q, m, $2 / 1024, z / 1e6, f / 1e6, p, t }' "/proc/$server/status"
        most=0 late=0
    fi
done
wait $load || true
begin=$SECONDS
while [ "$(state queue)" -gt 0 ]; do sleep 0.2; done
n=$(state decided)
echo "all $n decided, $((SECONDS - begin)) s after the last was pushed"
curl -s "$address/metrics" | awk '/^heed_latency_seconds_bucket/ { split($0, a, "\""); le[++k] = a[2]; n[k] = $NF }
    END { for (q = 0.5; q < 1; q += q < 0.9 ? 0.49 : 0.009) { for (i = 1; n[i] < q * n[k]; i++); printf "%g of them were told of within %s s\n", q, le[i] } }'
curl -s "$address/metrics" | awk '/^heed_removed_total/ && $2 > 0 { printf "%d removed since they were too old\n", $2 }'
for task in /proc/$server/task/*; do
    awk -v c="$(cat "$task/comm")" -v n="$n" -v hz="$(getconf CLK_TCK)" \
        '{ if ($14 + $15 > 0) printf "  %-12s %6.2f us an event\n", c, ($14 + $15) * 1e6 / hz / n }' "$task/stat"
done
grep -E 'Non-2xx|requests in' "$work/wrk"
[ ! -s "$work/log" ] || cat "$work/log"
