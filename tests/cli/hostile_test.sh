#!/usr/bin/env bash
# The program under attack: data, folders and options that nobody sane would give it. Each ends in one clear
# sentence and its own exit status, and nothing that was there is lost.
set -uo pipefail
. tests/cli/program.sh
for i in 1 2 3 4 5 6 7 8; do printf 'yes\tthis is good %s\nno\tthis is bad %s\n' $i $i; done >"$dir/t.tsv"
train() { "$heed" train classify --recipe classic "$dir/t.tsv" --epochs 1 --threads 1 "$@"; }
train -o "$dir/m" >/dev/null 2>"$dir/err" || wrong "train: $(cat "$dir/err")"
echo "this is good" >"$dir/text"

# whatever stands in an argument, what is said of it moves nobody's terminal: one line of well-formed UTF-8
evil=$'\e[31mred\r\x07\xff\xc3'
plain() {
    "$@" </dev/null >"$dir/out" 2>"$dir/err"; local rc=$?
    [ $rc -ge 64 ] && [ $rc -lt 80 ] && [ "$(wc -l <"$dir/err")" = 1 ] || wrong "${*@Q} gave $rc and $(wc -l <"$dir/err") lines: $(cat -v "$dir/err")"
    LC_ALL=C tr -d '\n' <"$dir/err" | LC_ALL=C grep -q '[[:cntrl:]]' && wrong "${*@Q} said control characters: $(cat -v "$dir/err")"
    iconv -f UTF-8 -t UTF-8 "$dir/err" >"$dir/out" 2>&1 || wrong "${*@Q} said what is no UTF-8: $(cat -v "$dir/err")"
}
plain "$heed" "$evil"; plain "$heed" "--$evil"; plain "$heed" --lang "$evil"; plain "$heed" "$(printf '%09000d' 1)"
plain "$heed" info "--$(printf '%09000d' 1)"
for c in "train classify" "train score" "train tag" "train pairs" "train tokenizer" "train vectors" test predict tokenize embed label runs info bench \
    "bench ablate" "bench attention" serve chat "import dialogues" "key add" "key list" "db check" "db query" report forget; do
    plain "$heed" $c "--$evil"; plain "$heed" $c "--lang=$evil"; plain "$heed" --lang zh $c "-$evil" x y z u v w
done
for c in train bench import key db; do plain "$heed" $c "$evil"; done
for o in "--search" "--weights" "--temperature" "--attention" "--precision" "--epochs" "--lr" "--keep" "--weights=topk:"; do
    case $o in *=*) plain "$heed" train classify "$dir/t.tsv" -o "$dir/m" "$o$evil" ;; *) plain "$heed" train classify "$dir/t.tsv" -o "$dir/m" $o "$evil" ;; esac
done
for c in "train classify" test predict embed tokenize info serve report "db check"; do plain "$heed" $c "$dir/$evil" "$dir/$evil"; done

# folders: nothing that is not ours is removed
mkdir "$dir/data"; echo precious >"$dir/data/notes.txt"
expect 74 "holds 'notes.txt', which is no file of a model" train -o "$dir/data"
[ "$(cat "$dir/data/notes.txt")" = precious ] || wrong "training removed a file that was not its own"
expect 74 "" train -o / # a mount point, or in a chroot a folder of other things: left alone either way
grep -Eq "is a mount point|nothing was written" "$dir/err" || wrong "train -o / said $(cat "$dir/err")"
(cd "$dir/m" && expect 0 "" "$(realpath "$heed")" train classify --recipe classic "$dir/t.tsv" -o . --epochs 1; exit $failed) || failed=1
ln -s m "$dir/link"; expect 0 "" train -o "$dir/link"
[ -L "$dir/link" ] && [ -e "$dir/m/config.json" ] || wrong "a link to a model was replaced itself"
expect 0 "" train -o "$dir/slash///"
expect 74 "cannot be made: No such file" train -o "$dir/none/m"
expect 64 "--out wants a name, not ''" train -o ''
expect 74 "Not a directory" train -o "$dir/text/m"
# two at the same time: one of the two, whole
train -o "$dir/both" --seed 1 >/dev/null 2>&1 & one=$!
train -o "$dir/both" --seed 2 >/dev/null 2>&1 & two=$!
wait $one || wrong "the first of two trainings failed"
wait $two || wrong "the second of two trainings failed"
expect 0 "" "$heed" predict "$dir/both" "$dir/text"
[ ! -e "$dir/both.new" ] || wrong "two trainings left a folder behind"

# standard streams that are closed
"$heed" predict "$dir/m" "$dir/text" >&- 2>"$dir/err"; [ $? = 74 ] || wrong "closed stdout: $(cat "$dir/err")"
"$heed" predict "$dir/m" <&- >/dev/null 2>"$dir/err"; [ $? = 74 ] || wrong "closed stdin: $(cat "$dir/err")"
train -o "$dir/closed" >/dev/null 2>&- || wrong "closed stderr: $?"
train -o "$dir/closed" <&- >&- 2>&-; [ $? = 74 ] || wrong "all closed"
expect 0 "" "$heed" predict "$dir/closed" "$dir/text"
for verb in predict "predict --json" embed tokenize; do
    # shellcheck disable=SC2086
    "$heed" ${verb%% *} "$dir/m" $(cut -s -d' ' -f2 <<<"$verb") <<<"where is my card" >/dev/full 2>"$dir/err"; [ $? = 74 ] && [ "$(cat "$dir/err")" = "heed: standard output could not be written" ] || wrong "full device and $verb: $(cat "$dir/err")"
done
"$heed" --version >/dev/full 2>"$dir/err"; [ $? = 74 ] || wrong "full device and --version"

# stopped while it waits for a line: the status of something stopped
mkfifo "$dir/pipe"; : >"$dir/out"
"$heed" predict "$dir/m" <"$dir/pipe" >"$dir/out" 2>"$dir/err" & job=$!
exec 9>"$dir/pipe"; echo "this is good" >&9
until [ -s "$dir/out" ] || ! kill -0 $job 2>/dev/null; do sleep 0.05; done
kill -TERM $job; wait $job; rc=$?; exec 9>&-
[ $rc = 75 ] || wrong "a stopped predict gave $rc, not 75"
grep -q "stopped after line 1" "$dir/err" || wrong "a stopped predict said: $(cat "$dir/err")"

# options
expect 64 "heed train classify: --lr wants a number" train -o "$dir/x" --lr nan
expect 64 "--lr wants a number" train -o "$dir/x" --lr inf
expect 64 "--lr wants a number" train -o "$dir/x" --lr 1e400
expect 64 "--lr wants a number" train -o "$dir/x" --lr 0,01
expect 64 "--seed wants a whole number" train -o "$dir/x" --seed 1e3
expect 64 "--seed wants a whole number" train -o "$dir/x" --seed -1
expect 64 "--seed wants a whole number" train -o "$dir/x" --seed 99999999999999999999
expect 64 "--threads wants a whole number" "$heed" predict "$dir/m" --threads=0
expect 64 "--json takes no value" "$heed" predict "$dir/m" --json=1
expect 64 "one argument too many: 'b'" "$heed" predict "$dir/m" a b
expect 0 "" train -o "$dir/x" -o="$dir/y" --seed=0 --seed=9007199254740992
[ -e "$dir/y/config.json" ] && [ ! -e "$dir/x" ] || wrong "the last -o did not count"
expect 0 "" "$heed" predict "$dir/y" "$dir/text"
train -o "$dir/d0" --dropout 0 >/dev/null 2>&1; ! grep -q '"dropout": 0.[1-9]' "$dir/d0/config.json" ||
    wrong "--dropout 0 was taken for another: $(grep dropout "$dir/d0/config.json")"

# data
data() { expect "$1" "$2" "$heed" train classify --recipe classic "$dir/d.tsv" -o "$dir/x" --epochs 1 --threads 1; }
printf 'a\tb\n\033[31mred\tc\n' >"$dir/d.tsv"; data 65 "d.tsv:2: the label holds a control character"
printf 'a\tb\nc\0d\te\n' >"$dir/d.tsv"; data 65 "d.tsv:2: a zero byte"
printf 'a\tb\n\tc\n' >"$dir/d.tsv"; data 65 "d.tsv:2: the label is empty"
printf '\xef\xbb\xbflabel\ttext\r\na\tone\r\nb\ttwo\r\n\r\n' >"$dir/d.tsv"; data 0 ""
printf 'a"b\t\nc\\d\t\n' >"$dir/d.tsv"; data 0 ""
"$heed" predict "$dir/x" --json --top 2 "$dir/text" | python3 -c 'import json,sys; json.load(sys.stdin)' 2>/dev/null || ! command -v python3 >/dev/null || wrong "labels with quotes gave no JSON"
mkdir "$dir/empty"; expect 66 "no run is there" "$heed" runs "$dir/empty"
expect 65 "is a folder without a folder of texts in it" "$heed" train classify --recipe classic "$dir/empty" -o "$dir/x"
if [ "$(id -u)" != 0 ]; then chmod a-r "$dir/d.tsv"; expect 74 "Permission denied" "$heed" test "$dir/m" "$dir/d.tsv"; fi
head -c 10000000 /dev/zero | tr '\0' 'x' | "$heed" predict "$dir/m" >"$dir/out" 2>"$dir/err" || wrong "a long line: $(cat "$dir/err")"
[ "$(wc -l <"$dir/out")" = 1 ] || wrong "a long line gave $(wc -l <"$dir/out") answers"
seq -s ' ' 5000 | "$heed" predict "$dir/m" --explain --json | said '"text": "5000"' ||
    wrong "of a long text not the words that the model saw are explained"

# model folders that others made
broken() { # STATUS 'part of stderr': $dir/b is m with a change
    expect "$1" "$2" "$heed" predict "$dir/b" "$dir/text"; rm -r "$dir/b"; cp -r "$dir/m" "$dir/b"
}
cp -r "$dir/m" "$dir/b"
edit() { sed -i "$1" "$dir/b/config.json"; }
edit 's/"hidden": [0-9]*/"hidden": 4611686018427387904/'; broken 65 "hidden is 4611686018427387904"
edit 's/"hidden": [0-9]*/"hidden": 20000/'; broken 65 "too few for the model that config.json tells of"
edit 's/"heads": [0-9]*/"heads": -4/'; broken 65 "heads is -4"
edit 's/"vocab": [0-9]*/"vocab": 1000000000/'; broken 65 "where config.json says"
edit 's/"max_len": [0-9]*/"max_len": -1/'; broken 65 "max_len is -1"
edit 's/"no"/"n\\u001bo"/'; broken 65 "labels[0] holds a control character"
edit 's/"no"/"yes"/'; broken 65 "labels[1] is no text in rising order"
edit 's/"task"/"task", "task"/'; broken 65 "config.json:"
edit 's/"seed"/"sead"/'; broken 65 "unknown field sead"
: >"$dir/b/config.json"; broken 65 "config.json:"
rm "$dir/b/config.json"; mkfifo "$dir/b/config.json"; broken 74 "config.json: is not a regular file"
rm "$dir/b/vocab.txt"; mkfifo "$dir/b/vocab.txt"; broken 74 "vocab.txt: is not a regular file"
echo '[[[[' >"$dir/b/config.json"; broken 65 "config.json:"
sed -i 2d "$dir/b/vocab.txt"; broken 65 "where config.json says"
sed -i '2{p}' "$dir/b/vocab.txt"; broken 65 "vocab.txt:3: a repeated word"
sed -i '2s/.*/\xff/' "$dir/b/vocab.txt"; broken 65 "vocab.txt:2: not UTF-8"
rm "$dir/b/model.safetensors"; mkfifo "$dir/b/model.safetensors"; broken 74 "is not a regular file"
size=$(od -An -tu8 -N8 "$dir/m/model.safetensors" | tr -d ' ')
patch() { printf "$1" | dd of="$dir/b/model.safetensors" bs=1 seek="$2" conv=notrunc status=none; }
patch '\xff\xff\xff\xff\xff\xff\xff\x7f' 0; broken 65 "a header of 9223372036854775807 bytes"
sed -i '0,/"data_offsets":\[0,/s//"data_offsets":[8,/' "$dir/b/model.safetensors"; broken 65 "bytes, but its shape"
for i in $(seq 0 999); do printf '\x00\x00\xc0\x7f'; done | dd of="$dir/b/model.safetensors" bs=1 seek=$((size + 8)) conv=notrunc status=none
broken 65 "a logit is not a finite number"
exit $failed
