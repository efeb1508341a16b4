#!/usr/bin/env bash
# check_symbols.sh LIBRARY [INCLUDE]: libheed.so exports what the public headers declare, under the
# version HEED_0, and nothing else; and what they declare exists.
set -euo pipefail
library=$1
include=${2:-$(dirname "$0")/../include}

# A declaration marked HEED_API runs to its ';' or, with a body of attributes, its '('.
declared=$(cat "$include"/heed/*.h | perl -0777 -ne '
    s{/\*.*?\*/|//[^\n]*}{}gs;
    s/^[ ]*#[^\n]*(?:\\\n[^\n]*)*//gm;
    while (/\bHEED_API\b([^;]*);/g) { print "$1\n" if $_[0] = $1, $_[0] =~ /\b(heed_\w+)\s*(?:\(|\[|$)/ }' |
    LC_ALL=C sort -u)
exported=$(nm -D --defined-only "$library" | awk '$2 != "A" { print $3 }' | LC_ALL=C sort -u)
bad=0
while read -r symbol; do
    [ -n "$symbol" ] || continue
    name=${symbol%%@*}
    if [ "${symbol#*@}" != "@HEED_0" ]; then
        echo "$library: $name has no version HEED_0"
        bad=1
    fi
    if ! grep -qx "$name" <<<"$declared"; then
        echo "$library: exports $name, which no public header declares"
        bad=1
    fi
done <<<"$exported"
names=$(sed 's/@.*//' <<<"$exported")
while read -r name; do
    if [ -n "$name" ] && ! grep -qx "$name" <<<"$names"; then
        echo "$library: lacks $name, which a public header declares"
        bad=1
    fi
done <<<"$declared"
exit $bad
