#!/usr/bin/env bash
# train.sh HEED: what `make train` shows: an intent classifier learnt from 10,003 real messages of bank customers, tested, and
# asked about messages that it has not seen.
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
