#!/usr/bin/env bash
# A conversation with the desk of the demo, word for word as it was when it was last looked at; `heed chat` with wrong input; `heed import`.
# UPDATE=1 writes the conversation anew.
set -uo pipefail
heed=${HEED:-build/heed}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
wrong() { echo "FAILED: $*"; failed=1; }

desk=(--intent models/support --model models/support_pairs --replies data/support/replies.jsonl --kb data/support/kb --slots data/support/slots.yaml --scope 0.995)
said=tests/serve/data/desk/demo.said
"$heed" chat "${desk[@]}" <tests/serve/data/desk/demo.txt >"$dir/said" || wrong "chat"
[ -z "${UPDATE:-}" ] || cp "$dir/said" "$said"
diff "$said" "$dir/said" || wrong "the conversation is another"
HEED_ISA=scalar "$heed" chat "${desk[@]}" <tests/serve/data/desk/demo.txt | diff "$said" - >/dev/null || wrong "other kernels, another conversation"
"$heed" chat examples/flows/demo.yaml <tests/serve/data/desk/demo.txt | diff "$said" - >/dev/null || wrong "the demo's flow has another desk"
grep -q '{{\|}}' "$dir/said" && wrong "a variable is shown"
"$heed" chat "${desk[@]}" --test data/support/test.jsonl >"$dir/out" 2>&1 && wrong "a test of nothing"

# The shipped models see the intent of messages that they have not learnt.
awk -F'\t' 'NR > 1 { gsub(/\\/, "\\\\", $2); gsub(/"/, "\\\"", $2); printf "{\"question\": \"%s\", \"intent\": \"%s\"}\n", $2, $1 }' data/support/messages.tsv >"$dir/test.jsonl"
"$heed" chat "${desk[@]}" --test "$dir/test.jsonl" >"$dir/out" || wrong "test"
grep -q '^Intents: 0.99' "$dir/out" || wrong "intents: $(cat "$dir/out")"

# A line that is no message is told of; the conversation goes on, and the exit status says that it was not all.
printf 'hello\na\0b\ncaf\xe9\nhow do I return an order\n' | "$heed" chat --kb data/support/kb --json >"$dir/out" 2>"$dir/err"
[ $? -eq 65 ] || wrong "lines that are no messages: exit $?"
[ "$(wc -l <"$dir/out")" -eq 2 ] || wrong "what follows a bad line has no answer: $(cat "$dir/out")"
diff "$dir/err" - <<'TOLD' || wrong "what is told of bad lines"
heed: line 2: a zero byte; it is passed over
heed: line 3: not UTF-8 at byte 3; it is passed over
heed: 2 of 4 lines were passed over
TOLD
"$heed" chat </dev/null >"$dir/out" 2>&1
[ $? -eq 64 ] || wrong "nothing to answer with: $(cat "$dir/out")"

# Slots that a tagger fills; what is no tagger, or does not know the type, is refused in one sentence.
"$heed" train tag tests/cli/data/people.conll -o "$dir/tagger" --epochs 30 --patience 30 --embed 16 --features 16 --hidden 16 --lr 0.02 --run none >/dev/null 2>&1 || wrong "train tag"
printf 'intent\treply\ndelivery_period\tWe deliver to {{City}} within three days.\n' >"$dir/replies.tsv"
cat >"$dir/slots.yaml" <<'SLOTS'
slots:
  city:
    ask: To which city?
    entity: LOC
    fills: [City]
intents:
  delivery_period: [city]
SLOTS
answers=(--replies "$dir/replies.tsv" --slots "$dir/slots.yaml")
printf 'how long does the delivery take?\nJonas Ekman lives in Odense .\n' | "$heed" chat --intent models/support "${answers[@]}" --tag "$dir/tagger" >"$dir/out" || wrong "chat with a tagger"
head -2 "$dir/out" | diff - <(printf 'To which city?\nWe deliver to Odense within three days.\n') || wrong "a slot filled by a tagger"
refuses() { # sentence, options
    local says=$1
    shift
    "$heed" chat "$@" </dev/null >"$dir/out" 2>&1 && wrong "taken: $*"
    [ "$(wc -l <"$dir/out")" -eq 1 ] && grep -qF "$says" "$dir/out" || wrong "$*: $(cat "$dir/out")"
}
refuses "models/support/config.json: a model for the task 'classify', not tag" "${answers[@]}" --tag models/support
refuses "slots.yaml:4:13: an entity needs a model that finds them: the desk names none (tag)" "${answers[@]}"
sed -i 's/LOC/CITY/' "$dir/slots.yaml"
refuses "slots.yaml:4:13: the desk's tagger finds no 'CITY'" "${answers[@]}" --tag "$dir/tagger"
printf 'sources: { push: { kind: push } }\nanalyses: { intent: { kind: classify, model: %s/models/support } }\ndesk: { replies: replies.tsv, tag: intent }\n' "$PWD" >"$dir/flow.yaml"
refuses "the desk's 'tag' wants an analysis of kind tag: 'intent' is of kind classify" "$dir/flow.yaml"

# The desk beside its peers, in one command: every form answers, what no intent is for is told of, and no folder stays behind.
awk 'NR == 1 || NR % 6' data/support/messages.tsv | head -400 >"$dir/train.tsv"
{ head -1 data/support/messages.tsv; awk 'NR % 6 == 0' data/support/messages.tsv | head -60; printf 'oos\twho won the match\n'; } >"$dir/judge.tsv"
TMPDIR=$dir "$heed" bench serve "$dir/train.tsv" "$dir/judge.tsv" --threads 1 >"$dir/out" || wrong "bench serve"
grep -q '^61 messages, 1 of them of no intent' "$dir/out" || wrong "bench serve: $(cat "$dir/out")"
[ "$(grep -cE '^(attend|bag of words|nearest question) +[0-9]+ +[0-9.]+ +(0\.[89][0-9]+|1\.0+) ' "$dir/out")" -eq 3 ] || wrong "bench serve: $(cat "$dir/out")"
ls -d "$dir"/heed_bench* 2>/dev/null && wrong "bench serve leaves a folder"
"$heed" bench serve "$dir/none.tsv" "$dir/judge.tsv" >"$dir/out" 2>&1
[ $? -eq 66 ] || wrong "bench serve of no file: $(cat "$dir/out")"
[ -z "$("$heed" bench serve "$dir/none.tsv" "$dir/judge.tsv" --json 2>/dev/null)" ] || wrong "bench serve of no file: half an object"

"$heed" import dialogues tests/serve/data/dialogues/messages.jsonl tests/serve/data/dialogues/rows.csv -o "$dir/replies.jsonl" 2>"$dir/out" || wrong "import"
grep -q '6 conversations; 6 questions with replies, 2 greetings and thanks left out, 1 merged: 5 replies' "$dir/out" || wrong "import: $(cat "$dir/out")"
echo 'how do I return parcels that are too large' | "$heed" chat --replies "$dir/replies.jsonl" >"$dir/out"
grep -q 'Put it back into its box' "$dir/out" || wrong "what was imported is not found"
"$heed" import dialogues tests/serve/data/dialogues/bad_columns.csv -o "$dir/none" >"$dir/out" 2>&1 && wrong "a file without conversations"
[ ! -e "$dir/none" ] || wrong "something was written"
exit $failed
