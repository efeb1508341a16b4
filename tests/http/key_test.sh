#!/usr/bin/env bash
# `heed key`: a key is shown once and stored hashed, in a file that its owner alone may read.
. tests/cli/program.sh
keys=$dir/keys
most=1

expect 0 "only time" "$heed" key add "$keys" anna --scopes read,write --rate 5
key=$(cat "$dir/out")
[[ $key =~ ^heed_[A-Za-z0-9_-]{43}$ ]] || wrong "the key is '$key'"
[ "$(stat -c %a "$keys")" = 600 ] || wrong "mode $(stat -c %a "$keys")"
grep -q "$key" "$keys" && wrong "the key itself is in the file"
sum=$(printf %s "$key" | sha256sum | cut -d' ' -f1)
grep -q "^anna read,write 5 [0-9]* $sum$" "$keys" || wrong "the file says $(cat "$keys")"

expect 0 "" "$heed" key add "$keys" bert
[ "$(cat "$dir/out")" != "$key" ] || wrong "two keys are the same"
expect 64 "there is a key 'anna' already" "$heed" key add "$keys" anna
expect 64 "'a b' is no name of a key" "$heed" key add "$keys" "a b"
expect 64 "'read,all' are no scopes" "$heed" key add "$keys" carl --scopes read,all
expect 64 "takes a file and a name" "$heed" key add "$keys"
expect 64 "not 'sell'" "$heed" key sell "$keys" anna
expect 0 "" "$heed" key list "$keys"
[ "$(grep -c . "$dir/out")" = 3 ] || wrong "list: $(cat "$dir/out")"
grep -q '^anna  *read,write  *5  *20' "$dir/out" || wrong "list: $(cat "$dir/out")"
grep -q '^bert  *read  *no limit ' "$dir/out" || wrong "list: $(cat "$dir/out")"
expect 0 "no longer taken" "$heed" key remove "$keys" anna
expect 66 "there is no key 'anna'" "$heed" key remove "$keys" anna
grep -q anna "$keys" && wrong "anna is still there"
[ "$(stat -c %a "$keys")" = 600 ] || wrong "mode $(stat -c %a "$keys") after removal"
expect 66 "$dir/none" "$heed" key list "$dir/none"
echo "nonsense" >>"$keys"
expect 65 "$keys:3: the line lacks" "$heed" key list "$keys"
expect 65 "$keys:3: " "$heed" key add "$keys" dora
most=99
expect 0 "" "$heed" key --help
exit $failed
