#!/usr/bin/env bash
# run.sh HEED: first real use, what `make run` shows: what messages are about, how sure that is, what the answer attended to,
# and what the model would rather not answer.
set -euo pipefail
heed=$1

echo "What are these messages about? (models/intent, 226 intents; nothing is trained for this)"
"$heed" predict models/intent --explain <<'MESSAGES'
my card was charged twice for the same coffee
how long until the transfer from my other bank arrives
I moved to a new flat, where do I change my address
set an alarm for seven tomorrow morning
MESSAGES

echo
echo "And with --abstain, which answers only where it may:"
"$heed" predict models/intent --abstain <<'MESSAGES'
what is my account balance
the philosopher wrote three books about rivers
MESSAGES

echo
echo "How good is it on 3,080 messages that it has not seen?"
"$heed" test models/intent data/banking77/test.tsv | sed -n 1,5p
echo
echo "Your own: heed train classify YOUR.tsv -o MODEL   (make train shows one: seconds)"
