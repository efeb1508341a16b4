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
want "an answer about a text of 8 different words: $((rnn + attention + matmul + dense + head)) FLOPs in products"
want "tests/formats/models/v1: classifier, recipe classic, gives one label for a text, 3 labels, [0-9]+ parameters"
want " +part +parameters +FLOPs"
want " +embed +$((50 * 6)) +0"
want " +rnn +$((4 * 8 * (6 + 8) + 2 * 4 * 8)) +$rnn"
want " +attention +$((4 * (8 * 8 + 8))) +$attention"
want " +matmul +0 +$matmul"
want " +dense +$((5 * 8 + 5)) +$dense"
want " +head +$((3 * 5 + 3)) +$head"

# The recipe attend reads words of other texts and earlier ones from rows that it keeps; what is told is a text of 8 words
# that all differ: vectors of 6, 2 queries, a layer of 5, 3 labels. Rows of 8 words and of their 15 runs (the edge and the
# first, both and the second; of 7 words the one before, of 6 the one before that), three products of 6 by 6 each.
said=$("$HEED" info tests/formats/models/v3)
near=$((3 * 2 * 6 * 6 * (8 + 2 + 7 + 6)))
query=$((2 * 2 * 6 * 8)) attention=$((2 * 2 * 6 * 8)) # scores; weighted sums
dense=$((2 * 3 * 6 * 5)) head=$((2 * 5 * 3))
want "an answer about a text of 8 different words: $((near + query + attention + dense + head)) FLOPs in products"
want " +near +$((6 * 3 * 6 + 6)) +$near"
want " +query +$((2 * 6)) +$query"
want " +attention +0 +$attention"
want " +dense +$((5 * 3 * 6 + 5)) +$dense"
want " +head +$((3 * 5 + 3)) +$head"
