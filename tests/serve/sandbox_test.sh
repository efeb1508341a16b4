#!/usr/bin/env bash
# sandbox_test.sh: heed serves within what tools/heed.service leaves it: no right of root, one folder to write to, no device, the
# system calls of the unit's own filter, no memory both written and executed. The same is asked of it as outside: events in, labels,
# alerts, search, a webhook and a feed on this machine, a reload, a stop. And what is forbidden is tried, so that the cage is one.
set -uo pipefail
. tests/cli/program.sh
command -v curl >/dev/null || { echo "curl is not here: skipped"; exit 0; }
[ "$(id -u)" = 0 ] || echo "not root: system calls and rights alone are taken away, no file system is made read-only"

# the calls of the unit's SystemCallFilter lines, as systemd itself spells them out
calls() {
    local name
    for name in "$@"; do
        case $name in
        @*) calls $(systemd-analyze syscall-filter "$name" | sed 's/#.*//' | awk 'NR > 1 { print $1 }') ;;
        *) echo "$name" ;;
        esac
    done
}
: >"$dir/calls"
if command -v systemd-analyze >/dev/null; then
    calls $(sed -n 's/^SystemCallFilter=\([^~].*\)/\1/p' tools/heed.service.in) | sort -u >"$dir/allowed"
    calls $(sed -n 's/^SystemCallFilter=~\(.*\)/\1/p' tools/heed.service.in) | sort -u >"$dir/denied"
    # execve is how systemd itself starts the program within the filter; namespaces are RestrictNamespaces
    { comm -23 "$dir/allowed" "$dir/denied" | grep -vxE 'unshare|setns'; echo execve; } | sort -u >"$dir/calls"
    [ "$(wc -l <"$dir/calls")" -gt 150 ] || wrong "the unit's filter is not understood"
else
    echo "systemd-analyze is not here: no filter of system calls"
fi
echo '#include <sys/syscall.h>' | "${CC:-cc}" -E -dM - | sed -n 's/^#define __NR_\([a-z0-9_]*\) .*/{ "\1", __NR_\1 },/p' >"$dir/calls.inc"
"${CC:-cc}" -I"$dir" -o "$dir/cage" tests/serve/sandbox/cage.c || { wrong "cage.c"; exit 1; }

mkdir -p "$dir/app" "$dir/state"
cp -L "$heed" "$dir/app/heed"
cp -L "${BUILD:-build}"/libheed-serve.so* "$dir/app/"
cp -r models/intent models/language "$dir/app/"
printf '<rss><channel><item><guid>f1</guid><title>a feed tells of a stolen card</title></item></channel></rss>' >"$dir/app/feed"
chmod 711 "$dir"; chmod -R a+rX "$dir/app"; chmod 700 "$dir/state"
[ "$(id -u)" != 0 ] || chown 65534:65534 "$dir/state"
cat >"$dir/app/flow.yaml" <<Y
name: caged
listen: 127.0.0.1:0
sources:
  push: { kind: push }
  lines: { kind: tail, path: $dir/state/lines, from: start }
analyses:
  intent: { kind: classify, model: $dir/app/intent }
  language: { kind: language, model: $dir/app/language }
  seen: { kind: novelty }
  risk: { kind: risk, grades: { high: { words: [stolen] } } }
rules:
  stolen: { kind: match, when: { risk: high }, hold: 1s, to: [out, hook] }
stories: true
sinks:
  out: { kind: file, path: $dir/state/out.jsonl }
  hook: { kind: webhook, url: "http://127.0.0.1:9/", allow_private: true }
Y
chmod a+r "$dir/app/flow.yaml"
server=
trap '[ -z "$server" ] || kill -9 "$server" 2>/dev/null; rm -rf "$dir"' EXIT
caged() { "$dir/cage" "$dir/state" "$dir/calls" "$@"; }

caged "$dir/app/heed" serve --check "$dir/app/flow.yaml" >"$dir/said" 2>"$dir/log"
case $? in
0) ;;
77) echo "this system lets no cage be built ($(head -1 "$dir/log")): skipped"; exit 0 ;;
*) wrong "serve --check: $(cat "$dir/log")" ;;
esac
"$dir/cage" "$dir/state" "$dir/calls" "$dir/app/heed" serve "$dir/app/flow.yaml" --store "$dir/state/heed.db" >"$dir/said" 2>"$dir/log" &
server=$!
until grep -q 'at http' "$dir/said"; do
    kill -0 "$server" 2>/dev/null || { wrong "it does not start: $(cat "$dir/log")"; exit 1; }
    sleep 0.05
done
url=$(grep -o 'http://[0-9.:]*' "$dir/said" | head -1)
until curl -sf -o /dev/null "$url/ready"; do sleep 0.05; done
ask() { curl -s -m 20 -H 'Content-Type: application/json' "$url$1" "${@:2}"; }
until_says() { # 'part' path: until the answer has it
    for _ in $(seq 1200); do ask "$2" | said "$1" && return; sleep 0.05; done
    wrong "$2 never says $1: $(ask "$2" | head -c 300)"
}
ask /v1/events -d '[{"id":"1","text":"my card was stolen"},{"id":"2","text":"what is my balance"}]' | said '"taken":2' || wrong "push"
ask /v1/classify -d '{"text":"where is my new card"}' | said '"label":"card_arrival"' || wrong "classify"
echo "a line about a stolen card" >"$dir/line" && cat "$dir/line" >>"$dir/state/lines"; chmod a+r "$dir/state/lines"
until_says 'a line about' /v1/events
until_says '"rule":"stolen"' /v1/alerts
until_says '"hits":\[{' '/v1/search?q=stolen'
for path in / /health /metrics /openapi.json /docs /v1/system /v1/flow /v1/models '/v1/why?seq=2'; do
    curl -sf -m 20 -o /dev/null "$url$path" || wrong "$path"
done
(curl -sN -m 2 "$url/v1/stream" || true) | said ':' || wrong "stream"
until_says 'Failed to connect' /v1/system # the webhook tried
until grep -q stolen "$dir/state/out.jsonl" 2>/dev/null; do sleep 0.05; done
kill -HUP "$server"
until grep -qi 'reload\|read again' "$dir/log"; do kill -0 "$server" || break; sleep 0.05; done
ask /v1/classify -d '{"text":"where is my new card"}' | said card_arrival || wrong "classify after a reload"
if [ "$(id -u)" = 0 ]; then
    grep -q '^Uid:	65534	65534	65534	65534' "/proc/$server/status" || wrong "it is not nobody"
    grep -q '^CapEff:	0000000000000000' "/proc/$server/status" || wrong "it has capabilities"
    grep -q '^CapBnd:	0000000000000000' "/proc/$server/status" || wrong "it could get capabilities"
    [ "$(stat -c '%a %u' "$dir/state/heed.db")" = "600 65534" ] || wrong "the store is not its own"
fi
grep -q '^NoNewPrivs:	1' "/proc/$server/status" || wrong "it may gain rights"
grep -q '^Seccomp:	2' "/proc/$server/status" || wrong "no filter of system calls"
grep -q 'denied\|EPERM\|not permitted' "$dir/log" && wrong "something is refused to it: $(grep -m1 'not permitted\|denied' "$dir/log")"
kill "$server"
wait "$server" || wrong "it does not end well: $(tail -3 "$dir/log")"
server=

# the cage holds
cat >"$dir/try.c" <<'C'
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char **argv) {
    const int all = argc > 1 && strcmp(argv[1], "all") == 0;
    if (socket(AF_NETLINK, SOCK_RAW, 0) >= 0 || socket(AF_PACKET, SOCK_RAW, 0) >= 0) return puts("other sockets"), 1;
    if (all && syscall(SYS_ptrace, 0, 0, 0, 0) >= 0) return puts("ptrace"), 1;
    if (all && (syscall(SYS_unshare, 0x10000000) == 0 || errno != EPERM)) return puts("unshare"), 1;
    if (all && (syscall(SYS_mount, 0, "/", 0, 0, 0) == 0 || errno != EPERM)) return puts("mount"), 1;
    if (geteuid() == 0 || setuid(0) == 0) return puts("root"), 1;
    if (open("/etc/heed-was-here", O_WRONLY | O_CREAT, 0600) >= 0 || open("/tmp/heed-was-here", O_WRONLY | O_CREAT, 0600) >= 0 ||
        open("/dev/shm/heed-was-here", O_WRONLY | O_CREAT, 0600) >= 0)
        return puts("a file elsewhere"), 1;
    if (open("/dev/mem", O_RDONLY) >= 0 || open("/dev/kmsg", O_RDONLY) >= 0 ) return puts("a device"), 1;
    if (mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) puts("no-mdwe");
    return open("here", O_WRONLY | O_CREAT, 0600) >= 0 ? 0 : (puts("not even its own folder"), 1);
}
C
if [ "$(id -u)" = 0 ]; then
    "${CC:-cc}" -o "$dir/app/try" "$dir/try.c" && chmod a+rx "$dir/app/try"
    caged "$dir/app/try" "$([ -s "$dir/calls" ] && echo all)" >"$dir/tried" || wrong "the cage is open: $(cat "$dir/tried")"
    grep -q no-mdwe "$dir/tried" && echo "this Linux cannot deny memory that is written and executed"
fi
exit $failed
