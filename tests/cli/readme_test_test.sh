# tools/readme_test.sh runs what it should run and fails where a block fails or none is there.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/good.md" <<'MD'
# T
```c
#include <heed/base.h>
#include <stdio.h>
int main(void) { return puts(heed_version()) < 0; }
```
```console
exit 1
```
```sh
test -e README.md && echo shell ran
```
```sh serve
curl -s http://127.0.0.1:8080/health
```
MD
out=$(tools/readme_test.sh "$BUILD" "$dir/good.md")
grep -q '^0\.1\.0$' <<<"$out"
grep -q '^shell ran$' <<<"$out"
grep -q '"status":"ok"' <<<"$out"

for block in $'```c\nint main(void) { return 3; }\n```' $'```sh\nfalse\ntrue\n```' \
    $'```c\nint main(void) { return heed_nothing(); }\n```' \
    $'```sh serve\ncurl -s http://127.0.0.1:8080/nothing\n```' 'no block'; do
    printf '%s\n' "$block" >"$dir/bad.md"
    if tools/readme_test.sh "$BUILD" "$dir/bad.md" >/dev/null 2>&1; then
        echo "not noticed: $block" && exit 1
    fi
done
