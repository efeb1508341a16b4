#!/usr/bin/env bash
# The kind of attention is chosen at training: the model's folder holds it, one thread and two give the same bytes, its answers
# come with the words attended to, and what a recipe has no choice of is refused in one sentence.
set -uo pipefail
. tests/cli/program.sh
awk 'BEGIN { srand(5); split("red green blue", w); split("one two three four five", f)
    for (i = 0; i < 240; i++) { c = 1 + int(rand() * 3); t = ""; n = 1 + int(rand() * 9)
        for (k = 0; k < n; k++) t = t " " f[1 + int(rand() * 5)]
        print w[c] "\tit" t " is " w[c] t } }' >"$dir/t.tsv"
train() {
    case " $* " in *" classic "*) set -- --hidden 16 "$@" ;; esac
    "$heed" train classify "$dir/t.tsv" --embed 16 --run none --lr 0.02 --dropout 0.1 "$@"
}
sum() { cat "$1"/model.safetensors "$1"/config.json | sha256sum; }

while read -r recipe options; do
    for n in 1 2; do
        rm -rf "$dir/m$n"
        # shellcheck disable=SC2086
        train --recipe "$recipe" --epochs 4 $options --threads $n -o "$dir/m$n" >"$dir/log" 2>&1 ||
            wrong "$recipe $options: $(tail -1 "$dir/log")"
    done
    [ "$(sum "$dir/m1")" = "$(sum "$dir/m2")" ] || wrong "$recipe $options: one thread and two differ"
    cmp -s "$dir/m1/model.safetensors" "$dir/plain.$recipe" && wrong "$recipe $options: as without"
    [ "$options" ] || cp "$dir/m1/model.safetensors" "$dir/plain.$recipe"
    echo "it is two one red" | "$heed" predict "$dir/m1" --explain --json >"$dir/out" 2>&1 && grep -q '"weight"' "$dir/out" ||
        wrong "$recipe $options: no words: $(head -c 300 "$dir/out")"
done <<'END'
classic
classic --attention cosine --temperature learned
classic --attention bilinear --pooling max
classic --temperature std
classic --weights sparsemax
classic --weights hard --kv-heads 2
classic --entropy 0.1
encoder
encoder --attention additive --position none
encoder --weights topk:3 --position alibi
encoder --weights gumbel --window 3 --position t5
encoder --temperature 0.5 --truncate 4 --share-layers
encoder --diversity 0.1 --weights softmax
END
"$heed" train classify "$dir/t.tsv" --recipe encoder --embed 16 --weights topk:3 --window 3 --epochs 1 --run none -o "$dir/c" >/dev/null 2>&1
tr -d ' \n' <"$dir/c/config.json" | said '"attention":{"weights":"topk","topk":3,"window":3}' || wrong "config: $(cat "$dir/c/config.json")"

# less entropy where it is asked for: the largest weight of a text grows
largest() { cut -f2 "$dir/t.tsv" | "$heed" predict "$1" --explain --json | grep -o '"weight": [0-9.]*' | cut -d' ' -f2 | sort -g | tail -1; }
train --recipe classic --heads 1 --epochs 6 -o "$dir/wide" >/dev/null 2>&1
train --recipe classic --heads 1 --epochs 6 --entropy 1 -o "$dir/sharp" >/dev/null 2>&1
awk -v a="$(largest "$dir/wide")" -v b="$(largest "$dir/sharp")" 'BEGIN { exit !(b > a) }' || wrong "entropy: $(largest "$dir/wide") and $(largest "$dir/sharp")"

expect 69 "attend has no choice of attention's kind" train --weights sparsemax -o "$dir/x"
expect 69 "a model without attention has no choice" train --recipe classic --attention none --window 3 -o "$dir/x"
expect 64 "--attention is scaled_dot" train --recipe classic --attention cos -o "$dir/x"
expect 64 "--weights is softmax" train --recipe classic --weights topk -o "$dir/x"
expect 64 "K from 1 on, not '0'" train --recipe classic --weights topk:0 -o "$dir/x"
expect 64 "--temperature is a number from 1e-6 to 1e6" train --recipe classic --temperature 0 -o "$dir/x"
expect 64 "--temperature is a number from 1e-6 to 1e6" train --recipe classic --temperature 1e-320 -o "$dir/x"
expect 64 "--weights 应为 softmax" env HEED_LANG=zh "$heed" train classify "$dir/t.tsv" --recipe classic --weights topk -o "$dir/x"
expect 64 "go one at a time" train --recipe classic --entropy 1 --coverage 1 -o "$dir/x"
expect 64 "no multiple of 3 key heads" train --recipe classic --kv-heads 3 -o "$dir/x"
expect 69 "only the recipe encoder has layers to share" train --recipe classic --share-layers -o "$dir/x"
expect 69 "a penalty exists with softmax" train --recipe classic --entropy 1 --weights sparsemax -o "$dir/x"
# a narrower reach at run time: other answers than as trained, beside which they are compared; as wide as the texts, the same
"$heed" test "$dir/wide" "$dir/t.tsv" --window 1 --compare "$dir/wide" >"$dir/out" 2>&1 && grep -q "$dir/wide" "$dir/out" || wrong "reach: $(head -c 300 "$dir/out")"
cut -f2 "$dir/t.tsv" >"$dir/texts"
for o in "--window 1" "--truncate 1"; do
    # shellcheck disable=SC2086
    "$heed" predict "$dir/wide" "$dir/texts" $o | cmp -s - <("$heed" predict "$dir/wide" "$dir/texts") && wrong "$o changes nothing"
    # shellcheck disable=SC2086
    "$heed" predict "$dir/wide" "$dir/texts" ${o% *} 500 | cmp -s - <("$heed" predict "$dir/wide" "$dir/texts") || wrong "$o 500 changes answers"
done
expect 69 "a matter of the recipes classic and encoder, not of attend" "$heed" predict models/intent "$dir/texts" --window 3
[ -e "$dir/x" ] && wrong "a refused training left a model"
exit $failed
