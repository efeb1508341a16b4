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
# expect STATUS 'part of stderr' command...: one clear sentence and its own exit status
expect() {
    local status=$1 text=$2; shift 2
    "$@" >"$dir/out" 2>"$dir/err"; local rc=$?
    [ $rc = "$status" ] || wrong "$* gave $rc, not $status: $(head -c 300 "$dir/err")"
    [ -z "$text" ] || grep -qF -- "$text" "$dir/err" || wrong "$* said '$(head -c 300 "$dir/err")', not '$text'"
    [ "$(grep -cv "^train " "$dir/err")" -le $most ] || wrong "$* said more than $most lines"
}
