#!/usr/bin/env bash
# listen_test.sh: a flow that says nothing of it is served on 127.0.0.1:8080 and nowhere else, as `ss -ltn` sees it; what reaches
# further is refused without keys. In a network of its own, so that the port is free.
set -uo pipefail
. tests/cli/program.sh
for tool in ss ip unshare curl; do
    command -v $tool >/dev/null || { echo "$tool is not here: skipped"; exit 0; }
done
cat >"$dir/flow.yaml" <<Y
sources: { push: { kind: push } }
analyses: { risk: { kind: risk, grades: { high: { words: [stolen] } } } }
Y
cat >"$dir/within.sh" <<'S'
ip link set lo up || exit 77
"$1" serve "$2/flow.yaml" --store "$2/heed.db" >"$2/said" 2>"$2/log" &
server=$!
until curl -sf -o /dev/null http://127.0.0.1:8080/ready || ! kill -0 "$server"; do sleep 0.02; done
ss -ltnH | awk '{ print $4 }' >"$2/listens"
ss -lunH | awk '{ print $4 }' >>"$2/listens"
kill "$server"
wait "$server"
S
unshare -n bash "$dir/within.sh" "$heed" "$dir" 2>"$dir/why" || unshare -rn bash "$dir/within.sh" "$heed" "$dir" 2>"$dir/why" || {
    echo "no network of its own is given here ($(head -1 "$dir/why")): skipped"
    exit 0
}
[ "$(cat "$dir/listens")" = 127.0.0.1:8080 ] || wrong "it listens on: $(cat "$dir/listens") $(cat "$dir/log")"
expect 64 'keys are asked for' "$heed" serve "$dir/flow.yaml" --store "$dir/other.db" --listen 0.0.0.0:0
exit $failed
