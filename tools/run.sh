#!/usr/bin/env bash
# run.sh HEED: first real use, what `make run` shows: train an intent classifier on real messages of
# bank customers, test it, and answer three messages that it has not seen.
set -euo pipefail
heed=$1
model=$(dirname "$heed")/banking77

"$heed" train classify data/banking77/train.tsv -o "$model"
"$heed" test "$model" data/banking77/test.tsv
"$heed" predict "$model" --explain <<'MESSAGES'
my card was charged twice for the same coffee
how long until the transfer from my other bank arrives
I moved to a new flat, where do I change my address
MESSAGES
