#!/usr/bin/env bash
# service_test.sh: the systemd unit is sound, exposes little, and what it forbids is not needed: memory that is both written
# and executed (PCRE2's compiler then gives way to its interpreter).
set -uo pipefail
. tests/cli/program.sh

mkdir -p "$dir/man/man1" "$dir/bin"
cp docs/heed.1 "$dir/man/man1/"
ln -s "$(realpath "$heed")" "$dir/bin/heed"
sed "s#@CMAKE_INSTALL_FULL_BINDIR@#$dir/bin#" tools/heed.service.in >"$dir/heed.service"
grep -q '@' <(grep -v '^#' "$dir/heed.service" | grep -v 'SystemCallFilter') && wrong "something is left to be filled in"
for must in DynamicUser=yes ProtectSystem=strict NoNewPrivileges=yes MemoryDenyWriteExecute=yes CapabilityBoundingSet= \
    'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX' SystemCallFilter=@system-service UMask=0077; do
    grep -qxF "$must" "$dir/heed.service" || wrong "the unit lacks $must"
done
if command -v systemd-analyze >/dev/null; then
    manual=yes # that the page it names is there is asked of man
    command -v man >/dev/null || { manual=no && echo "man is not here: the unit's manual page is not looked for"; }
    MANPATH="$dir/man:" systemd-analyze verify --man=$manual "$dir/heed.service" >"$dir/verify" 2>&1 || wrong "verify: $(cat "$dir/verify")"
    systemd-analyze security --offline=true --threshold=15 "$dir/heed.service" >"$dir/security" 2>&1 ||
        wrong "exposure: $(tail -1 "$dir/security")"
    # the check can fail
    grep -v '^Protect\|^Private\|^Capability\|^SystemCall' "$dir/heed.service" >"$dir/open.service"
    systemd-analyze security --offline=true --threshold=15 "$dir/open.service" >/dev/null 2>&1 && wrong "an open unit passes"
else
    echo "systemd-analyze is not here: the unit is looked at by its words alone"
fi

# PR_SET_MDWE (Linux 6.3) forbids what MemoryDenyWriteExecute does
cat >"$dir/deny.c" <<'C'
#include <sys/prctl.h>
#include <unistd.h>
int main(int argc, char **argv) {
    if (argc < 2 || prctl(65, 1, 0, 0, 0) != 0) return 77;
    execv(argv[1], argv + 1);
    return 1;
}
C
"${CC:-cc}" -o "$dir/deny" "$dir/deny.c" || wrong "deny.c"
perl -0pe 's/"pre_tokenizer": \{.*?\}/"pre_tokenizer": {"type":"Split","pattern":{"Regex":"[0-9]{2}|(?i:ab)+c?|\\\\s+(?!x)"},"behavior":"Isolated","invert":false}/s' \
    tests/cli/data/tokenizer.json >"$dir/tokenizer.json"
grep -q Regex "$dir/tokenizer.json" || wrong "no regular expression is tested"
printf 'hello 1234 abABc  x the quick\n' >"$dir/text"
"$heed" tokenize "$dir/tokenizer.json" "$dir/text" >"$dir/free" || wrong "tokenize"
"$dir/deny" "$(realpath "$heed")" tokenize "$dir/tokenizer.json" "$dir/text" >"$dir/denied"
case $? in
0) cmp -s "$dir/free" "$dir/denied" || wrong "other tokens where memory is not executed" ;;
77) echo "this Linux cannot deny: skipped" ;;
*) wrong "tokenize fails where memory that is written is not executed" ;;
esac
exit $failed
