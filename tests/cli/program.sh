# program.sh: what tests of the program begin with, read in by them: the program in $heed, a folder of their own in $dir, and
# ways to say what is wrong. A test ends with: exit $failed
heed=${HEED:-build/heed}
case $heed in /*) ;; *) heed=$PWD/$heed ;; esac # wherever a test goes
export HEED_LANG=en # whoever runs it
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
failed=0
most=1 # lines that a refusal may say
wrong() { echo "FAILED: $*"; failed=1; }
# said GREP'S ARGUMENTS: whether it is in standard input, which is read to its end: what writes is not cut short
said() { local all; all=$(cat); grep -q "$@" <<<"$all"; }
# begin LINE program...: the program in the background, its output in $dir/log and $dir/err, until it has said such a line or is
# at its end. A line of what wrote there before is not taken for its own: a signal would come before the program listens.
begin() {
    local line=$1; shift
    rm -f "$dir/log"; : >"$dir/log"
    "$@" >"$dir/log" 2>"$dir/err" & job=$!
    until grep -q "$line" "$dir/log" || ! kill -0 $job 2>/dev/null; do sleep 0.01; done
}
# stop [SIGNAL]: what was begun; its status in $rc
stop() { kill "-${1:-INT}" $job 2>/dev/null; wait $job 2>/dev/null; rc=$?; }
# stopped_at LINE OUT program...: a program that writes the folder OUT, stopped after it has said such a line: 75 in $rc. Where the
# machine lets this shell wait so long that the program is done before the signal comes, it is begun anew with what OUT and
# its run's folder (OUT.run, or what --run names) held before, up to twenty times.
stopped_at() {
    local line=$1 out=$2 try part run=$2.run; shift 2
    [[ " $* " != *" --run "* ]] || { run=" $* "; run=${run##* --run }; run=${run%% *}; }
    rm -rf "$dir/before"; mkdir "$dir/before"
    for part in "$out" "$run"; do [ ! -e "$part" ] || cp -a "$part" "$dir/before"; done
    for try in {1..20}; do
        begin "$line" "$@"; stop
        [ $rc = 0 ] || break
        rm -rf "$out" "$run"
        for part in "$out" "$run"; do [ ! -e "$dir/before/${part##*/}" ] || cp -a "$dir/before/${part##*/}" "$part"; done
    done
    [ "$try" = 1 ] || echo "stopped at '$line' at try $try: $*"
    [ $rc = 75 ] || wrong "try $try to stop at '$line' gave $rc, not 75: $* said '$(tail -1 "$dir/err")'"
}
# first_answer LINE program...: what a program prints that has got one line through a pipe and waits for the next. Its output
# stands before the pipe is opened: what a program before it wrote there is not taken for its own.
first_answer() {
    local line=$1; shift
    rm -f "$dir/live" "$dir/answer"; mkfifo "$dir/live"; : >"$dir/answer"
    "$@" <"$dir/live" >"$dir/answer" & job=$!
    exec 7>"$dir/live"; echo "$line" >&7
    for _ in $(seq 1200); do [ ! -s "$dir/answer" ] && kill -0 $job 2>/dev/null || break; sleep 0.05; done
    cat "$dir/answer"
    exec 7>&-; wait $job
}
# expect STATUS 'part of stderr' command...: one clear sentence and its own exit status
expect() {
    local status=$1 text=$2; shift 2
    "$@" >"$dir/out" 2>"$dir/err"; local rc=$?
    [ $rc = "$status" ] || wrong "$* gave $rc, not $status: $(head -c 300 "$dir/err")"
    [ -z "$text" ] || grep -qF -- "$text" "$dir/err" || wrong "$* said '$(head -c 300 "$dir/err")', not '$text'"
    [ "$(grep -cv "^train " "$dir/err")" -le $most ] || wrong "$* said more than $most lines"
}
