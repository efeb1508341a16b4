#!/usr/bin/env bash
# 200 times kill -9 at random instants while three threads append and one commits: nothing acknowledged is lost or doubled.
set -euo pipefail
HEED_KILLS=200 "${BUILD:-build}/tests/store_kill"
