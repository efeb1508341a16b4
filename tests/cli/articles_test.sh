#!/usr/bin/env bash
# articles_test.sh: examples/self_attention.c, multi_head.c and additive.c print what the articles' listings, put
# right, print: every number of tests/golden/articles.txt (made by make/articles.py) to within 2 in the fourth decimal.
set -euo pipefail
fails=0
for name in self_attention multi_head additive; do
    want=$(awk -v name="== $name" '/^== /{on = $0 == name; next} on' tests/golden/articles.txt)
    if ! have=$("$BUILD/examples/$name" 2>&1); then
        echo "$name: failed: $have"
        fails=1
        continue
    fi
    paste -d '\n' <(echo "$want") <(echo "$have") | awk -v name="$name" '
        NR % 2 { want = $0; next }
        want ~ /: refused$/ {            # one sentence about what does not fit
            if ($0 !~ /^7 heads: .*256.* 7 heads/) { print name ": not refused: " $0; bad = 1 }
            next
        }
        {
            n = split(want, w, /[ ,:\[\]]+/); m = split($0, h, /[ ,:\[\]]+/)
            if (n != m) { print name ": " $0 " instead of " want; bad = 1; next }
            for (i = 1; i <= n; i++) {
                if (w[i] ~ /\./) { d = w[i] - h[i]; if (d > 2.5e-4 || d < -2.5e-4) wrong = 1 }
                else if (w[i] != h[i]) wrong = 1
            }
            if (wrong) { print name ": " $0 " instead of " want; bad = 1; wrong = 0 }
        }
        END { exit bad }' || fails=1
done
[ $fails = 0 ] && echo "the articles' programs print what they must"
exit $fails
