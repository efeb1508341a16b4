#!/usr/bin/env bash
# model.sh BUILD VERSION: makes tests/formats/models/vVERSION, a tiny model folder as this version writes it, and beside it
# vVERSION.tsv with its answers. To be run once for each format_version, by whoever introduces it; never again.
set -euo pipefail
cd "$(dirname "$0")/../models"
build=$1 version=$2
[ -e "v$version" ] && echo "v$version is there and stays as it is" && exit 1
maker=$(mktemp)
trap 'rm -f "$maker"' EXIT
# shellcheck disable=SC2046
"${CC:-cc}" -std=c11 -I../../../include ../make/model.c "$build/libheed.a" $(xargs pkg-config --libs <../../../tools/libraries.txt) -lm -lpthread -o "$maker"
recipe=classic
[ "$version" -lt 3 ] || recipe=attend # whose table is in 8 bits
"$maker" "v$version" "v$version.tsv" "$recipe"
grep -q "\"format_version\": $version," "v$version/config.json"
