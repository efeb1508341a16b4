#!/usr/bin/env bash
# check_test.sh: `heed serve --check` and `--graph`: the flows that ship are sound, every mistake of one that
# is not is told with its place, and nothing is opened or made by either.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fail() {
    echo "check_test: $1"
    exit 1
}

for flow in examples/flows/*.yaml; do
    if ! "$HEED" serve "$flow" --check >"$dir/out" 2>"$dir/err"; then
        # one that waits for what its recipe makes lacks files and nothing else
        ! grep -vE "there is no (file|folder) |^heed: .* mistakes?$" "$dir/err" || fail "$flow is not sound"
        continue
    fi
    grep -q '^sources (' "$dir/out" || fail "$flow: nothing is told of its sources"
    "$HEED" serve "$flow" --graph >"$dir/graph"
    [ "$(head -1 "$dir/graph")" = "flowchart LR" ] || fail "$flow: no graph"
    # every edge goes between nodes that the graph has
    grep -oE '^ +[a-z]+[0-9]*( -->| -\.)|> [a-z]+[0-9]*$' "$dir/graph" | grep -oE '[a-z]+[0-9]*' | sort -u |
        while read -r node; do
            grep -qE "^ +$node(\[|\()" "$dir/graph" || fail "$flow: no node $node"
        done
done

printf 'nam: x\nkeep: forever\nsources:\n  a: {kind: csv, path: none.tsv}\n' >"$dir/flow.yaml"
status=0
"$HEED" serve "$dir/flow.yaml" --check >"$dir/out" 2>"$dir/err" || status=$?
[ "$status" = 65 ] || fail "a wrong flow: status $status"
cat >"$dir/should" <<END
$dir/flow.yaml:1:1: unknown key 'nam'; did you mean 'name'?
$dir/flow.yaml:2:7: 'keep' wants a time such as 500ms, 10m, 1h30m or 7d, not 'forever'
$dir/flow.yaml:4:24: 'path': there is no file $dir/none.tsv
heed: $dir/flow.yaml: 3 mistakes
END
diff "$dir/should" "$dir/err" || fail "what is said of a wrong flow"
[ ! -s "$dir/out" ] || fail "a wrong flow: something on standard output"
[ ! -e "$dir/heed.db" ] || fail "a store was made"

# a file's name, which anybody may give, makes no second line of the log and moves no terminal
mkdir "$dir/in"
head -c 2000 /dev/zero >"$dir/in/$(printf 'a\033[2J\nheed: all is well')"
printf 'store: x.db\nsources: {in: {kind: dir, path: %s, most: 1KiB, every: 100ms}}\n' "$dir/in" >"$dir/log.yaml"
"$HEED" serve "$dir/log.yaml" --listen 127.0.0.1:0 --store "$dir/x.db" >/dev/null 2>"$dir/log" &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" || true; rm -rf "$dir"' EXIT
for ((i = 0; i < 600; i++)); do
    ! grep -q larger "$dir/log" || break
    sleep 0.1
done
grep -qF 'a?[2J?heed: all is well: larger' "$dir/log" || fail "the log has $(cat -v "$dir/log")"
