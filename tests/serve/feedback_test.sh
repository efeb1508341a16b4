#!/usr/bin/env bash
# What people correct becomes training data: a correction and a vote given to a running server, told by `heed db feedback`,
# learnt by `heed train classify --from-feedback`.
set -uo pipefail
heed=${HEED:-build/heed}
dir=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null; wait 2>/dev/null; rm -rf "$dir"' EXIT
failed=0
wrong() { echo "FAILED: $*"; failed=1; }

models=$PWD/models
cat >"$dir/flow.yaml" <<FLOW
name: feedback
store: t.db
sources: { push: { kind: push } }
analyses: { intent: { kind: classify, model: $models/intent } }
FLOW
"$heed" serve "$dir/flow.yaml" --listen 127.0.0.1:0 >"$dir/log" 2>&1 &
server=$!
for _ in $(seq 1200); do
    at=$(grep -o 'http://127.0.0.1:[0-9]*' "$dir/log" | head -1)
    [ -n "$at" ] && curl -sf "$at/ready" >/dev/null && break
    sleep 0.1
done
ask() { curl -s "$at$1" "${@:2}"; }
ask /v1/events --json '[{"id":"1","text":"where is my parcel"},{"id":"2","text":"my card was charged twice"}]' >"$dir/taken"
for _ in $(seq 1200); do
    ask '/v1/events?most=2' >"$dir/events"
    [ "$(grep -o '"name":"intent"' "$dir/events" | wc -l)" = 2 ] && break
    sleep 0.1
done
seqs=$(grep -o '"seqs":\[[0-9,]*' "$dir/taken" | grep -o '[0-9]*')
first=$(head -1 <<<"$seqs")
second=$(tail -1 <<<"$seqs")
ask /v1/feedback --json "{\"seq\":$first,\"analysis\":\"intent\",\"label\":\"parcel\"}" >/dev/null
ask /v1/feedback --json "{\"seq\":$second,\"vote\":\"up\"}" >/dev/null
for _ in $(seq 1200); do
    "$heed" db feedback intent --flow "$dir/flow.yaml" >"$dir/said" 2>&1
    [ "$(wc -l <"$dir/said")" = 2 ] && break
    sleep 0.1
done
printf '%s\n' '{"label":"parcel","text":"where is my parcel"}' \
    '{"label":"transaction_charged_twice","text":"my card was charged twice"}' | diff - "$dir/said" || wrong "what was said"

"$heed" db feedback intent --flow "$dir/flow.yaml" -o "$dir/file" && cmp -s "$dir/said" "$dir/file" || wrong "the file"
"$heed" db feedback intent --store "$dir/none.db" -o "$dir/file" 2>/dev/null && wrong "a store that is not there"
cmp -s "$dir/said" "$dir/file" || wrong "the file before is gone"
"$heed" db feedback intent --flow "$dir/flow.yaml" -o "$dir/no/file" 2>/dev/null && wrong "a folder that is not there"

# in place of the data's own label, and as a label that the data do not have
{ printf 'label\ttext\n'; for i in 1 2 3 4; do printf 'card\tmy card number %s\ncash\tsome cash number %s\n' $i $i; done
  printf 'cash\tmy card was charged twice\n'; } >"$dir/data.tsv"
"$heed" train classify "$dir/data.tsv" -o "$dir/m" --run none --valid-part 0 --from-feedback "$dir/flow.yaml" >"$dir/out" 2>&1 ||
    wrong "train: $(cat "$dir/out")"
grep -q '^2 texts that people corrected or confirmed, 1 of them in place' "$dir/out" || wrong "joined: $(cat "$dir/out")"
grep -q '4 labels' "$dir/out" || wrong "labels: $(tail -1 "$dir/out")"
"$heed" train classify "$dir/data.tsv" -o "$dir/m2" --run none --from-feedback "$dir/t.db" --analysis mood >"$dir/out" 2>&1 || wrong "mood"
grep -q "nobody has corrected or confirmed anything of 'mood'" "$dir/out" || wrong "nobody: $(cat "$dir/out")"
"$heed" train classify "$dir/data.tsv" -o "$dir/m3" --run none --from-feedback "$dir/none.db" >"$dir/out" 2>&1 && wrong "a store that is not there"
grep -q 'none.db' "$dir/out" || wrong "not there: $(cat "$dir/out")"
sed 's/$/\tthe other text/; 1s/.*/label\ttext\ttext2/' "$dir/data.tsv" >"$dir/pairs.tsv"
"$heed" train classify "$dir/pairs.tsv" --text text --text2 text2 -o "$dir/m3" --run none --from-feedback "$dir/flow.yaml" >"$dir/out" 2>&1 && wrong "pairs"
grep -q 'feedback is of single texts' "$dir/out" || wrong "pairs: $(cat "$dir/out")"
[ ! -e "$dir/m3" ] || wrong "a model was written"
kill $server && wait $server
server=
exit $failed
