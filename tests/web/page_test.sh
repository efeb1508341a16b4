#!/usr/bin/env bash
# The page in Chromium: everything on it, both themes, both languages, a phone, strange texts, a
# server that fails. Screenshots of every view are left in build/screenshots.
set -euo pipefail
for tool in chromium chromedriver; do
    command -v $tool >/dev/null || { echo "$tool is missing; tools/setup.sh tests installs it"; exit 1; }
done
exec /usr/bin/python3 tests/web/page_checks.py
