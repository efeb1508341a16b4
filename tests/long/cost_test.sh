#!/usr/bin/env bash
# What attention costs by length, as `heed bench attention` fits it: time grows as the square of the length where all is
# seen and in proportion to it under a window, over 1k to 64k steps (both to 0.1 in the exponent); and memory above the
# inputs and the output stays, at 16k steps, under a twentieth of one [T,T] matrix of floats, backward included.
# Other work on the machine can bend a fit: each is measured up to five times, and once must be within.
set -uo pipefail
heed=${HEED:-build/heed}
failed=0
number() { grep -o "\"$1\": [0-9.e+-]*" <<<"$2" | tail -1 | cut -d' ' -f2; }

# exponent WANTED NAME options...
exponent() {
    local want=$1 name=$2 json e all=""
    shift 2
    for _ in 1 2 3 4 5; do
        json=$("$heed" bench attention --heads 1 --json "$@") || { echo "FAILED: $name: $json"; failed=1; return; }
        e=$(number exponent "$json")
        all="$all $e"
        if awk -v e="$e" -v w="$want" 'BEGIN { exit !(e >= w - 0.1 && e <= w + 0.1) }'; then
            echo "$name: time grows as length to the power $e (tried:$all)"
            return
        fi
    done
    echo "FAILED: $name: exponents$all, wanted $want"
    failed=1
}

exponent 1 "window of 256, 1k..64k" --len 1024..65536 --window 256
exponent 1 "window of 256 with gradients, 1k..64k" --len 1024..65536 --window 256 --backward
exponent 2 "full, 1k..8k" --len 1024..8192
exponent 2 "causal with gradients, 1k..8k" --len 1024..8192 --causal --backward

# memory NAME options...
memory() {
    local name=$1 json mb
    shift
    json=$("$heed" bench attention --len 16384..16384 --heads 1 --json "$@") || { echo "FAILED: $name: $json"; failed=1; return; }
    mb=$(number megabytes "$json")
    if awk -v mb="$mb" 'BEGIN { exit !(mb < 0.05 * 16384 * 16384 * 4 / 1e6) }'; then
        echo "$name: $mb MB above inputs and output at T=16384, $(awk -v mb="$mb" 'BEGIN { printf "%.2f", 100 * mb / (16384 * 16384 * 4 / 1e6) }') % of T*T floats"
    else
        echo "FAILED: $name: $mb MB at T=16384"
        failed=1
    fi
}
memory "forward"
memory "forward and backward" --backward
exit $failed
