#!/usr/bin/env bash
# msra_ner.sh: persons, places and organisations in Chinese news (MSRA), learnt from the set's own training part, of which 3 %
# are held out to choose the epoch; the test part is read once for each seed.   recipes/msra_ner.sh [SEED...]
source "$(dirname "$0")/tag.sh"
tag_seeds msra_ner "--valid-part 0.03 --epochs 3 --batch 32 --buckets 262144 --hidden 192" "$@"
