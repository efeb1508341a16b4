#!/usr/bin/env bash
# Ready features beside texts (--features): learnt, kept in the model, asked for again; rows counted; labels alone.
set -uo pipefail
. tests/cli/program.sh

# npy FILE SHAPE < numbers as text: a .npy file of '<f4', by printf alone (small whole numbers)
npy() {
    awk -v shape="$2" 'BEGIN {
        header = "{\x27descr\x27: \x27<f4\x27, \x27fortran_order\x27: False, \x27shape\x27: (" shape "), }"
        while ((length(header) + 11) % 64) header = header " "
        printf "\\x93NUMPY\\x01\\x00\\x%02x\\x%02x", (length(header) + 1) % 256, int((length(header) + 1) / 256)
        printf "%s\\n", header }
        { for (i = 1; i <= NF; i++) { # 1.m x 2^e of a float
            x = $i; s = x < 0; if (s) x = -x; e = 127; m = 0
            if (x == 0) e = 0; else { while (x >= 2) { x /= 2; e++ } while (x < 1) { x *= 2; e-- } m = (x - 1) * 128 }
            b = s * 32768 + e * 128 + int(m)
            printf "\\x%02x\\x%02x\\x%02x\\x%02x", 0, int((m - int(m)) * 256), b % 256, int(b / 256) } }' >"$dir/bytes"
    printf '%b' "$(cat "$dir/bytes")" >"$1"
}
# 120 texts that tell nothing and features whose sign is the label; of steps, the label is where the large one stands
awk 'BEGIN { print "label\ttext"; for (i = 0; i < 120; i++) print (i % 2 ? "up" : "down") "\tsome words" }' >"$dir/data.tsv"
awk 'BEGIN { for (i = 0; i < 120; i++) print (i % 2 ? 4 : -4) + i % 3, i % 5 }' >"$dir/numbers"
npy "$dir/x.npy" '120, 2' <"$dir/numbers"
awk 'BEGIN { for (i = 0; i < 120; i++) { for (t = 0; t < 5; t++) printf "%d %d ", t == i % 5 ? (i % 2 ? 6 : -6) : 0, t; print "" } }' | npy "$dir/s.npy" '120, 5, 2'
cut -f2 "$dir/data.tsv" | tail -n +2 >"$dir/texts"

for x in x s; do
    "$heed" train classify "$dir/data.tsv" --features "$dir/$x.npy" -o "$dir/$x" --epochs 10 --run none >"$dir/log" 2>&1 || wrong "train $x: $(cat "$dir/log")"
    right=$("$heed" test "$dir/$x" "$dir/data.tsv" --features "$dir/$x.npy" --json | sed -E 's/.*"accuracy": ([0-9.]+).*/\1/')
    [ "${right%%.*}" = 1 ] || wrong "$x: features that tell the label give $right"
    "$heed" predict "$dir/$x" "$dir/texts" --features "$dir/$x.npy" >"$dir/said" || wrong "predict $x"
    [ "$(head -2 "$dir/said" | cut -f1 | tr '\n' ' ')" = "down up " ] || wrong "$x: predict says $(head -2 "$dir/said")"
    "$heed" predict "$dir/$x" "$dir/texts" --features "$dir/$x.npy" --explain >"$dir/one"
    [ "$(grep -v '^    ' "$dir/one")" = "$(cat "$dir/said")" ] || wrong "$x: one by one and together are not equal"
done
"$heed" train classify "$dir/data.tsv" --features "$dir/x.npy" -o "$dir/again" --epochs 10 --run none --threads 1 >/dev/null 2>&1
cmp -s "$dir/x/model.safetensors" "$dir/again/model.safetensors" || wrong "another model the second time"
"$heed" train classify "$dir/data.tsv" -o "$dir/plain" --epochs 1 --run none >/dev/null 2>&1

# one that starts from another begins with how that one reads features
"$heed" train classify "$dir/data.tsv" --features "$dir/x.npy" --from "$dir/x" --lr 1e-9 --epochs 1 -o "$dir/again" --run none >"$dir/log" 2>&1 || wrong "--from with features: $(tail -1 "$dir/log")"
grep -q "words and layers are taken, the head too" "$dir/log" || wrong "--from with features said: $(cat "$dir/log")"
[ "$("$heed" predict "$dir/again" "$dir/texts" --features "$dir/x.npy" | cut -f1)" = "$("$heed" predict "$dir/x" "$dir/texts" --features "$dir/x.npy" | cut -f1)" ] ||
    wrong "--from a model with features begins elsewhere"

# labels alone
tail -n +2 "$dir/data.tsv" | cut -f1 >"$dir/labels"
"$heed" train classify "$dir/labels" --text none --features "$dir/x.npy" -o "$dir/alone" --epochs 10 --run none >"$dir/log" 2>&1 || wrong "labels alone: $(cat "$dir/log")"
grep -q 'labels alone' "$dir/log" || wrong "not said: labels alone"
[ "$("$heed" predict "$dir/alone" --features "$dir/x.npy" | cut -f1)" = "$(cat "$dir/labels")" ] || wrong "features alone are not answered right"
"$heed" test "$dir/alone" "$dir/labels" --text none --features "$dir/x.npy" >/dev/null || wrong "test of features alone"

# a score, several labels, held-out data and a test of their own
paste <(tail -n +2 "$dir/data.tsv" | cut -f2) "$dir/numbers" | awk -F'[\t ]' 'BEGIN { print "score\ttext" } { print $3 "\t" $1 }' >"$dir/score.tsv"
"$heed" train score "$dir/score.tsv" --features "$dir/x.npy" -o "$dir/sc" --epochs 20 --run none >/dev/null 2>&1 || wrong "train score"
"$heed" test "$dir/sc" "$dir/score.tsv" --features "$dir/x.npy" | said -E '^R2: 0\.9|^R2: 1' || wrong "score: $("$heed" test "$dir/sc" "$dir/score.tsv" --features "$dir/x.npy")"
"$heed" train classify "$dir/data.tsv" --features "$dir/x.npy" --valid "$dir/data.tsv" --valid-features "$dir/x.npy" --test "$dir/data.tsv" \
    --test-features "$dir/x.npy" -o "$dir/v" --epochs 8 --run none 2>&1 | said 'Test Accuracy: 1.0000' || wrong "--valid-features, --test-features"

# what is wrong
head -119 "$dir/data.tsv" >"$dir/short.tsv"
expect 65 "x.npy: 120 rows of features for the 118 texts of" "$heed" train classify "$dir/short.tsv" --features "$dir/x.npy" -o "$dir/no"
expect 65 "lines for 120 rows of features" bash -c "head -5 '$dir/texts' | '$heed' predict '$dir/x' - --features '$dir/x.npy' >/dev/null"
expect 65 ":121: there are 120 rows of features and no more" bash -c "yes word | head -130 | '$heed' predict '$dir/x' - --features '$dir/x.npy' >/dev/null"
expect 64 "this model reads 2 features beside each text, and none are given" "$heed" predict "$dir/x" "$dir/texts"
expect 64 "this model reads texts alone" "$heed" test "$dir/plain" "$dir/data.tsv" --features "$dir/x.npy"
expect 69 "single texts without features" "$heed" test "$dir/v" "$dir/data.tsv" --features "$dir/x.npy" --attack swap
expect 64 "this model reads features without steps" "$heed" test "$dir/x" "$dir/data.tsv" --features "$dir/s.npy"
expect 64 "--features does not go with" "$heed" train classify "$dir/data.tsv" --features "$dir/x.npy" -o "$dir/no" --curve
expect 64 "--valid-features go with" "$heed" train classify "$dir/data.tsv" --valid-features "$dir/x.npy" -o "$dir/no"
expect 64 "--test-features with" "$heed" train classify "$dir/data.tsv" --features "$dir/x.npy" --test "$dir/data.tsv" -o "$dir/no"
expect 65 "data.tsv: is no .npy file" "$heed" train classify "$dir/data.tsv" --features "$dir/data.tsv" -o "$dir/no"
expect 66 "none.npy" "$heed" train classify "$dir/data.tsv" --features "$dir/none.npy" -o "$dir/no"
sed -i 's/"features": 2/"features": 3/' "$dir/x/config.json"
expect 65 "too few for the model that config.json tells of" "$heed" test "$dir/x" "$dir/data.tsv" --features "$dir/x.npy"
# folders that no training writes: features beside pairs, and neither texts nor features
awk -F'\t' 'NR == 1 { print "label\ttext\ttext2"; next } { print $0 "\t" $2 }' "$dir/data.tsv" >"$dir/pairs.tsv"
"$heed" train classify "$dir/pairs.tsv" --pairs -o "$dir/pairs" --epochs 1 --run none >/dev/null 2>&1 || wrong "train pairs"
sed -i 's/"max_len"/"no_texts": true, "max_len"/' "$dir/pairs/config.json"
expect 65 "config.json: no_texts and no array" "$heed" predict "$dir/pairs" --features "$dir/x.npy" --explain
sed -i 's/"max_len"/"array": {"features": 2, "width": 128, "sequence": false, "dropout": 0.1}, "max_len"/' "$dir/pairs/config.json"
expect 65 "config.json: an array beside pairs of texts" "$heed" predict "$dir/pairs" --features "$dir/x.npy" --explain
exit $failed
