#!/usr/bin/env bash
# The page in Chromium against `heed serve` itself.
set -euo pipefail
for tool in chromium chromedriver; do
    command -v $tool >/dev/null || { echo "$tool is missing; tools/setup.sh tests installs it"; exit 1; }
done
exec /usr/bin/python3 tests/web/serve_checks.py
