#!/usr/bin/env bash
# setup.sh [tests | ci]: install what building needs and this machine lacks, by apt on Debian.
# Silent when nothing is missing; one sentence when it cannot. `tests` adds the browser that looks at
# the page and curl, `ci` that and what .ci/run needs besides.
set -euo pipefail

missing=()
tool() { command -v "$1" >/dev/null 2>&1 || missing+=("${@:2}"); }
library() { pkg-config --exists "$1" 2>/dev/null || missing+=("$2"); }
header() { echo "#include <$1>" | "${@:3}" -E -xc - >/dev/null 2>&1 || missing+=("$2"); }

tool cc gcc libc6-dev
tool make make
tool cmake cmake
tool ninja ninja-build
tool pkg-config pkg-config
library jansson libjansson-dev
library libpcre2-8 libpcre2-dev
library libutf8proc libutf8proc-dev
library libzstd libzstd-dev
library zlib zlib1g-dev
library libmicrohttpd libmicrohttpd-dev
library sqlite3 libsqlite3-dev
library libcurl libcurl4-openssl-dev
library yaml-0.1 libyaml-dev
library expat libexpat1-dev
library cmocka libcmocka-dev
header stdio.h libc6-dev cc

# the page is tested in a browser: 436 MB, and the small one of the fonts that have Chinese; README's examples ask by curl
if [ "${1:-}" = tests ] || [ "${1:-}" = ci ]; then
    tool curl curl
    tool chromium chromium
    tool chromedriver chromium-driver
    /usr/bin/python3 -c 'import selenium' 2>/dev/null || missing+=(python3 python3-selenium)
    compgen -G '/usr/share/fonts/*/*/*CJK*' >/dev/null || [ -d /usr/share/fonts/truetype/wqy ] || missing+=(fonts-wqy-microhei)
fi

if [ "${1:-}" = ci ]; then
    tool clang clang
    tool git git
    tool aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
    tool qemu-aarch64 qemu-user
    header stdio.h libc6-dev-arm64-cross aarch64-linux-gnu-gcc
    tool readelf binutils
    tool localedef libc-bin
    tool man man-db
    tool strace strace
    tool openssl openssl
    [ -e /usr/share/i18n/locales/de_DE ] || missing+=(locales)
    compgen -G '/usr/lib/llvm-14/lib/clang/*/lib/linux/libclang_rt.asan-*.a' >/dev/null ||
        missing+=(libclang-rt-14-dev)
fi

[ ${#missing[@]} -gt 0 ] || exit 0
mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)

cannot() {
    echo "setup: $1; please install: ${missing[*]}" >&2
    exit 1
}
command -v apt-get >/dev/null 2>&1 || cannot "this system has no apt-get"
as_root=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || cannot "not root, and there is no sudo"
    as_root=(sudo)
    [ -t 0 ] || as_root=(sudo -n)
fi

echo "setup: installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1
}
# The lists of packages may be old or, in a bare container, absent.
install || { "${as_root[@]}" apt-get update >>"$log" 2>&1 && install; } ||
    cannot "apt-get could not do it ($(grep -E '^(E:|sudo:)' "$log" | head -1 || true))"
