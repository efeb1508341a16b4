#!/usr/bin/env bash
# follow_ups.sh PART: messages that make sense with the one before alone, made from bitext_support_qa's intents.tsv: of a question the
# thing that it is about becomes "it", "that" or "them"; before it stands a question about the same thing, of another intent where
# there is one. Kept are messages whose own words do not say what is meant: in the training part (i % 10 < 8) each of them stands in
# questions about THINGS different things at least (3). JSON lines {"history":[...],"question","intent"} on standard output. PART: test (row i, from 0, with i % 10 = 9) or
# valid (8). HEED_DATA names the folder of the sets (../shared/data).
set -euo pipefail
source "$(dirname "$0")/data.sh"
need bitext_support_qa
part=${1:-test}
awk -F'\t' -v least="${THINGS:-3}" -v part="$part" '
    function escaped(s) { gsub(/\\/, "\\\\", s); gsub(/"/, "\\\"", s); return s }
    # Where the thing stands in text, with what belongs to it before and behind; sets RSTART and RLENGTH.
    function find(text, thing) {
        return match(text, "((one of )?(the|my|your|an|a|some|any|several|last|new|another) )*(" determined ")?" thing "([ ]#?[0-9]+)?( i (have )?made| i (have )?placed)?")
    }
    BEGIN {
        determined = "((Gold|Platinum|Premium|Pro|Standard|Freemium|Free|gold|platinum|premium|pro|standard|freemium|free|user|online|delivery|shipping|secondary|company|corporate|withdrawal|cancellation|early|exit|payment) ?)*"
        n = split("order|purchase;account|profile;invoice|invoices|bill|bills;refund|refunds|reimbursement|rebate|restitution|compensation;address|addresses;fee|fees|penalty|charge|charges;delivery|shipping|shipment;newsletter;password|key|pin code|pin|password;methods|modalities|options;review|feedback|opinion|comment;claim|complaint|reclamation", list, ";")
    }
    function is_common(w) { return index(" a about am an and any are as at be been but by can could d did do does don for from get had has have help how i if in is it its know ll m may me my need no not now of on or our please re s should so some t tell that the their them there they this to u us ve wanna want was we what when where which who why will with would you your ", " " w " ") }
    # Whether every word of text that is not common stands with several things in the training part.
    function vague(text,   n, i, word) {
        n = split(tolower(text), word, /[^a-z0-9]+/)
        for (i = 1; i <= n; i++) if (word[i] != "" && !is_common(word[i]) && stands[word[i]] < least) return 0
        return 1
    }
    NR > 1 {
        text = $6
        i = (NR - 2) % 10
        if (i < 8) {
            for (k = 1; k <= n; k++) if (match(" " tolower(text) " ", "[ ](" list[k] ")[ ?.!,]")) {
                m = split(tolower(text), own, /[^a-z0-9]+/)
                for (w = 1; w <= m; w++) if (!seen[own[w], k]++) stands[own[w]]++
            }
            next
        }
        if (i != (part == "test" ? 9 : 8)) next
        for (k = 1; k <= n; k++) {
            words = split(list[k], word, "|")
            for (w = 1; w <= words; w++) {
                if (tolower(text) ~ "(to|i|you) " word[w] " ") continue # a verb
                if (!find(" " tolower(text) " ", " ?" word[w] "[ ?.!,]")) continue
                count[k]++
                about[k, $2]++
                row[k, count[k]] = text; intent[k, count[k]] = $2; thing[k, count[k]] = word[w]
                k = n + 1
                break
            }
        }
    }
    END {
        for (k = 1; k <= n; k++)
            for (i = 1; i <= count[k]; i++) {
                text = row[k, i]; w = thing[k, i]
                if (!find(tolower(text), w)) continue
                begin = RSTART; len = RLENGTH
                it = w ~ /s$/ ? "them" : (i % 3 == 0 ? "that" : "it")
                follow = substr(text, 1, begin - 1) (begin > 1 && substr(text, begin - 1, 1) != " " ? " " : "") it substr(text, begin + len)
                if (follow == it || !vague(follow)) continue
                # the messages before: of other intents about the thing, else of the same with other words; up to three
                made = 0
                for (other = 1; other >= 0; other--)
                    for (j = 1; j < count[k] && made < 3 && (other || !made); j++) {
                        o = (i + 7 * j - 1) % count[k] + 1
                        if (about[k, intent[k, o]] < 5 || row[k, o] == text || (other && intent[k, o] == intent[k, i])) continue
                        made++
                        printf "{\"history\": [\"%s\"], \"question\": \"%s\", \"intent\": \"%s\"}\n", escaped(row[k, o]), escaped(follow), intent[k, i]
                    }
            }
    }' "$data/bitext_support_qa/intents.tsv"
