#!/usr/bin/env bash
# size.sh: files, lines and the longest file of each part, beside a budget of lines. A report: fewer
# lines are no aim, but a part that outgrows its budget should be looked at.
set -euo pipefail
cd "$(dirname "$0")/.."

row() { # part budget files...
    local part=$1 budget=$2
    shift 2
    [ $# -gt 0 ] || return 0
    wc -l "$@" | awk -v part="$part" -v budget="$budget" '
        $2 != "total" { files++; lines += $1; if ($1 > most) { most = $1; name = $2 } }
        END { over = (budget != "-" && lines > budget + 0) ? "   over budget" : ""
              printf("%-10s %5d %7d %7s  %4d %s%s\n", part, files, lines, budget, most, name, over) }'
}
printf '%-10s %5s %7s %7s  %s\n' part files lines budget 'longest file'
mapfile -t headers < <(git ls-files 'include/*.h')
row include 3000 "${headers[@]}"
for part in base:4500 kernels:7000 tensor:2500 ops:12500 nn:3000 io:3000 text:18500 models:2500 train:4000 tasks:12500 \
    app:6000 store:5000 http:4500 flow:14000 serve:10000; do
    mapfile -t files < <(git ls-files "src/${part%%:*}/*.c" "src/${part%%:*}/*.h" "src/${part%%:*}/*.inc")
    row "${part%%:*}" "${part##*:}" "${files[@]}"
done
for part in tests bench examples; do
    mapfile -t files < <(git ls-files "$part/*.c" "$part/*.h" "$part/*.sh" "$part/*.py")
    row "$part" - "${files[@]}"
done
mapfile -t files < <(git ls-files 'tools/*' .ci/run Makefile '*CMakeLists.txt')
row house - "${files[@]}"
