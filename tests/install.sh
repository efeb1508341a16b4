#!/usr/bin/env bash
# install.sh BUILD: install into a temporary folder and build a program against what lies there, by
# pkg-config, with the shared and with the static library.
set -euo pipefail
# what the linker finds and the loader does not is of no use: into the system's folders means ldconfig too
grep -q ldconfig <<<"$(make -n -o build install)"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cmake --install "$1" --prefix "$dir" >/dev/null
pc=$(find "$dir" -name heed.pc)
sed -i "s|^prefix=.*|prefix=$dir|" "$pc"
PKG_CONFIG_PATH=$(dirname "$pc"):${PKG_CONFIG_PATH:-}
export PKG_CONFIG_PATH
[ -e "$dir/share/man/man1/heed.1" ]
cat >"$dir/a.c" <<'C'
#include <heed/tensor.h>
#include <stdio.h>
int main(void) {
    heed_error err;
    heed_ctx *cx = heed_ctx_new(&(heed_ctx_cfg){ .threads = 1 }, &err);
    if (!cx) return fprintf(stderr, "%s\n", err.msg), 1;
    const float two = heed_item(heed_scalar(cx, 2));
    heed_ctx_free(cx);
    return two == 2 ? 0 : 2;
}
C
libdir=$(pkg-config --variable=libdir heed)
# shellcheck disable=SC2046
"${CC:-cc}" -std=c11 "$dir/a.c" $(pkg-config --cflags --libs heed) -Wl,-rpath,"$libdir" -o "$dir/shared"
"$dir/shared"
grep -q 'libheed\.so\.0' <<<"$(readelf -d "$dir/shared")"
# shellcheck disable=SC2046
"${CC:-cc}" -std=c11 "$dir/a.c" $(pkg-config --cflags heed) "$libdir/libheed.a" \
    $(xargs pkg-config --libs <tools/libraries.txt) -lm -lpthread -o "$dir/static"
"$dir/static"
for needed in $(readelf -d "$libdir/libheed.so" | sed -n 's/.*NEEDED.*\[\(.*\)\.so.*\]/\1/p'); do
    case $needed in
    libc | libm | libjansson | libpcre2-8 | libutf8proc | libzstd | libz) ;;
    *) echo "libheed.so needs more than it should: $needed" && exit 1 ;;
    esac
done
if [ -e "$1/libheed-serve.so" ]; then # what serves is found where it was installed, and says what it can
    "$dir/bin/heed" db --help >/dev/null
    for needed in $(readelf -d "$dir/bin/heed" | sed -n 's/.*NEEDED.*\[\(.*\)\.so.*\]/\1/p'); do
        case $needed in
        libsqlite3 | libcurl* | libmicrohttpd | libyaml* | libexpat) echo "heed itself loads $needed" && exit 1 ;;
        esac
    done
fi
echo "installed, linked and run"
