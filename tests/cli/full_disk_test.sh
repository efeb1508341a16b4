#!/usr/bin/env bash
# A full disk, a read-only one, and kill -9 in the middle of a save: one clear sentence, the old model whole, nothing left
# beside it after the next save. The disk is a tmpfs where this user may mount one, and a limit on the size of files always.
set -uo pipefail
heed=$(realpath "${HEED:-build/heed}")
dir=$(mktemp -d)
trap 'umount "$dir/disk" 2>/dev/null; rm -rf "$dir"' EXIT
failed=0
wrong() { echo "FAILED: $*"; failed=1; }
(head -1 data/banking77/train.tsv; awk 'NR > 1 && NR % 60 == 0' data/banking77/train.tsv) >"$dir/small.tsv"
train() { "$heed" train classify --recipe classic "$dir/small.tsv" --epochs 1 --vocab 50 --max-len 16 --threads 1 --valid-part 0 --run none "$@" >"$dir/log" 2>&1; }
whole() { cat "$1"/{config.json,vocab.txt,model.safetensors} | sha256sum; }
# The save to $1 with seed 2 must fail with status 74 and 'text', and leave what was there.
expect_refused() {
    local to=$1 text=$2 before after rc; shift 2
    before=$(whole "$to")
    train -o "$to" --seed 2 "$@"; rc=$?
    after=$(whole "$to")
    [ $rc = 74 ] || wrong "$text: status $rc, not 74: $(tail -1 "$dir/log")"
    grep -q "$text" "$dir/log" || wrong "not '$text' but: $(tail -1 "$dir/log")"
    [ "$before" = "$after" ] || wrong "$text: the old model has changed"
    [ "$(ls -A "$(dirname "$to")")" = "$(basename "$to")" ] || wrong "$text: left behind: $(ls -A "$(dirname "$to")")"
}

mkdir "$dir/disk" "$dir/plain"
if mount -t tmpfs -o size=400k none "$dir/disk" 2>/dev/null; then
    train -o "$dir/disk/m" --seed 1 || wrong "train: $(cat "$dir/log")"
    expect_refused "$dir/disk/m" "model.safetensors: cannot be written: No space left on device"
    # where the run's folder lies on another disk, the model is there
    train -o "$dir/disk/m" --seed 2 --run "$dir/elsewhere"; rc=$?
    [ $rc = 74 ] && grep -q "; the model is in $dir/elsewhere/model" "$dir/log" || wrong "not kept elsewhere: status $rc, $(tail -1 "$dir/log")"
    "$heed" predict "$dir/elsewhere/model" <<<"my card" >/dev/null || wrong "the model kept elsewhere does not open"
    # and so with pairs and taggers
    big="--embed 256 --hidden 128 --epochs 1 --valid-part 0 --threads 1"
    for kind in pairs tag; do
        data=tests/cli/data/people.conll more=
        [ "$kind" = tag ] || { data=$dir/pairs.tsv; awk -F'\t' 'NR > 1 { print $1 "\t" $2 }' "$dir/small.tsv" >"$data"; more="--recipe classic"; }
        # shellcheck disable=SC2086
        "$heed" train "$kind" "$data" $more $big -o "$dir/disk/$kind" --run "$dir/elsewhere.$kind" >"$dir/log" 2>&1; rc=$?
        [ $rc = 74 ] && grep -q "No space left on device; the model is in $dir/elsewhere.$kind/model" "$dir/log" || wrong "$kind: status $rc, $(tail -1 "$dir/log")"
        [ "$(ls -A "$dir/disk")" = m ] || wrong "$kind: left behind: $(ls -A "$dir/disk")"
    done
    mount -o remount,ro "$dir/disk"
    expect_refused "$dir/disk/m" "Read-only file system"
    mount -o remount,rw,size=1m "$dir/disk"
    train -o "$dir/disk/m" --seed 2 || wrong "room again: $(cat "$dir/log")"
    [ "$(ls -A "$dir/disk")" = m ] || wrong "left behind: $(ls -A "$dir/disk")"
    rm -r "$dir/disk/m"
    train -o "$dir/disk" --seed 2; rc=$?
    [ $rc = 74 ] && grep -q "is a mount point" "$dir/log" || wrong "mount point: status $rc, $(cat "$dir/log")"
    grep -q "^train" "$dir/log" && wrong "a mount point is refused only after the training"
    echo "tmpfs: full, read-only, mount point"
else
    echo "skipped: a real full disk and a read-only one (mount is not allowed here)"
fi

train -o "$dir/plain/m" --seed 1 || wrong "train: $(cat "$dir/log")"
one=$(whole "$dir/plain/m")
(trap '' XFSZ; ulimit -f 100; train -o "$dir/plain/m" --seed 2); rc=$?
[ $rc = 74 ] || wrong "a limit on files: status $rc: $(tail -1 "$dir/log")"
grep -q "model.safetensors: cannot be written: File too large" "$dir/log" || wrong "a limit on files: $(tail -1 "$dir/log")"
[ "$one" = "$(whole "$dir/plain/m")" ] || wrong "a limit on files: the old model has changed"
[ "$(ls -A "$dir/plain")" = m ] || wrong "a limit on files: left behind: $(ls -A "$dir/plain")"

# killed as soon as the new folder is there, a little later each time
train -o "$dir/plain/m" --seed 2 || wrong "train: $(cat "$dir/log")"
two=$(whole "$dir/plain/m")
[ "$one" != "$two" ] || wrong "two seeds, one model"
killed=0
for i in 0 1 2 3 4 5 6 7 8 9; do
    "$heed" train classify --recipe classic "$dir/small.tsv" --epochs 1 --vocab 50 --max-len 16 --threads 1 --valid-part 0 --run none --seed $((1 + i % 2)) \
        -o "$dir/plain/m" >/dev/null 2>&1 &
    job=$!
    # the first m.new is the trial before the training; the second one has files in it
    until [ -e "$dir/plain/m.new/config.json" ] || ! kill -0 $job 2>/dev/null; do :; done
    [ $i -lt 4 ] || sleep "0.00$i"
    kill -9 $job 2>/dev/null && killed=$((killed + 1))
    wait $job 2>/dev/null
    is=$(whole "$dir/plain/m")
    [ "$is" = "$one" ] || [ "$is" = "$two" ] || wrong "killed in save $i: neither the old model nor the new one"
    echo "where is my card" | "$heed" predict "$dir/plain/m" >/dev/null || wrong "killed in save $i: does not open"
done
[ $killed -gt 0 ] || wrong "nothing was killed"
train -o "$dir/plain/m" --seed 1 || wrong "after kills: $(cat "$dir/log")"
[ "$(whole "$dir/plain/m")" = "$one" ] || wrong "after kills another model than before"
[ "$(ls -A "$dir/plain")" = m ] || wrong "after kills: left behind: $(ls -A "$dir/plain")"
echo "$killed of 10 runs killed while saving"
exit $failed
