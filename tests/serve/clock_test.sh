#!/usr/bin/env bash
# clock_test.sh: somebody sets the system's clock back by a day, and forward again, under a running server. What is stored keeps
# its order in time, nothing waits for the clock, and a replay decides the same. The clock is one of our own: a library read in
# before the C library, which shifts what clock_gettime(CLOCK_REALTIME) says by what stands in a file.
set -uo pipefail
. tests/cli/program.sh
command -v curl >/dev/null || { echo "curl is not here: skipped"; exit 0; }

cat >"$dir/clock.c" <<'C'
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *now) {
    const int status = (int)syscall(SYS_clock_gettime, id, now);
    if (id != CLOCK_REALTIME) return status;
    char text[32] = "";
    const int fd = open(getenv("SHIFT"), O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && read(fd, text, sizeof text - 1) > 0) now->tv_sec += atol(text);
    if (fd >= 0) close(fd);
    return status;
}
C
"${CC:-cc}" -shared -fPIC -o "$dir/clock.so" "$dir/clock.c" || { wrong "clock.c"; exit 1; }
cat >"$dir/flow.yaml" <<Y
store: heed.db
sources: { push: { kind: push } }
analyses:
  risk: { kind: risk, grades: { high: { words: [stolen] } } }
rules:
  stolen: { kind: match, when: { risk: high }, hold: 1s, to: [out] }
  many: { kind: count, by: [risk], window: 10s, least: 3, hold: 1s, to: [out] }
sinks:
  out: { kind: file, path: $dir/out.jsonl }
Y
export SHIFT=$dir/shift
shift_clock() { echo "$1" >"$SHIFT.new" && mv "$SHIFT.new" "$SHIFT"; }
server=
trap '[ -z "$server" ] || kill -9 "$server" 2>/dev/null; rm -rf "$dir"' EXIT
start() {
    : >"$dir/said" # not what the server before said
    LD_PRELOAD=$dir/clock.so "$heed" serve "$dir/flow.yaml" --listen 127.0.0.1:0 >"$dir/said" 2>"$dir/log" &
    server=$!
    until grep -q 'at http' "$dir/said"; do
        kill -0 "$server" 2>/dev/null || { wrong "it does not start: $(cat "$dir/log")"; exit 1; }
        sleep 0.02
    done
    url=$(grep -o 'http://[0-9.:]*' "$dir/said" | head -1)
    until curl -sf -o /dev/null "$url/ready"; do sleep 0.02; done
}
push() {
    curl -s -m 20 "$url/v1/events" -H 'Content-Type: application/json' -d "{\"id\":\"$1\",\"text\":\"my card was stolen $1\"}" |
        grep -q '"taken":1' || wrong "event $1 is not taken"
}
decided() { # until so many events are decided
    for _ in $(seq 1000); do
        curl -s "$url/v1/events?most=100" | grep -o '"findings":\[{' | wc -l | said -x "$1" && return
        sleep 0.02
    done
    wrong "not $1 events are decided"
}
year() { "$heed" db query "SELECT max(time_ms) FROM entry" --store "$dir/heed.db" | grep -o '[0-9]\{13\}' | head -1; }

shift_clock 0
start
push a; push b; decided 2
before=$(year)
shift_clock -86400
push c; push d; decided 4
[ "$(year)" -ge "$before" ] || wrong "an entry lies before one that came earlier"
[ "$(year)" -lt $((before + 60000)) ] || wrong "the flow's clock runs by itself"
curl -s "$url/v1/alerts" | said '"rule":"many"' || wrong "the window of the count is gone"
kill "$server"; wait "$server" || wrong "it does not stop: $(cat "$dir/log")"
start # with the clock still back: time goes on from the log's last entry
push e; decided 5
[ "$(year)" -ge "$before" ] || wrong "after a start an entry lies before one that came earlier"
shift_clock 0
push f; decided 6
for _ in $(seq 3000); do [ "$(grep -c '"type":"alert"' "$dir/out.jsonl" 2>/dev/null)" -ge 2 ] && break; sleep 0.02; done
[ "$(grep -c '"type":"alert"' "$dir/out.jsonl")" -ge 2 ] || wrong "the sink waits for the clock"
kill "$server"; wait "$server" || wrong "it does not stop: $(cat "$dir/log")"
server=
times=$("$heed" db query "SELECT count(*) FROM entry a JOIN entry b ON b.seq = a.seq + 1 WHERE b.time_ms < a.time_ms" --store "$dir/heed.db" |
    grep -o '[0-9]*' | tail -1)
[ "$times" = 0 ] || wrong "$times entries lie before the one before them"
"$heed" db check --flow "$dir/flow.yaml" >"$dir/check" 2>&1 || wrong "check: $(cat "$dir/check")"
"$heed" db replay "$dir/flow.yaml" >"$dir/replay" 2>&1 || wrong "a replay decides otherwise: $(cat "$dir/replay")"
exit $failed
