# tools/check_symbols.sh finds a symbol too many, one too few, and one without a version.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/include/heed"
cat >"$dir/include/heed/a.h" <<'C'
/* HEED_API int heed_comment(void); */
#define HEED_API __attribute__((visibility("default")))
HEED_API int heed_one(int (*f)(void *),
                      int b);
HEED_API extern const int heed_two;
C
good='int heed_one(void) { return 0; } const int heed_two = 2;'
library() { # version script, source
    "$CC" -shared -fPIC -x c -o "$dir/a.so" -Wl,--version-script="$1" - <<<"$2"
}
expect() { # expected lines
    local out=0
    tools/check_symbols.sh "$dir/a.so" "$dir/include" >"$dir/out" || out=1
    diff <(printf '%s' "$1") <(sed "s|$dir/||" "$dir/out")
    [ "$out" = "$([ -z "$1" ] && echo 0 || echo 1)" ]
}
library tools/heed.map "$good"
expect ''
library tools/heed.map "$good int heed_three(void) { return 3; } int other(void) { return 4; }"
expect $'a.so: exports heed_three, which no public header declares\n'
library tools/heed.map "int heed_one(void) { return 0; }"
expect $'a.so: lacks heed_two, which a public header declares\n'
echo 'HEED_1 { global: *; };' >"$dir/other.map"
library "$dir/other.map" "$good int other;"
expect $'a.so: heed_one has no version HEED_0
a.so: heed_two has no version HEED_0
a.so: other has no version HEED_0
a.so: exports other, which no public header declares
'
