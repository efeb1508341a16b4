#!/usr/bin/env bash
# bc5cdr.sh: chemicals and diseases in English abstracts (BioCreative V CDR), learnt from the set's own training part.
# The best epoch is chosen on the validation part; the test part is read once for each seed.   recipes/bc5cdr.sh [SEED...]
source "$(dirname "$0")/tag.sh"
tag_seeds bc5cdr "--epochs 5" "$@"
