#!/usr/bin/env bash
# `heed info MODEL`: parameters and floating-point operations by part, beside a count by hand: a text of 8 words, vectors
# of 6, an LSTM of 8, 2 heads of 4, a layer of 5, 3 labels.
set -euo pipefail
said=$("$HEED" info tests/formats/models/v1)
rnn=$((2 * 8 * (4 * 8 * 6 + 4 * 8 * 8)))
# pooled by its mean: queries, keys and scores of all words, one row out; under matmul the means of what the values are
# made of, by head, the values of these, and their bias
attention=$((2 * 8 * 2 * 8 * 8 + 2 * 2 * 8 * 8 * 4 + 2 * 8 * 8))
matmul=$((2 * 2 * 8 * 8 + 2 * 2 * 8 * 4 + 2 * 2 * 4))
dense=$((2 * 8 * 5)) head=$((2 * 5 * 3))
want() { grep -Eqx "$1" <<<"$said" || { echo "no line '$1' in"; echo "$said"; exit 1; }; }
want "an answer about a text of 8 words: $((rnn + attention + matmul + dense + head)) FLOPs in products"
want "tests/formats/models/v1: classifier, recipe classic, gives one label for a text, 3 labels, [0-9]+ parameters"
want " +part +parameters +FLOPs"
want " +embed +$((50 * 6)) +0"
want " +rnn +$((4 * 8 * (6 + 8) + 2 * 4 * 8)) +$rnn"
want " +attention +$((4 * (8 * 8 + 8))) +$attention"
want " +matmul +0 +$matmul"
want " +dense +$((5 * 8 + 5)) +$dense"
want " +head +$((3 * 5 + 3)) +$head"
