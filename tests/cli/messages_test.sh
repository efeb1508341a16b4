#!/usr/bin/env bash
# The program's messages in Chinese: help, training, tests and errors; who chooses the language; and that what machines read
# is the same in every language.
set -uo pipefail
. tests/cli/program.sh
unset HEED_LANG LC_ALL LC_MESSAGES LANG LANGUAGE
zh() { HEED_LANG=zh "$heed" "$@"; }
# says FILE TEXT...: each is in the file
says() {
    local file=$1 text; shift
    for text; do grep -qF -- "$text" "$file" || wrong "no '$text' in: $(head -c 600 "$file")"; done
}

# every line of help has been translated: letters that are not ASCII are in it
for command in "" train "train classify" "train score" "train pairs" "train tag" "train tokenizer" "train vectors" test predict tokenize embed \
    label runs info bench "bench ablate" serve chat import key db report forget "bench serve"; do
    # shellcheck disable=SC2086
    zh $command --help >"$dir/help" 2>"$dir/err" || grep -q 'libheed-serve.so' "$dir/err" && [ -s "$dir/err" ] && continue
    [ -s "$dir/help" ] || wrong "$command --help in Chinese: status $?"
    LC_ALL=C grep -E '^  ' "$dir/help" | LC_ALL=C grep -vE $'[\xe3-\xef]' && wrong "of '$command --help' these are not in Chinese"
    sed -n 3p "$dir/help" | LC_ALL=C grep -qE $'[\xe3-\xef]' || wrong "the summary of '$command' is not in Chinese"
done

# who chooses: --lang before HEED_LANG before LC_ALL before LC_MESSAGES before LANG
heading() { env "$@" "$heed" --help | head -1; }
chinese=$(heading HEED_LANG=zh)
english=$(heading HEED_LANG=en)
[ "$chinese" != "$english" ] || wrong "both languages say the same"
for set in LANG=zh_CN.UTF-8 LC_ALL=zh_TW.utf8 LC_MESSAGES=zh "HEED_LANG=zh LC_ALL=en_US.UTF-8" "LC_ALL= LC_MESSAGES=zh_CN.UTF-8 LANG=C"; do
    # shellcheck disable=SC2086
    [ "$(heading $set)" = "$chinese" ] || wrong "with $set not in Chinese"
done
for set in X=1 LANG=C LC_ALL=C.UTF-8 "HEED_LANG=en LC_ALL=zh_CN.UTF-8" "LC_ALL=en_GB.UTF-8 LANG=zh_CN.UTF-8" LANG=zh_CN.GB18030; do
    # shellcheck disable=SC2086
    [ "$(heading $set)" = "$english" ] || wrong "with $set not in English"
done
[ "$("$heed" --lang zh --help | head -1)" = "$chinese" ] || wrong "--lang zh before the command"
[ "$(zh --lang=en --help | head -1)" = "$english" ] || wrong "--lang=en before the command"
[ "$("$heed" help train score)" = "$("$heed" train score --help)" ] || wrong "help train score is not train score --help"
"$heed" test --help --lang zh >"$dir/help"
says "$dir/help" "评测模型"
expect 64 "--lang is en or zh, not 'fr'" "$heed" --lang fr --help
expect 64 "--lang is en or zh, not 'fr'" "$heed" runs --lang fr

# the commonest mistakes, whole sentences
HEED_LANG=zh expect 66 "$dir/none/config.json：无法打开：没有这个文件或目录" "$heed" predict "$dir/none" /dev/null
HEED_LANG=zh expect 66 "$dir/none：无法打开：没有这个文件或目录" "$heed" train classify "$dir/none" -o "$dir/x"

# sentences within sentences: what is wrong with a line of JSON, a tokenizer, a folder, in Chinese to the end
half() { # half 'the sentence' command...: it ends so
    local want=$1; shift
    HEED_LANG=zh "$@" >"$dir/out" 2>"$dir/err"
    [ "$(tail -1 "$dir/err")" = "heed: $want" ] || wrong "not '$want' but: $(tail -1 "$dir/err")"
}
object() { printf '%s\n' "$1" >"$dir/x.jsonl"; half "$dir/x.jsonl:1: $2" "$heed" train classify "$dir/x.jsonl" -o "$dir/x"; }
object '{"text": "a" "label": "b"}' "第 20 列：'\"label\"' 处：缺少逗号或“}”"
object '{"text": "a", "label": "b"' "第 26 列：末尾：缺少逗号或“}”"
object '{"text": "a", "text": "b"}' "第 20 列：'\"text\"' 处：键重复"
object '{"text": "a", "label": {"x": 1}}' "标签是对象"
tokenizer=tests/cli/data/tokenizer.json
printf '\xff\n' >"$dir/bad"; half "$dir/bad:1: 第 0 个字节（从 0 数起）起不是 UTF-8" "$heed" tokenize $tokenizer "$dir/bad"
printf '{"a": 1}\n' >"$dir/bad"; half "$dir/bad:1: 既不是 JSON 字符串，也不是 {\"text\": \"...\"}" "$heed" tokenize $tokenizer "$dir/bad" --json
half "$dir/bad:1: “{\"a\":”不是编号" "$heed" tokenize $tokenizer "$dir/bad" --decode
sed -z 's/"vocab"/"vocib"/' $tokenizer >"$dir/t.json"
half "$dir/t.json：model：vocab 不是词元与编号的对象" "$heed" tokenize "$dir/t.json" "$dir/bad"
sed -z 's/"model"/"modle"/' $tokenizer >"$dir/t.json"; half "$dir/t.json：缺少 model" "$heed" tokenize "$dir/t.json" "$dir/bad"

# from data to answers
awk 'BEGIN { print "label\ttext"; for (i = 0; i < 60; i++) print (i % 2 ? "good\tlovely fine day " : "bad\tawful grim night ") i }' >"$dir/data.tsv"
zh train classify "$dir/data.tsv" -o "$dir/m" --epochs 2 --test "$dir/data.tsv" >"$dir/train" 2>&1 || wrong "training: $(cat "$dir/train")"
says "$dir/train" "60 条文本；制表符分隔；文本取自列 'text'，标签取自列 'label'" "留作验证：6 / 60 条文本（按标签）" "内存：至多" "轮次 [1/2]，损失：" \
    "2 个标签" "训练用时" "报告：" "测试准确率：" "条文本/秒"
says "$dir/m.run/report.html" '<html lang="zh">' "由 attend 学得" "学习过程" "宏平均 F1" "混淆" "最有把握的错误" "精确率"
sed 's/<[^>]*>/ /g' "$dir/m.run/report.html" | grep -E 'Learning|Labels|held out|mistakes|answered' && wrong "these lines of the page are English"
zh test "$dir/m" "$dir/data.tsv" >"$dir/test" || wrong "test"
says "$dir/test" "测试损失：" "宏平均 F1：" "（95 %：" "精确率"
zh test "$dir/m" - <"$dir/data.tsv" >"$dir/stdin" || wrong "test of standard input"
says "$dir/stdin" "标准输入：60 条文本"
grep -E 'Test|text' "$dir/test" | grep -v "'text'" && wrong "these lines of a test are English"
zh bench ablate classify "$dir/data.tsv" --epochs 1 --seeds 1 >"$dir/ablate" || wrong "ablate"
says "$dir/ablate" "准确率" "相差" "原样" "无注意力" " 至 "
zh bench ablate classify "$dir/data.tsv" --epochs 1 --seeds 1 --json | said '"form": "as it is"' || wrong "JSON in Chinese"
cut -f2 "$dir/data.tsv" >"$dir/texts"
zh label "$dir/m" "$dir/data.tsv" -n 2 | said ' 或 ' || wrong "label in Chinese"
zh runs "$dir/m.run" >"$dir/runs"
says "$dir/runs" "训练" "最好" "结束方式"
zh info "$dir/m" >"$dir/info"
says "$dir/info" "分类器，配方 attend，对一段文本给出一个标签，2 个标签"

# what is wrong with a model, with arrays, with a flow file
cp -r "$dir/m" "$dir/broken"
sed -i 's/"keep"[^,]*,//; s/"seed": [0-9]*/"seed": "x"/' "$dir/broken/config.json"
half "$dir/broken/config.json：seed 不是整数" "$heed" info "$dir/broken"
head -c 3000 "$dir/m/model.safetensors" >"$dir/broken/model.safetensors"; cp "$dir/m/config.json" "$dir/broken/"
HEED_LANG=zh expect 65 "但共有 " "$heed" info "$dir/broken"
HEED_LANG=zh HEED_ISA=mmx expect 64 "HEED_ISA: “mmx”不是指令集；可用的有 scalar" "$heed" predict "$dir/m" "$dir/texts"
if zh serve --help >/dev/null 2>&1; then
    printf 'sources: {a: {kind: csvv}, b: {kind: csv}}\nrulez: 1\n' >"$dir/flow.yaml"
    zh serve --check "$dir/flow.yaml" 2>"$dir/err"
    says "$dir/err" "1:21: “kind”为“csvv”，应为以下之一：csv " "是否想写“csv”？" "1:28: csv 类的来源缺少“path”" "没有“rulez”这个键；是否想写“rules”？" "flow.yaml：3 处错误"
    half "$dir/none.db：没有这个文件或目录" "$heed" db check --store "$dir/none.db"
    half "db 有 check、backup、query、vacuum、replay 与 feedback，没有“quary”" "$heed" db quary
fi

# what machines read, and the lines of answers
for command in "test $dir/m $dir/data.tsv --json" "predict $dir/m $dir/texts" "predict $dir/m $dir/texts --abstain" "predict $dir/m $dir/texts --json" \
    "label $dir/m $dir/data.tsv --json" "runs $dir/m.run --json" "embed $dir/m $dir/texts"; do
    # shellcheck disable=SC2086
    LC_ALL=de_DE.UTF-8 "$heed" $command >"$dir/en" 2>/dev/null
    # shellcheck disable=SC2086
    LC_ALL=zh_CN.UTF-8 "$heed" $command >"$dir/zh" 2>/dev/null
    [ -s "$dir/en" ] || wrong "$command says nothing"
    cmp -s "$dir/en" "$dir/zh" || wrong "$command depends on the language"
done
zh train classify "$dir/data.tsv" -o "$dir/m2" --epochs 2 --run none >/dev/null 2>&1
HEED_LANG=en "$heed" train classify "$dir/data.tsv" -o "$dir/m3" --epochs 2 --run none >/dev/null 2>&1
cmp -s "$dir/m2/model.safetensors" "$dir/m3/model.safetensors" || wrong "a model depends on the language"
cmp -s "$dir/m2/config.json" "$dir/m3/config.json" || wrong "a model's config depends on the language"

# errors: a sentence in Chinese, the same status
export HEED_LANG=zh
printf 'label\ttext\na\tb\tc\n\tx\n' >"$dir/bad.tsv"
printf 'label\ttext\na\tb\n\tx\n' >"$dir/bad1.tsv"
printf 'label\ttext\na\tb\na\tc\n' >"$dir/one.tsv"
expect 66 "none.tsv：无法打开：没有这个文件或目录" "$heed" train classify "$dir/none.tsv" -o "$dir/x"
expect 65 "bad1.tsv:3: 标签为空" "$heed" train classify "$dir/bad1.tsv" -o "$dir/x"
most=3 expect 65 "bad.tsv:2: 有 3 列，应为 2 列" "$heed" train classify "$dir/bad.tsv" -o "$dir/x"
expect 65 "所有文本的标签都是“a”" "$heed" train classify "$dir/one.tsv" -o "$dir/x"
expect 64 "--epochs 应为 1 到 1000000 之间的整数，而不是“x”；详见 --help" "$heed" train classify "$dir/data.tsv" -o "$dir/x" --epochs x
expect 64 "没有选项“--nope”" "$heed" test --nope
expect 64 "没有命令“tset”" "$heed" tset
expect 64 "heed train: 没有配方“best”；可选 attend, classic" "$heed" train classify "$dir/data.tsv" -o "$dir/x" --recipe best
exit $failed
