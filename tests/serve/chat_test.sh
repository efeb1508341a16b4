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
grep -q '{{\|}}' "$dir/said" && wrong "a placeholder is shown"
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

"$heed" import dialogues tests/serve/data/dialogues/messages.jsonl tests/serve/data/dialogues/rows.csv -o "$dir/replies.jsonl" 2>"$dir/out" || wrong "import"
grep -q '6 conversations; 6 questions with replies, 2 greetings and thanks left out, 1 merged: 5 replies' "$dir/out" || wrong "import: $(cat "$dir/out")"
echo 'how do I return parcels that are too large' | "$heed" chat --replies "$dir/replies.jsonl" | grep -q 'Put it back into its box' || wrong "what was imported is not found"
"$heed" import dialogues tests/serve/data/dialogues/bad_columns.csv -o "$dir/none" >"$dir/out" 2>&1 && wrong "a file without conversations"
[ ! -e "$dir/none" ] || wrong "something was written"
exit $failed
