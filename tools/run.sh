#!/usr/bin/env bash
# run.sh HEED: first real use, what `make run` shows: what messages are about and what the model would rather not answer; then the
# demo flow serves a page with a stream of real messages, until ^C (RUN_SECONDS=20: for so long; RUN_ONLY=predict: not at all).
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
"$heed" test models/intent data/banking77/test.tsv | sed -n 1,6p
echo
echo "Your own: heed train classify YOUR.tsv -o MODEL   (make train shows one: seconds)"
[ "${RUN_ONLY:-}" != predict ] || exit 0

# A store of its own, gone afterwards: the stream begins at its beginning, and its surge comes after 45 seconds.
store=$(mktemp -d)
trap 'rm -rf "$store"' EXIT
trap : INT TERM # heed gets them too, and finishes what it has taken
port=${PORT:-8080}
! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || port=0
echo
echo "The same live: messages as they come in at a support desk (examples/flows/demo.yaml); ^C ends it."
"$heed" serve examples/flows/demo.yaml --listen "127.0.0.1:$port" --store "$store/demo.db" --show 8 \
    ${RUN_SECONDS:+--seconds "$RUN_SECONDS"}
