#!/usr/bin/env bash
# desk.sh: what the support desk is measured by, for docs/BENCHMARKS.md.
#   replies      bitext_support_qa: each question of the test part (row i, from 0, with i % 10 = 9) ranks the 451 replies of that part,
#                of which one belongs to it; models and weights from the other rows; the desk knows no question of these replies
#   intents      its intents.tsv: the same rows are tested, the others learnt
#   follow-ups   recipes/follow_ups.sh: right intent with what was said before, and without
#   scope        clinc150: messages that none of its intents is for, and messages of its intents, that a person gets; answers a second
#   small talk   chatterbot_corpus, English and Chinese: each prompt of the test part (i % 10 = 9) ranks the replies of that part; and the category
#                of the prompt learnt that is nearest, by words and by a model of categories. Rows without a reply are left out
#   passages     wikiqa: each question ranks its own sentences, by words alone
# HEED names the program (build/heed), HEED_DATA the folder of the sets (../shared/data), HEED_MODELS where models go (a temporary folder).
set -euo pipefail
export HEED_LANG=en # what is read below
heed=${HEED:-build/heed}
source "$(dirname "$0")/data.sh"
need bitext_support_qa chatterbot_corpus clinc150 wikiqa
models=${HEED_MODELS:-$(mktemp -d)}
here=$(dirname "$0")

# model NAME COMMAND...: trains models/NAME unless it is there
model() { local name=$1; shift; [ -d "$models/$name" ] || "$heed" train "$@" -o "$models/$name" --run none >"$models/$name.log" 2>&1; }
# JSON lines without the members that are not named: reply and intent, and the questions and intents as a table
replies() { sed -E 's/^\{.*"intent": "([a-z_]+)".*"reply": (".*"\})$/{"intent": "\1", "reply": \2/' "$1"; }

echo "== replies"
zstd -dcq "$data/bitext_support_qa/qa.jsonl.zst" | awk -v to="$models/qa" '{ i = (NR - 1) % 10; print > (to (i == 9 ? "-test" : i == 8 ? "-valid" : "-train") ".jsonl") }'
for part in valid test; do replies "$models/qa-$part.jsonl" >"$models/replies-$part.jsonl"; done
model qa-pairs pairs "$models/qa-train.jsonl" --valid "$models/qa-valid.jsonl" --seed 1
model qa-intents classify "$models/qa-train.jsonl" --text question --label intent
both=(--model "$models/qa-pairs" --intent "$models/qa-intents")
echo "weights learnt on the part held out (those in force: src/serve/desk_rank.c)"
"$heed" chat "${both[@]}" --replies "$models/replies-valid.jsonl" --learn "$models/qa-valid.jsonl"
for with in "" "--intent $models/qa-intents" "--model $models/qa-pairs" "${both[*]}"; do
    echo "[${with//"$models"\//}]"
    # shellcheck disable=SC2086
    "$heed" chat $with --replies "$models/replies-test.jsonl" --test "$models/qa-test.jsonl" | grep Replies
done

echo "== intents and follow-ups"
for part in train test; do
    awk -F'\t' -v part=$part 'NR == 1 { print "intent\ttext"; next } ((NR - 2) % 10 == 9) == (part == "test") { print $2 "\t" $6 }' "$data/bitext_support_qa/intents.tsv" >"$models/intents-$part.tsv"
done
model intents classify "$models/intents-train.tsv"
"$heed" test "$models/intents" "$models/intents-test.tsv" | grep '^Test Accuracy'
HEED_DATA=$data bash "$here/follow_ups.sh" test >"$models/follow-ups.jsonl"
"$heed" chat --intent "$models/intents" --replies "$models/qa-train.jsonl" --test "$models/follow-ups.jsonl"

echo "== scope"
clinc() { awk -F'\t' 'NR == 1 { print "label\ttext"; next } $1 != "oos" { print $1 "\t" $3 }' "$data/clinc150/$1.tsv"; }
clinc train >"$models/clinc-train.tsv"
clinc valid >"$models/clinc-valid.tsv"
model clinc classify "$models/clinc-train.tsv" --valid "$models/clinc-valid.tsv"
tail -n +2 "$models/clinc-train.tsv" | cut -f1 | LC_ALL=C sort -u | awk 'BEGIN { print "intent\treply" } { print $1 "\tThis is about " $1 "." }' >"$models/clinc-replies.tsv"
awk -F'\t' 'NR > 1 { gsub(/\\/, "\\\\", $3); gsub(/"/, "\\\"", $3)
    printf "{\"question\": \"%s\", \"intent\": %s}\n", $3, $1 == "oos" ? "null" : "\"" $1 "\"" }' "$data/clinc150/test.tsv" >"$models/clinc-test.jsonl"
"$heed" chat --intent "$models/clinc" --replies "$models/clinc-replies.tsv" --scope 0.97 --test "$models/clinc-test.jsonl"

echo "beside it, without a model: the intent of the question learnt that is nearest by words"
tail -n +2 "$models/clinc-train.tsv" | awk -F'\t' 'BEGIN { print "intent\tquestion\treply" } { print $1 "\t" $2 "\t" "This is about " $1 "." }' >"$models/clinc-questions.tsv"
"$heed" chat --replies "$models/clinc-questions.tsv" --test "$models/clinc-test.jsonl"

echo "== small talk"
# A table of category, prompt, reply as JSON lines; with `questions` of all three, else of intent and reply
lines() { awk -F'\t' -v q="$1" 'function s(x) { gsub(/\\/, "&&", x); gsub(/"/, "\\\"", x); return "\"" x "\"" }
    $2 != "" && $3 != "" { print "{\"intent\": " s($1) (q ? ", \"question\": " s($2) : "") ", \"reply\": " s($3) "}" }'; }
for language in english chinese; do
    tail -n +2 "$data/chatterbot_corpus/${language}_pairs.tsv" | awk -F'\t' -v to="$models/talk-$language" '{ i = (NR - 1) % 10; print > (to (i == 9 ? "-test" : "-train") ".tsv") }'
    for part in train test; do lines 1 <"$models/talk-$language-$part.tsv" >"$models/talk-$language-$part.jsonl"; done
    lines "" <"$models/talk-$language-test.tsv" >"$models/talk-$language-replies.jsonl"
    model "talk-$language-pairs" pairs "$models/talk-$language-train.jsonl" --seed 1
    model "talk-$language-kinds" classify "$models/talk-$language-train.jsonl" --text question --label intent
    for with in "" "--model $models/talk-$language-pairs"; do
        echo "[$language: replies ${with//"$models"\//}]"
        # shellcheck disable=SC2086
        "$heed" chat $with --replies "$models/talk-$language-replies.jsonl" --test "$models/talk-$language-test.jsonl" | grep Replies
    done
    for with in "" "--intent $models/talk-$language-kinds"; do
        echo "[$language: category ${with//"$models"\//}]"
        # shellcheck disable=SC2086
        "$heed" chat $with --replies "$models/talk-$language-train.jsonl" --test "$models/talk-$language-test.jsonl" | grep Intents
    done
done

echo "== passages"
"$heed" chat --within "$data/wikiqa/test.tsv"
