#!/usr/bin/env bash
# conll2003.sh: persons, places, organisations and others in English news (CoNLL-2003), learnt from the set's own training part.
# The best epoch is chosen on the validation part; the test part is read once for each seed.   recipes/conll2003.sh [SEED...]
source "$(dirname "$0")/tag.sh"
tag_seeds conll2003 "--epochs 5" "$@"
