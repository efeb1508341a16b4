#!/usr/bin/env bash
# readme_test.sh BUILD [FILE]: run the C and shell blocks of README.md (or FILE) as they stand: a
# block of C becomes a program against libheed, a block of shell runs at the root of the project
# with BUILD's heed in reach; a block of `sh serve` beside a server of the demo flow, whose address takes the place of
# http://127.0.0.1:8080. Blocks that begin with ```console or ```text are for reading only.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
file=${2:-$root/README.md}
dir=$(mktemp -d)
server=
stop() {
    [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" || true; }
    server=
}
trap 'stop; rm -rf "$dir"' EXIT

# A server of its own, store and all; prints its address.
serve() {
    command -v curl >/dev/null || { echo "readme_test.sh: curl, which blocks of \`sh serve\` ask with, is not installed" >&2 && exit 1; }
    "$build/heed" serve "$root/examples/flows/demo.yaml" --listen 127.0.0.1:0 --store "$dir/demo.db" >"$dir/said" 2>"$dir/log" &
    server=$!
    until grep -q 'at http' "$dir/said"; do
        kill -0 "$server" 2>/dev/null || { cat "$dir/log" >&2 && exit 1; }
        sleep 0.05
    done
    address=$(sed -n 's/.* at //p' "$dir/said")
    until curl -sf "$address/v1/events?most=1" | grep -q '"seq"'; do
        kill -0 "$server" 2>/dev/null || { cat "$dir/log" >&2 && exit 1; }
        sleep 0.05
    done
}

awk -v dir="$dir" '
    /^```(c|sh|sh serve)$/ {
        out = sprintf("%s/%03d.%s", dir, ++n, $0 == "```sh serve" ? "serve" : substr($0, 4)); printf "" > out; next
    }
    /^```/        { out = ""; next }
    out           { print > out }' "$file"
shopt -s nullglob
count=0
for block in "$dir"/*.c "$dir"/*.sh "$dir"/*.serve; do
    count=$((count + 1))
    echo "-- $(basename "$file") block $(basename "$block")"
    case $block in
    *.c)
        # shellcheck disable=SC2046
        "${CC:-cc}" -std=c11 -Wall -Wextra -I"$root/include" "$block" "$build/libheed.a" \
            $(xargs pkg-config --libs <"$root/tools/libraries.txt") -lm -lpthread -o "$block.run"
        (cd "$dir" && "$block.run")
        ;;
    *.serve)
        serve
        sed -i "s#http://127.0.0.1:8080#$address#g; s#curl -s#curl -sS --fail-with-body#" "$block"
        (cd "$root" && PATH="$build:$PATH" TMPDIR="$dir" bash -euo pipefail "$block")
        stop
        rm -f "$dir"/demo.db*
        ;;
    *.sh) (cd "$root" && PATH="$build:$PATH" TMPDIR="$dir" bash -euo pipefail "$block") ;;
    esac
done
if [ "$count" = 0 ]; then
    echo "$file: no block to run" && exit 1
fi
