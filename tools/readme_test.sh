#!/usr/bin/env bash
# readme_test.sh BUILD [FILE]: run the C and shell blocks of README.md (or FILE) as they stand: a
# block of C becomes a program against libheed, a block of shell runs at the root of the project
# with BUILD's heed in reach. Blocks that begin with ```console or ```text are for reading only.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
file=${2:-$root/README.md}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

awk -v dir="$dir" '
    /^```(c|sh)$/ { out = sprintf("%s/%03d.%s", dir, ++n, substr($0, 4)); printf "" > out; next }
    /^```/        { out = ""; next }
    out           { print > out }' "$file"
shopt -s nullglob
count=0
for block in "$dir"/*.c "$dir"/*.sh; do
    count=$((count + 1))
    echo "-- $(basename "$file") block $(basename "$block")"
    case $block in
    *.c)
        # shellcheck disable=SC2046
        "${CC:-cc}" -std=c11 -Wall -Wextra -I"$root/include" "$block" "$build/libheed.a" \
            $(xargs pkg-config --libs <"$root/tools/libraries.txt") -lm -lpthread -o "$block.run"
        (cd "$dir" && "$block.run")
        ;;
    *.sh) (cd "$root" && PATH="$build:$PATH" TMPDIR="$dir" bash -euo pipefail "$block") ;;
    esac
done
if [ "$count" = 0 ]; then
    echo "$file: no block to run" && exit 1
fi
