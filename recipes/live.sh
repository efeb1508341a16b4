#!/usr/bin/env bash
# live.sh [DIR]: makes data/live, the stream that `make run` replays: five minutes of messages as they might come in at a
# support desk, eight a second, from the test parts of banking77 (CC BY 4.0) and clinc150 (CC BY 3.0) and from bitext's support
# questions (CDLA-Sharing 1.0). From 0:45 to 1:30 something breaks: messages of customers whose card does not work come on top, eight
# a second (banking77's, of both parts). Times and order are drawn by a fixed rule. HEED_DATA names the folder of the data sets.
set -euo pipefail
source "$(dirname "$0")/data.sh"
need bitext_support_qa clinc150
out=${1:-data/live}
mkdir -p "$out"
{
    tail -n +2 data/banking77/test.tsv | awk -F'\t' '$1 != "card_not_working" { print "bank\t" $1 "\t" $2 }'
    tail -n +2 "$data/clinc150/test.tsv" | awk -F'\t' '{ print "assistant\t" $1 "\t" $3 }'
    tail -n +2 "$data/bitext_support_qa/intents.tsv" | awk -F'\t' 'NR % 4 == 0 { print "shop\t" $2 "\t" $6 }'
    tail -n +2 data/banking77/test.tsv | awk -F'\t' '$1 == "card_not_working" { print "surge\t" $1 "\t" $2 }'
    tail -n +2 data/banking77/train.tsv | awk -F'\t' '$1 == "card_not_working" { print "surge\t" $1 "\t" $2 }'
} | LC_ALL=C awk -F'\t' '
    # Park and Miller (1988): the same numbers in every awk
    function draw() { seed = (16807 * seed) % 2147483647; return seed / 2147483647 }
    function stamp(ms) {
        return sprintf("2026-01-05T09:%02d:%02d.%03dZ", int(ms / 60000), int(ms / 1000) % 60, ms % 1000)
    }
    function say(ms, from, i) {
        printf "%s\tm%05d\t%s\tcustomer-%03d\t%s\t%s\n", stamp(ms), ++n, from == "surge" ? "bank" : from, 1 + int(draw() * 400),
               label[from, i], text[from, i]
    }
    { gsub(/"/, ""); text[$1, len[$1] + 0] = $3; label[$1, len[$1]++] = $2 }
    END {
        seed = 20260105; from[0] = from[1] = "bank"; from[2] = "assistant"; from[3] = "shop"
        print "time\tid\tfrom\tuser\tintent\ttext"
        for (ms = 0; ms < 300000; ms += 125) {
            at = from[int(draw() * 4)]
            say(ms, at, int(draw() * len[at]))
            if (ms >= 45000 && ms < 90000) say(ms + 60, "surge", told++ % len["surge"])
        }
    }' >"$out/messages.tsv"
wc -l "$out/messages.tsv"
