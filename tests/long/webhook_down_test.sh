# A webhook that is down for four minutes by the clock, with the pauses that a server has: all arrives, each message once.
set -euo pipefail
DOWN_SECONDS=${DOWN_SECONDS:-240} "$BUILD/tests/flow_sink"
