#!/usr/bin/env bash
# support.sh: makes what the support desk of the demo answers with: data/support/replies.jsonl and messages.tsv, parts of bitext_support_qa
# (CDLA-Sharing-1.0), and models/support (27 intents) and models/support_pairs (vectors of questions and replies). Rows i of the sets, from 0,
# with i % 10 < 8 are learnt from; messages.tsv has the others, which no model has seen.
# HEED names the program (build/heed), HEED_DATA the folder of the sets (../shared/data).
set -euo pipefail
export HEED_LANG=en # what is read below
heed=${HEED:-build/heed}
source "$(dirname "$0")/data.sh"
need bitext_support_qa
data=$data/bitext_support_qa
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp "$data/LICENSE.txt" data/support/LICENSE
awk -F'\t' 'NR == 1 { print "intent\ttext"; next } (NR - 2) % 10 >= 8 { print $2 "\t" $6 }' "$data/intents.tsv" >data/support/messages.tsv
awk -F'\t' 'NR == 1 { print "intent\ttext"; next } (NR - 2) % 10 < 8 { print $2 "\t" $6 }' "$data/intents.tsv" >"$work/train.tsv"
zstd -dcq "$data/qa.jsonl.zst" | awk -v to="$work/qa" '{ i = (NR - 1) % 10; print > (to (i == 9 ? "-test" : i == 8 ? "-valid" : "-train") ".jsonl") }'

# Replies: 12 of each intent, spread over those of at most 1200 bytes that name no customer's own things: what stands for a number taken
# out, a type of account, an occasion. A number of an order or invoice becomes a placeholder.
# The fields begin and end as the file writes them: {"id", "category", "intent", ..., "question", "reply"}.
sed -E 's/^\{.*"intent": "([a-z_]+)".*"question": (".*"), "reply": (".*"\})$/\1\t{"intent": "\1", "question": \2, "reply": \3/' "$work/qa-train.jsonl" |
    awk -F'\t' '{ at = index($2, "\"reply\""); reply = substr($2, at)
        gsub(/#?[0-9][0-9][0-9][0-9][0-9]+/, ($1 ~ /invoice/ ? "{{Invoice Number}}" : "{{Order Number}}"), reply); print $1 "\t" substr($2, 1, at - 1) reply }' |
    awk -F'\t' '$2 !~ /[0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F][0-9A-F]|[{][{][a-z]|ituation|[Ww]edding|bride/ && ! ($1 ~ /account/ && $2 ~ /"reply".*([Gg]old|[Pp]latinum|[Pp]remium|[Ss]tandard|[Ff]ree|[Pp]ro) /) && length($2) < 1200 {
        n[$1]++; row[$1, n[$1]] = $2; if (n[$1] == 1) order[++k] = $1 }
        END { for (i = 1; i <= k; i++) { w = order[i]; take = n[w] < 12 ? n[w] : 12
            for (j = 0; j < take; j++) print row[w, int(j * n[w] / take) + 1] } }' >data/support/replies.jsonl

"$heed" train classify "$work/train.tsv" -o models/support --vocab 4000 --embed 32 --run none
"$heed" train pairs "$work/qa-train.jsonl" --valid "$work/qa-valid.jsonl" -o models/support_pairs --buckets 2048 --embed 64 --run none
"$heed" test models/support data/support/messages.tsv | grep '^Test Accuracy'
"$heed" test models/support_pairs "$work/qa-test.jsonl" | grep '^Recall'
du -cb models/support/* models/support_pairs/* data/support/* | tail -1
