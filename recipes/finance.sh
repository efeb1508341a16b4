#!/usr/bin/env bash
# finance.sh [DIR]: makes what examples/flows/finance.yaml stands on, in build/finance: two models and five weeks of headlines.
#   sentiment   negative, neutral, positive: finance tweets and sentences (twitter_financial_news `train`, financial_phrasebank)
#   topic       ten topics of Chinese headlines (thucnews10_titles `train`)
#   news.tsv    tweets (`valid`) and headlines (`test`) of the same sets, which no model has seen, on five weeks with a rhythm
#               of day and week (New York's and Beijing's), and two surges in the fifth: 45 negative tweets within 90 minutes
#               on Wednesday, 60 headlines on stocks within two hours on Thursday
# The sets' terms (their META.md) do not let them ship; HEED_DATA names their folder (../shared/data), HEED the program.
set -euo pipefail
heed=${HEED:-build/heed}
source "$(dirname "$0")/data.sh"
need twitter_financial_news financial_phrasebank thucnews10_titles
out=${1:-build/finance}
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mood() { sed -E 's/^bearish\t/negative\t/; s/^bullish\t/positive\t/'; }

{
    printf 'label\ttext\n'
    read_in twitter_financial_news/train.tsv | tail -n +2 | mood
    read_in financial_phrasebank/sentences_50agree.tsv | tail -n +2
} >"$work/sentiment.tsv"
{ printf 'label\ttext\n'; read_in twitter_financial_news/valid.tsv | tail -n +2 | mood; } >"$work/tweets.tsv"
read_in thucnews10_titles/train.tsv >"$work/topic.tsv"
read_in thucnews10_titles/test.tsv >"$work/titles.tsv"
for model in sentiment topic; do
    [ -e "$out/$model/config.json" ] ||
        "$heed" train classify "$work/$model.tsv" -o "$out/$model" --recipe attend --label-smoothing 0.1 --run none
done
"$heed" test "$out/sentiment" "$work/tweets.tsv" | grep -v ' x ' | head -3
"$heed" test "$out/topic" "$work/titles.tsv" | grep -v ' x ' | head -3

{
    tail -n +2 "$work/tweets.tsv" | awk -F'\t' '{ print ($1 == "negative" && ++n <= 45 ? "s" : "e") "\t" $0 }'
    tail -n +2 "$work/titles.tsv" | awk -F'\t' '{ print ($1 == "stocks" && ++n <= 60 ? "t" : "z") "\t" $0 }'
} | LC_ALL=C awk -F'\t' '
    # Park and Miller (1988): the same numbers in every awk
    function draw() { seed = (16807 * seed) % 2147483647; return seed / 2147483647 }
    function weight(hour, zone, day, h) { # of an hour of the week, counted from Monday 00:00 UTC
        hour = (hour + zone + 168) % 168; day = int(hour / 24); h = hour % 24
        return (day < 5 ? 1 : 0.35) * (h < 6 ? 0.2 : h < 9 ? 0.7 : h < 17 ? 1.6 : h < 22 ? 0.9 : 0.4)
    }
    function say(second, kind, i) { # 2026-01-05 was a Monday; the fifth week ends in February
        day = int(second / 86400) + 5; month = day > 31 ? 2 : 1; if (day > 31) day -= 31
        printf "2026-%02d-%02dT%02d:%02d:%02dZ\t%s%05d\t%s\t%s\n", month, day, int(second / 3600) % 24, int(second / 60) % 60,
               second % 60, kind, i, label[kind, i], text[kind, i]
    }
    function swap(kind, a, b, t) {
        t = text[kind, a]; text[kind, a] = text[kind, b]; text[kind, b] = t
        t = label[kind, a]; label[kind, a] = label[kind, b]; label[kind, b] = t
    }
    function spread(kind, zone, total, sum, hour, i) { # len[kind] of them over five weeks
        for (i = len[kind] - 1; i > 0; i--) swap(kind, i, int(draw() * (i + 1))) # the sets are in order of labels
        i = 0
        for (hour = 0; hour < 840; hour++) sum += weight(hour % 168, zone)
        for (hour = 0; hour < 840; hour++) {
            due += len[kind] * weight(hour % 168, zone) / sum * (0.6 + 0.8 * draw())
            for (; due >= 1 && i < len[kind]; due--) say(hour * 3600 + int(draw() * 3600), kind, i++)
        }
    }
    { gsub(/"/, ""); text[$1, len[$1] + 0] = $3; label[$1, len[$1]++] = $2 }
    END {
        seed = 20260105
        spread("e", -5); due = 0; spread("z", 8)
        for (i = 0; i < len["s"]; i++) say(4 * 604800 + 2 * 86400 + 55800 + int(draw() * 5400), "s", i)  # 15:30 UTC
        for (i = 0; i < len["t"]; i++) say(4 * 604800 + 3 * 86400 + 7200 + int(draw() * 7200), "t", i)   # 02:00 UTC
    }' | LC_ALL=C sort >"$work/news.tsv"
{ printf 'time\tid\tgold\ttext\n'; cat "$work/news.tsv"; } >"$out/news.tsv"
wc -l "$out/news.tsv"
