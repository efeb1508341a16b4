#!/usr/bin/env bash
# Every program of examples/ builds against the installed headers alone, by pkg-config, with the shared and with the static
# library, and does what its first comment says. What the articles' programs print, number by number, is articles_test.sh's.
set -uo pipefail
build=${BUILD:-build}
. tests/cli/program.sh

cmake --install "$build" --prefix "$dir/usr" >/dev/null || exit 1
pc=$(find "$dir/usr" -name heed.pc)
PKG_CONFIG_PATH=$(dirname "$pc"):${PKG_CONFIG_PATH:-}
export PKG_CONFIG_PATH
libdir=$(pkg-config --variable=libdir heed)
[ -e "$libdir/libheed.so" ] || wrong "heed.pc does not say where it was installed, but $libdir"
unit=$dir/usr/lib/systemd/system/heed.service
[ ! -e "$unit" ] || grep -qxF "ExecStartPre=$dir/usr/bin/heed serve --check /etc/heed/flow.yaml" "$unit" ||
    wrong "heed.service does not start the program that was installed"
read -ra cflags <<<"$(pkg-config --cflags heed)"
read -ra shared <<<"$(pkg-config --libs heed) -Wl,-rpath,$libdir"
read -ra static <<<"$libdir/libheed.a $(xargs pkg-config --libs <tools/libraries.txt) -lpthread"
for source in examples/*.c; do
    name=$(basename "$source" .c)
    lines=$(wc -l <"$source")
    [ "$lines" -le 80 ] || wrong "$source has $lines lines, more than 80"
    for kind in shared static; do
        declare -n libs=$kind
        "${CC:-cc}" -std=gnu11 -O1 -Wall -Wextra -Werror "$source" "${cflags[@]}" "${libs[@]}" -lm -o "$dir/$name.$kind" ||
            wrong "$source does not build with the $kind library"
    done
done
# both libraries give the same bits
for name in self_attention multi_head additive own_layer; do
    "$dir/$name.shared" >"$dir/one" || wrong "$name: status $?"
    "$dir/$name.static" >"$dir/two" || wrong "$name, static: status $?"
    [ -s "$dir/one" ] || wrong "$name prints nothing"
    cmp -s "$dir/one" "$dir/two" || wrong "$name prints something else with the static library"
done
[ "$("$dir/self_attention.shared" | awk 'NF == 3' | wc -l)" = 3 ] || wrong "self_attention does not print z [3,3]"
"$dir/multi_head.shared" >"$dir/one"
grep -q 263168 "$dir/one" && grep -q 262400 "$dir/one" || wrong "multi_head: other counts of parameters: $(cat "$dir/one")"

# own_layer: its gradient is the difference's, and its loss falls a hundredfold
"$dir/own_layer.shared" >"$dir/one"
awk '/^gradient/ { d = $2 - $5; if (d > 1e-3 || d < -1e-3) exit 1 }
     /^step/ { if (!n++) first = $4; last = $4 }
     END { exit !(n == 6 && last < first / 100) }' FS='[ ,]+' "$dir/one" || wrong "own_layer: $(cat "$dir/one")"

# where the context cannot be made each says why
for name in self_attention multi_head additive own_layer reviews transformer; do
    HEED_ISA=abacus "$dir/$name.shared" data/banking77/test.tsv data/banking77/test.tsv >"$dir/one" 2>&1 && wrong "$name: no error"
    grep -q "abacus" "$dir/one" || wrong "$name does not say what is wrong, but: $(head -c 300 "$dir/one")"
done

# transformer: a line as in the article for each epoch, and it learns to write backwards: of the digits of 128 sequences
# that it never saw nine in ten are right after six epochs (0.9391), and chance is one in ten
"$dir/transformer.shared" 6 >"$dir/one" || wrong "transformer: status $?"
awk -F'[][/,: ]+' '/^Epoch/ { n++; total = $3; loss = $5; acc = $7 } /^Accuracy: .* %$/ { percent = $2; lines++ }
     END { d = 100 * acc - percent
           exit !(n == 6 && lines == 6 && total == 6 && loss < 0.4 && acc >= 0.9 && d < 0.01 && d > -0.01) }' \
    "$dir/one" || wrong "transformer: $(cat "$dir/one")"
[ $failed = 0 ] && echo "transformer: $(tail -n 2 "$dir/one" | tr "\n" " ")"

# reviews: two classes made of the intents, a card or not; better than to say always the same
for part in train test; do
    awk -F'\t' -v OFS='\t' -v part=$part 'NR > 1 && (part == "test" || NR % 2) { print ($1 ~ /card/ ? "card" : "other"), $2 }' \
        data/banking77/$part.tsv >"$dir/$part.tsv"
done
"$dir/reviews.shared" "$dir/train.tsv" "$dir/test.tsv" >"$dir/one" || wrong "reviews: status $?"
most=$(cut -f1 "$dir/test.tsv" | sort | uniq -c | awk '$1 > n { n = $1 } { all += $1 } END { print n / all }')
awk -v most="$most" '/^Test Loss: [0-9.]+$/ { loss = $3 } /^Test Accuracy: [0-9.]+$/ { right = $3 }
     END { exit !(loss > 0 && loss < 0.69 && right > most + 0.05) }' "$dir/one" ||
    wrong "reviews: $(cat "$dir/one"), and always the same label is right in $most"
[ $failed = 0 ] && echo "reviews: $(tr "\n" " " <"$dir/one")(always the same: $most)"
exit $failed
