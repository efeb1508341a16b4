#!/usr/bin/env bash
# outgoing_test.sh: a server whose flow names no feed and no webhook opens no connection, whatever is asked of it; one with a
# webhook opens that one, which shows that the trace would have seen it.
set -uo pipefail
. tests/cli/program.sh
command -v strace >/dev/null || { echo "strace is not here: skipped"; exit 0; }
command -v curl >/dev/null || { echo "curl is not here: skipped"; exit 0; }
strace -o /dev/null true 2>/dev/null || { echo "nothing can be traced here: skipped"; exit 0; }

cat >"$dir/flow.yaml" <<Y
name: quiet
listen: "127.0.0.1:0"
redact: [mail, phone]
sources:
  push: { kind: push }
analyses:
  intent: { kind: classify, model: $PWD/models/intent }
  language: { kind: language, model: $PWD/models/language }
rules:
  all: { kind: match, when: { source: [push] }, hold: 1s, to: [out] }
sinks:
  out: SINK
Y

# serve SINK SIGN: runs it under a trace of connections, asks everything of it, stops it once the trace or the file has SIGN
serve() {
    sed "s#SINK#$1#" "$dir/flow.yaml" >"$dir/flow1.yaml"
    rm -f "$dir"/*.db* "$dir/trace"
    : >"$dir/said" # not what the server before said
    # shellcheck disable=SC2016
    strace -f -o "$dir/trace" -e trace=connect,sendto,sendmsg sh -c 'echo $$ >"$1/pid"; exec "$2" serve "$1/flow1.yaml"' sh "$dir" "$heed" \
        >"$dir/said" 2>&1 &
    local tracer=$!
    until grep -q 'http://' "$dir/said" || ! kill -0 $tracer 2>/dev/null; do sleep 0.05; done
    local url
    url=$(grep -o 'http://[0-9.:]*' "$dir/said" | head -1)
    [ -n "$url" ] || wrong "it does not serve: $(cat "$dir/said")"
    curl -s -m 20 "$url/v1/classify" -H 'Content-Type: application/json' -d '{"text":"where is my card"}' >"$dir/answer"
    grep -q '"label"' "$dir/answer" || wrong "classify: $(cat "$dir/answer")"
    curl -s -m 20 "$url/v1/events" -H 'Content-Type: application/json' \
        -d '[{"id":"1","text":"my new card has not arrived, see https://example.org/x or write to me@example.org"}]' >/dev/null
    for path in /health /metrics /openapi.json /v1/events /v1/alerts /v1/system /v1/models '/v1/search?q=card' /; do
        curl -s -m 20 -o /dev/null "$url$path" || wrong "$path"
    done
    for _ in $(seq 1200); do grep -q "$2" "$dir/trace" "$dir"/out.jsonl 2>/dev/null && break; sleep 0.05; done
    kill -TERM "$(cat "$dir/pid")" 2>/dev/null
    wait $tracer
}

serve "{ kind: file, path: $dir/out.jsonl }" '"key"'
grep -q 'connect(' "$dir/trace" && wrong "it calls: $(grep 'connect(' "$dir/trace" | head -3)"
grep -q 'AF_INET' "$dir/trace" && wrong "it sends: $(grep AF_INET "$dir/trace" | head -3)"
[ -s "$dir/out.jsonl" ] || wrong "no alert came: the flow was not really at work"

serve '{ kind: webhook, url: "http://127.0.0.1:9/hook", allow_private: true }' 'htons(9)'
grep -q 'connect(.*htons(9)' "$dir/trace" || wrong "the trace does not see a webhook's connection"
exit $failed
