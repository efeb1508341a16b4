# data.sh: sourced by recipes: the folder of the data sets, $data (HEED_DATA, ../shared/data), and what is in it.
data=${HEED_DATA:-../shared/data}

# need SET...: one sentence where a set is missing, before anything is made
need() {
    local set
    for set; do
        [ -d "$data/$set" ] || { echo "$(basename "$0"): no folder '$data/$set': HEED_DATA names where the data sets are" >&2; exit 66; }
    done
}

# read_in FILE: as text, whether compressed or not
read_in() {
    if [ -e "$data/$1" ]; then cat "$data/$1"; else zstd -dc "$data/$1.zst"; fi
}
