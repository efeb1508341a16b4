#!/usr/bin/env bash
# heed tokenize: a line out for each line in; JSON; ids back to text; every kind of file; and what it says of bad ones.
set -uo pipefail
. tests/cli/program.sh
# same 'wanted' command...
same() {
    local want=$1 got; shift
    got=$("$@" 2>"$dir/err") || wrong "$* gave $?: $(head -c 300 "$dir/err")"
    [ "$got" = "$want" ] || wrong "$*"$'\n'"  said $got"$'\n'"  not  $want"
}
t=tests/cli/data/tokenizer.json
printf 'Hello, wörld!\n\n  unaffable Café 日本\n' >"$dir/text"
same $'[CLS] hello , world ! [SEP]\n[CLS] [SEP]\n[CLS] un ##aff ##able caf ##e 日 本 [SEP]' "$heed" tokenize $t "$dir/text"
same $'hello , world !\n\nun ##aff ##able caf ##e 日 本' "$heed" tokenize $t "$dir/text" --no-special
printf '"Hello, w\\u00f6rld!"\n{"text": "日本"}\n{"text": "hello", "pair": "日 world"}\n""\n"a\\u0000b"\n' >"$dir/lines"
same '{"ids": [2, 5, 8, 6, 7, 3], "offsets": [[0, 0], [0, 5], [5, 6], [7, 12], [12, 13], [0, 0]], "tokens": ["[CLS]", "hello", ",", "world", "!", "[SEP]"], "decoded": "[CLS] hello, world! [SEP]"}
{"ids": [2, 14, 15, 3], "offsets": [[0, 0], [0, 1], [1, 2], [0, 0]], "tokens": ["[CLS]", "日", "本", "[SEP]"], "decoded": "[CLS] 日 本 [SEP]"}
{"ids": [2, 5, 3, 14, 6, 3], "offsets": [[0, 0], [0, 5], [0, 0], [0, 1], [2, 7], [0, 0]], "tokens": ["[CLS]", "hello", "[SEP]", "日", "world", "[SEP]"], "decoded": "[CLS] hello [SEP] 日 world [SEP]"}
{"ids": [2, 3], "offsets": [[0, 0], [0, 0]], "tokens": ["[CLS]", "[SEP]"], "decoded": "[CLS] [SEP]"}
{"ids": [2, 1, 3], "offsets": [[0, 0], [0, 3], [0, 0]], "tokens": ["[CLS]", "[UNK]", "[SEP]"], "decoded": "[CLS] [UNK] [SEP]"}' \
    "$heed" tokenize $t "$dir/lines" --json
same '{"ids": [2, 5, 3], "offsets": [[0, 0], [0, 5], [0, 0]], "tokens": ["[CLS]", "hello", "[SEP]"], "decoded": "hello"}' \
    "$heed" tokenize $t - --json --skip-special <<<'"hello"'
same $'[CLS] hello, world! [SEP]\nunaffable' "$heed" tokenize $t - --decode <<<$'2 5 8 6 7 3\n[11, 12, 13]'
same 'hello' "$heed" tokenize $t - --decode --skip-special <<<$'2 5 3\n'
same '{"ids": [5, 999], "decoded": "hello"}' "$heed" tokenize $t - --decode --json <<<'5,999'

# the other files
mkdir "$dir/bert" "$dir/gpt" "$dir/empty"
printf '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\n##s\n' >"$dir/bert/vocab.txt"
same '[CLS] hello ##s [MASK] [SEP]' "$heed" tokenize "$dir/bert" - <<<'HellÓs [MASK]'
printf '{"do_lower_case": false}' >"$dir/bert/tokenizer_config.json"
same '[CLS] [UNK] hello [SEP]' "$heed" tokenize "$dir/bert/vocab.txt" - <<<'Hellos hello'
printf '{"h":0,"e":1,"he":2,"\\u0120":3,"\\u0120he":4}' >"$dir/gpt/vocab.json"
printf '#version: 0.2\nh e\n\xc4\xa0 he\n' >"$dir/gpt/merges.txt"
same 'he Ġhe h' "$heed" tokenize "$dir/gpt" - <<<'he heh'
same 'he he' "$heed" tokenize "$dir/gpt/merges.txt" - --decode <<<'2 4'
cp $t "$dir/bert/tokenizer.json"
same '[CLS] world [SEP]' "$heed" tokenize "$dir/bert" - <<<'World'

# a model: what it reads where it has no tokenizer
same $'Where is my card - 2 ?\n\n信 用 卡 naïve' "$heed" tokenize models/intent - <<<$' Where is  my card-2?\n\n信用卡 naïve'
old=tests/formats/models
same '{"ids": [1, 2, 6], "offsets": [[0, 1], [2, 4], [4, 5]], "tokens": ["é", "My", "?"], "decoded": "é My ?"}' \
    "$heed" tokenize $old/v2 - --json <<<'"é My?"'
same '{"ids": [], "offsets": [], "tokens": [], "decoded": ""}' "$heed" tokenize $old/v2 - --json <<<'" "'
same '{"ids": [0, -1, -1], "offsets": [[0, 2], [3, 5], [6, 7]], "tokens": ["my", "is", "é"], "decoded": "my is é", "rows": [[0, 38, 18, 31, 11, 26], [8, 15], []]}' \
    "$heed" tokenize $old/v3 - --json <<<'"my is é"'
expect 69 "standard input:1: a model of words has no pairs" "$heed" tokenize $old/v2 - --json <<<'{"text": "a", "pair": "b"}'
expect 69 "v2: a model of words, whose numbers are not told back" "$heed" tokenize $old/v2 - --decode <<<'1'
HEED_LANG=zh expect 69 "v2：按词读取的模型，编号不能还原为文本" "$heed" tokenize $old/v2 - --decode <<<1
expect 65 "standard input:1: not UTF-8 at byte 1" "$heed" tokenize $old/v2 - < <(printf 'a\xff\n')
expect 65 "standard input:1: a NUL byte in the text" "$heed" tokenize $old/v2 - --json <<<'"a\u0000b"'
printf '{"model_type": "bert"}' >"$dir/bert/config.json"
same '[CLS] world [SEP]' "$heed" tokenize "$dir/bert" - <<<'World'
cp -r $old/v2 "$dir/torn" && head -c 100 $old/v2/config.json >"$dir/torn/config.json"
expect 65 "torn" "$heed" tokenize "$dir/torn" - <<<'a'

# what it refuses
expect 66 "no tokenizer.json, vocab.txt" "$heed" tokenize "$dir/empty" "$dir/text"
expect 66 "none.json" "$heed" tokenize "$dir/none.json" "$dir/text"
expect 66 "none.txt" "$heed" tokenize $t "$dir/none.txt"
expect 64 "see --help" "$heed" tokenize
expect 64 "--skip-special goes with --json or --decode" "$heed" tokenize $t "$dir/text" --skip-special
expect 65 "standard input:2: not JSON at column" "$heed" tokenize $t - --json <<<$'"fine"\n"not'
expect 65 "standard input:1: neither a JSON string nor" "$heed" tokenize $t - --json <<<'[1]'
expect 65 "standard input:1: 'x' is no id" "$heed" tokenize $t - --decode <<<'5 x'
expect 65 "standard input:1: not UTF-8 at byte 1" "$heed" tokenize $t - < <(printf 'a\xff\n')
expect 65 "standard input:1: a line of more than 64 MB" "$heed" tokenize $t - < <(head -c 70000000 /dev/zero | tr '\0' a)
head -c 900 $t >"$dir/cut.json"
expect 65 "cut.json:" "$heed" tokenize "$dir/cut.json" "$dir/text"
change() { sed "$1" $t >"$dir/changed.json"; }
change 's/"BertPreTokenizer"/"Sentences"/'
expect 69 "changed.json: pre_tokenizer: there is no pre-tokenizer 'Sentences'" "$heed" tokenize "$dir/changed.json" "$dir/text"
change 's/"type": "WordPiece",$/"type": "Morse",/'
expect 69 "changed.json: decoder: there is no decoder 'Morse'" "$heed" tokenize "$dir/changed.json" "$dir/text"
change 's/"lowercase": true/"lowercase": 1/'
expect 65 "changed.json: normalizer: lowercase is not true or false" "$heed" tokenize "$dir/changed.json" "$dir/text"
change 's/"version": "1.0"/"version": "2.0"/'
expect 69 "changed.json: version is not 1.0" "$heed" tokenize "$dir/changed.json" "$dir/text"
exit $failed
