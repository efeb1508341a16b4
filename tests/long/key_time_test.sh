# How long a wrong key takes to be refused, by how much of it is right.
set -euo pipefail
ROUNDS=${ROUNDS:-20000} "$BUILD/tests/http_key_time"
