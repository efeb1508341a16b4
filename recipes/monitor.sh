#!/usr/bin/env bash
# monitor.sh: how good the monitor's alerts are on real headlines: precision, recall, false alarms a week and delay of surges
# planted in six replayed weeks, with the labels that people gave, with those of models trained here and with the scores of
# these models, beside thresholds.
#   recipes/monitor.sh [twitter] [thucnews]
# HEED names the program (build/heed), BENCH the one that replays (build/bench/bench_monitor, made with -DHEED_BENCH=ON),
# HEED_DATA the folder of the sets (../shared/data), WORK a folder to keep what is made, DRAWS how
# many times the weeks are drawn (20).
#   twitter   twitter_financial_news, finance tweets by sentiment: five models, each labels the fifth that it was not trained on
#   thucnews  thucnews10_titles, Chinese headlines by topic: one model, trained on `train`, labels `valid` and `test`
set -euo pipefail
heed=${HEED:-build/heed}
bench=${BENCH:-build/bench/bench_monitor}
source "$(dirname "$0")/data.sh"
need thucnews10_titles twitter_financial_news
if [ -n "${WORK:-}" ]; then work=$WORK && mkdir -p "$work"; else
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi
train() { "$heed" train classify "$1" -o "$2" --recipe attend --valid-part 0.1 --label-smoothing 0.1 --run none >/dev/null 2>&1; }

# scores MODEL: texts in; label, confidence and scores out, calibrated on the tenth that training held out
scores() {
    "$heed" predict "$1" --json -n 5 |
        sed -E 's/^\{"label": "([^"]*)", "confidence": ([^,]*), "labels": (\[[^]]*\]).*/\1\t\2\t{"labels":\3}/'
}

# join_columns LABELLED PREDICTED: gold, predicted, confidence, detail, text
join_columns() {
    printf 'gold\tpredicted\tconfidence\tdetail\ttext\n'
    paste <(cut -f1 "$1") "$2" <(cut -f2 "$1")
}

twitter() {
    local set="$data/twitter_financial_news" fold
    { tail -n +2 "$set/train.tsv"; tail -n +2 "$set/valid.tsv"; } >"$work/all.tsv"
    for fold in 0 1 2 3 4; do
        { printf 'label\ttext\n'; awk -v f=$fold 'NR % 5 != f' "$work/all.tsv"; } >"$work/train.tsv"
        [ -e "$work/twitter$fold" ] || train "$work/train.tsv" "$work/twitter$fold"
        awk -v f=$fold -F'\t' 'NR % 5 == f { print $2 }' "$work/all.tsv" | scores "$work/twitter$fold" |
            awk -v f=$fold '{ print (NR - (f > 0)) * 5 + f "\t" $0 }'
    done | sort -n | cut -f2- >"$work/predicted.tsv"
    join_columns "$work/all.tsv" "$work/predicted.tsv" >"$work/twitter.tsv"
}

thucnews() {
    local set="$data/thucnews10_titles"
    [ -e "$work/thucnews" ] || {
        read_in thucnews10_titles/train.tsv >"$work/train.tsv"
        train "$work/train.tsv" "$work/thucnews"
    }
    { tail -n +2 "$set/valid.tsv"; tail -n +2 "$set/test.tsv"; } >"$work/all.tsv"
    cut -f2 "$work/all.tsv" | scores "$work/thucnews" >"$work/predicted.tsv"
    join_columns "$work/all.tsv" "$work/predicted.tsv" >"$work/thucnews.tsv"
}

[ $# -gt 0 ] || set -- twitter thucnews
for set; do
    $set
    echo "== $set"
    "$bench" "$work/$set.tsv" 6 "${DRAWS:-20}" "$([ "$set" = thucnews ] && echo +08:00 || echo -05:00)"
done
