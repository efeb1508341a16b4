#!/usr/bin/env bash
# heed train tokenizer: each kind from a small text, the same file twice, opened and used by heed
# tokenize; texts from a table, an archive and standard input; what it refuses.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
fail() {
    echo "$1"
    exit 1
}

for i in $(seq 200); do
    echo "the quick brown fox $i jumps over the lazy dog, and 你好世界 jumps again: déjà vu"
    echo "low lower lowest new newer newest wide wider widest $((i * 7 % 13))"
done >text.txt
(echo $'text\tlabel'; sed 's/$/\ta/' text.txt) >table.tsv
gzip -k text.txt

for kind in bpe wordpiece unigram; do
    "$HEED" train tokenizer text.txt -o $kind.json --kind $kind --vocab 400 >out.txt
    grep -q "^$kind.json: [0-9]* tokens from 400 texts" out.txt || fail "$kind: no summary"
    "$HEED" train tokenizer text.txt.gz -o again.json --kind $kind --vocab 400 >/dev/null
    cmp $kind.json again.json || fail "$kind: an archive gives another file"
    "$HEED" train tokenizer table.tsv --text text -o again.json --kind $kind --vocab 400 >/dev/null
    cmp $kind.json again.json || fail "$kind: a table gives another file"
    "$HEED" train tokenizer - -o again.json --kind $kind --vocab 400 <text.txt >/dev/null
    cmp $kind.json again.json || fail "$kind: standard input gives another file"
    echo '"the newest fox, déjà vu"' | "$HEED" tokenize $kind.json - --json --skip-special >out.txt
    grep -q '"decoded": *"\(the newest fox, d.*j.* vu\)"' out.txt || fail "$kind: $(cat out.txt)"
done
# more merges, fewer tokens: "newest" is one by now, and 256 bytes with one special token are none
"$HEED" train tokenizer text.txt -o bytes.json --kind bpe --vocab 257 >/dev/null
[ "$(echo newest | "$HEED" tokenize bytes.json - | wc -w)" -gt "$(echo newest | "$HEED" tokenize bpe.json - | wc -w)" ] ||
    fail "merges do not shorten"
"$HEED" train tokenizer text.txt -o like.json --kind bpe --like wordpiece.json --special '<a>,<b>' --vocab 200 >/dev/null
grep -q '"BertNormalizer"' like.json || fail "--like has no effect"

for vocab in 5 257; do
    "$HEED" train tokenizer text.txt -o small.json --kind bpe --vocab $vocab >small.txt
    [ "$(grep -c "more than the 5 of --vocab: special tokens and letters alone are so many" small.txt)" = $((vocab == 5)) ] || fail "a vocabulary of $vocab: $(cat small.txt)"
done

refused() {
    local want=$1 status=$2 rc=0
    shift 2
    "$HEED" train tokenizer "$@" >out.txt 2>err.txt || rc=$?
    [ $rc = "$status" ] || fail "$*: status $rc, not $status: $(cat err.txt)"
    grep -q "$want" err.txt || fail "$*: $(cat err.txt)"
}
refused "no tokenizer of kind 'x'" 64 text.txt -o a.json --kind x
refused "needed" 64 text.txt
refused "nothing.txt" 66 nothing.txt -o a.json
: >empty.txt
refused "no piece at all" 65 empty.txt -o a.json
printf 'good\n\377\n' >bad.txt
refused "bad.txt:2: not UTF-8" 65 bad.txt -o a.json
refused "must hold '\[UNK\]'" 64 text.txt -o a.json --kind wordpiece --special '<a>'
refused "there twice" 64 text.txt -o a.json --special '<a>,<a>'
[ ! -e a.json ] || fail "a refused call wrote a file"
