#!/usr/bin/env bash
# The same texts in every form of file, plain, packed and through a pipe, train the very same model; what is
# wrong in a file is told with its place, ten lines of it at once; a file larger than what may be held is read.
set -uo pipefail
. tests/cli/program.sh
most=11
train() { # NAME FILE [options]: the model's hash
    local name=$1; shift
    "$heed" train classify --recipe classic "$@" -o "$dir/m" --epochs 1 --threads 1 >"$dir/out" 2>"$dir/err" ||
        wrong "$name: $(head -c 300 "$dir/err")"
    local hash; hash=$(cat "$dir/m/model.safetensors" "$dir/m/vocab.txt" | sha256sum)
    [ "$hash" = "${first:=$hash}" ] || wrong "$name gives another model; $(head -1 "$dir/out")"
    rm -rf "$dir/m"
}
cd "$dir" || exit 1
mkdir -p f/no f/yes
{ printf 'label\ttext\n'; for i in 1 2 3 4; do printf 'no\tbad, "%s"\n' $i; done
  for i in 1 2 3 4; do printf 'yes\tgood, "%s"\n' $i; done; } >t.tsv
train tsv t.tsv
tail -n +2 t.tsv >plain.txt; train "no header" plain.txt
sed 's/$/\r/; 1s/^/\xef\xbb\xbf/' t.tsv >crlf.tsv; train "CRLF and mark" crlf.tsv
awk -F'\t' '{ gsub(/"/, "\"\"", $2); print $1 ",\"" $2 "\"" }' t.tsv >t.csv; train csv t.csv
awk -F'\t' 'NR > 1 { gsub(/"/, "\\\"", $2); print "{\"id\": " NR ", \"text\": \"" $2 "\", \"label\": \"" $1 "\"}" }' t.tsv >t.jsonl
train jsonl t.jsonl
awk -F'\t' 'NR > 1 { print "__label__" $1 " " $2 }' t.tsv >t.ft; train fastText t.ft
awk -F'\t' 'NR > 1 { printf "%s\n", $2 >"f/" $1 "/" NR ".txt" }' t.tsv; train folder f
gzip -c t.tsv >t.tsv.gz; train gzip t.tsv.gz
{ head -3 t.csv | gzip; tail -n +4 t.csv | gzip; } >t.csv.gz; train "two members" t.csv.gz
! command -v zstd >/dev/null || { zstd -q t.jsonl -o t.jsonl.zst; train zstd t.jsonl.zst; }
train stdin - <t.tsv
tail -n +2 t.csv >nohead.csv; train "CSV without header" nohead.csv; train "CSV without header on stdin" - <nohead.csv
tail -n +2 t.csv | { head -c 9; sleep 0.1; cat; } | train "the same in two parts" - >"$dir/log"; [ ! -s "$dir/log" ] || { cat "$dir/log"; failed=1; }
gzip -c t.jsonl | train "packed stdin" - >"$dir/log"; [ ! -s "$dir/log" ] || { cat "$dir/log"; failed=1; }
awk -F'\t' '{ print $2 "\tx\t" $1 }' t.tsv | tail -n +2 >turned.tsv; train numbers turned.tsv --text 1 --label 3
awk -F'\t' '{ sub(" ", "\t", $2); print $1 "\t" $2 }' t.tsv | sed '1s/.*/y\ta\tb/' >joined.tsv
train "joined columns" joined.tsv --text a,b --label y

sed '1s/.*/标签\t评论/' t.tsv >zh.tsv; train "names in Chinese" zh.tsv

# columns the other way round, which nothing names, are not learnt as they stand
for i in 1 2 3 4 5 6 7 8 9 10 11; do printf 'a good day %s,yes\na bad day %s,no\n' $i $i; done >round.csv
expect 65 "round.csv: read as label, then text, most texts are an earlier one with another label" "$heed" train classify round.csv -o x
expect 0 "" "$heed" train classify round.csv --text 1 --label 2 --epochs 1 --run none -o x
rm -rf x
# a named column is the labelled file's: plain lines without labels go with it
sed '1s/.*/y\tremark/' t.tsv >named.tsv
"$heed" train classify --recipe encoder named.tsv --text remark --label y --pretrain plain.txt --embed 16 --layers 1 --heads 2 --epochs 1 \
    --pretrain-epochs 1 --run none -o x >out 2>err && wrong "two columns without that name were read"
cut -f2 plain.txt >remarks.txt
"$heed" train classify --recipe encoder named.tsv --text remark --label y --pretrain remarks.txt --embed 16 --layers 1 --heads 2 --epochs 1 \
    --pretrain-epochs 1 --run none -o x >out 2>err || wrong "lines without labels: $(cat err)"
grep -q '^remarks.txt: 8 texts;' out || wrong "lines without labels: $(cat out)"
rm -rf x

# predict reads packed lines too
"$heed" train classify --recipe classic t.tsv -o m --epochs 1 >out 2>err || wrong "train: $(cat err)"
cut -f2 plain.txt >lines; gzip -c lines >lines.gz
[ "$("$heed" predict m lines)" = "$("$heed" predict m lines.gz)" ] || wrong "predict of lines and lines.gz differ"

# and the texts of a data file's column, in whatever form: the answers are those to the same lines
awk -F'\t' 'BEGIN { print "id,message" } { gsub(/"/, "\"\"", $2); print NR ",\"" $2 "\"" }' plain.txt >table.csv
[ "$("$heed" predict m table.csv --text message)" = "$("$heed" predict m lines)" ] || wrong "predict --text of a CSV: $("$heed" predict m table.csv --text message)"
[ "$("$heed" predict m --text 2 <plain.txt)" = "$("$heed" predict m lines)" ] || wrong "predict --text of standard input"
[ "$("$heed" predict m table.csv --text message --json --explain)" = "$("$heed" predict m lines --json --explain)" ] || wrong "predict --text --explain"
"$heed" predict m table.csv --text message >out 2>err; [ -s err ] && wrong "predict --text: $(cat err)"
"$heed" predict m table.csv >out 2>err
grep -qx 'heed predict: table.csv: each line is taken for a text; --text COL takes those of a column' err || wrong "a table read as lines: $(cat err)"
mkdir new.csv; cp lines new.csv/lines; gzip -c table.csv >table.csv.gz
"$heed" predict m new.csv/lines >out 2>err; [ -s err ] && wrong "lines in a folder new.csv: $(cat err)"
"$heed" predict m table.csv.gz 2>&1 >out | said 'each line is taken for a text' || wrong "a packed table read as lines"
# who writes at the other end of a pipe gets each answer before the next text
[ "$(first_answer "$(head -1 plain.txt)" "$heed" predict m - --text 2)" = "$(head -1 lines | "$heed" predict m)" ] ||
    wrong "the text of a pipe's first line waits for the next"
expect 66 "table.csv:1: the header has no column 'body' for the text; it has: id, message" "$heed" predict m table.csv --text body

# what has learnt from little attends to all words alike, and does not pretend otherwise
"$heed" train classify t.tsv -o alike --epochs 1 --run none >out 2>err || wrong "train: $(cat err)"
echo "it was good and fine" | "$heed" predict alike --explain | said -x '    it was good and fine  (all words weigh about the same)' ||
    wrong "words that weigh alike: $(echo "it was good and fine" | "$heed" predict alike --explain)"
# nor does it mark every word, where they differ but no word weighs much more than the others
"$heed" train classify --recipe classic t.tsv -o little --epochs 60 --lr 0.01 --run none >out 2>err || wrong "train: $(cat err)"
echo "it was bad bad bad, and 3" | "$heed" predict little --explain | said -xF '    it was [bad] [bad] [bad], and 3' ||
    wrong "the words marked: $(echo "it was bad bad bad, and 3" | "$heed" predict little --explain)"

# words start from a file's vectors
printf '2 4\ngood 1 2 3 4\nzebra 1 1 1 1\n' | gzip >v.vec.gz
"$heed" train classify --recipe classic t.tsv -o mv --epochs 1 --vectors v.vec.gz >out 2>err || wrong "vectors: $(cat err)"
grep -q '^vectors: 1 of the [0-9]* words have one' out || wrong "coverage was not said: $(cat out)"

# what is in training and test data, and what is there twice, is said
{ cat plain.txt; tail -1 plain.txt; printf 'no\tgood, "4"\n'; } >twice.tsv
"$heed" train classify --recipe classic twice.tsv -o m2 --epochs 1 >out 2>err || wrong "train: $(cat err)"
grep -qx 'twice.tsv: 2 texts repeat an earlier one, 1 of them with another label' out || wrong "repeated texts: $(cat out)"
printf '1\tgood\n2\tgood\n2\tbad\n' >marks.tsv
"$heed" train score marks.tsv -o m3 --epochs 1 >out 2>err || wrong "train score: $(cat err)"
grep -qx 'marks.tsv: 1 texts repeat an earlier one, 1 of them with another score' out || wrong "repeated texts: $(cat out)"
{ head -3 plain.txt; printf 'no\tnew\nyes\tbad, "4"\n'; } >new.tsv
"$heed" test m new.tsv --train t.tsv | said -x '4 of them are in t.tsv too, 1 of these with another label' ||
    wrong "texts in both are not counted"

# a column of labels that the model has none of has no loss
printf 'maybe\tgood\nperhaps\tbad\n' >other.tsv
unknown() { grep -q "^no text has a label that the model knows" out && ! grep -q "^Test Loss" out || wrong "unknown labels have a loss: $(cat out)"; }
"$heed" test m other.tsv >out 2>err || wrong "test: $(cat err)"
unknown
"$heed" test m other.tsv --json | said '"loss": null, .*"intervals": {"loss": \[null, null\]' || wrong "unknown labels have a loss: $("$heed" test m other.tsv --json)"
"$heed" train classify --recipe classic t.tsv -o m4 --epochs 1 --run none --test other.tsv >out 2>err || wrong "train: $(cat err)"
unknown

data() { expect "$1" "$2" "$heed" train classify --recipe classic "${3:-d.tsv}" -o x "${@:4}"; }
head -c 50 t.tsv.gz >cut.gz; data 65 "cut.gz: cut short: the archive ends within its data, at byte 50" cut.gz
{ head -c 30 t.tsv.gz; printf 'XXXXXXXX'; tail -c +39 t.tsv.gz; } >bad.gz; data 65 "bad.gz: broken at or before byte" bad.gz
printf 'a\tb\n' | iconv -t UTF-16 2>/dev/null >d.tsv && [ -s d.tsv ] && data 65 "d.tsv:1: UTF-16, not UTF-8"
printf '\xff\xfe\0\0a\0\0\0\t\0\0\0b\0\0\0\n\0\0\0' >d.tsv; data 65 "d.tsv:1: UTF-32, not UTF-8"
printf '\0\0\xfe\xff\0\0\0a\0\0\0\t\0\0\0b\0\0\0\n' >d.tsv; data 65 "d.tsv:1: UTF-32, not UTF-8"
printf 'a\tb\nb\tcaf\xe9\n' >d.tsv; data 65 "d.tsv:2: not UTF-8 (byte 6 is 0xe9)"
grep -q GB18030 err && wrong "Latin-1 is taken for Chinese"
# a header that is wrong itself: no other line is taken for it
for end in tsv csv; do
    s=$([ $end = csv ] && echo , || printf '\t')
    printf 'cat\xe9gorie%stexte\na%sb\nb%sc\n' "$s" "$s" "$s" >"d.$end"
    data 65 "d.$end:1: not UTF-8 (byte 4 is 0xe9)" d.$end --text texte --label categorie
    expect 65 "d.$end:1: not UTF-8 (byte 4 is 0xe9)" "$heed" predict m d.$end --text texte
done
data 64 "labels cannot be cut at an empty text" t.tsv --label-sep ''
printf 'a\tb\nb\t\xc7\xeb\xbd\xab\xcd\xcb\xbf\xee\n' >d.tsv; data 65 "d.tsv:2: not UTF-8 (byte 3 is 0xc7); \`iconv -f GB18030 -t UTF-8\` may help"
HEED_LANG=zh data 65 "d.tsv:2: 不是 UTF-8（第 3 个字节是 0xc7）；可试 \`iconv -f GB18030 -t UTF-8\`"
printf 'good 1 2\nbad 1\n' >v.vec
data 65 "v.vec:2: 1 numbers where there should be 2" t.tsv --vectors v.vec
printf 'text\ttext\nb\tc\n' >d.tsv; data 65 "d.tsv:1: two columns have the name 'text'" d.tsv --text text
printf 'coarse\tfine\ttext\nb\tc\td\n' >d.tsv
data 66 "d.tsv:1: which of 3 columns (coarse, fine, text) is the label? Say --label"
data 66 "the header has no column 'zz' for the label; it has: coarse, fine, text" d.tsv --label zz
{ printf 'text'; for i in $(seq 40); do printf '\tcolumn%02d' "$i"; done; echo; echo a; } >wide.tsv
data 66 "column14, column15, ..." wide.tsv --label zz
{ printf 'a\tb\n'; for i in $(seq 12); do echo one; done; } >d.tsv
data 65 "heed: d.tsv: at least 10 lines are wrong"
[ "$(grep -c '^d.tsv:[0-9]*: 1 column where there should be 2$' err)" = 10 ] || wrong "not ten lines: $(cat err)"
{ printf 'a\tb\nb\tc\nc\t'; head -c 68000000 /dev/zero | tr '\0' x; } | expect 65 "standard input:3: a line of more than 64 MB" \
    "$heed" train classify --recipe classic - -o x
[ ! -e x ] || wrong "a wrong file left a folder"
exit $failed
