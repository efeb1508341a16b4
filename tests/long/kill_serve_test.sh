# `heed serve` killed two hundred times under load: the test of the default suite, longer.
set -euo pipefail
ROUNDS=200 "$BUILD/tests/serve_kill"
