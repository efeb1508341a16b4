# tools/check_words.sh passes on this tree and finds a private path and a file that is too large.
set -euo pipefail
if ! git rev-parse --git-dir >/dev/null 2>&1; then
    echo "skipped: not a git checkout" && exit 0
fi
tools/check_words.sh

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
git -C "$dir" init -q
mkdir "$dir/data"
echo fine >"$dir/a.c"
truncate -s 5M "$dir/data/b.bin"
git -C "$dir" add -A
tools/check_words.sh "$dir"
echo "x = '/ho""me/somebody/x';" >"$dir/a.c"
truncate -s 5M "$dir/c.bin"
git -C "$dir" add -A
if tools/check_words.sh "$dir" >"$dir/out"; then
    echo "not noticed" && exit 1
fi
grep -q '^a.c:1:' "$dir/out"
grep -q '^c.bin: 5242880 bytes' "$dir/out"
