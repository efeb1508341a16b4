#!/usr/bin/env bash
# arm64_root.sh DIR: fetch the libraries that heed and its tests need for 64-bit ARM from Debian into DIR, by apt with lists
# of its own there, so that the system's own apt knows nothing of it and no root is needed.
set -euo pipefail
mkdir -p "$1"
dir=$(cd "$1" && pwd)
[ -e "$dir/complete" ] && exit 0
mkdir -p "$dir"/apt/{lists/partial,cache/archives/partial}
touch "$dir/apt/status"
options=(-qq -o "Dir::State::lists=$dir/apt/lists" -o "Dir::State::status=$dir/apt/status"
    -o "Dir::Cache=$dir/apt/cache" -o APT::Architecture=arm64 -o APT::Architectures=arm64
    -o APT::Sandbox::User=root)
apt-get "${options[@]}" update
cd "$dir/apt"
apt-get "${options[@]}" download libjansson4 libjansson-dev libcmocka0 libcmocka-dev \
    libutf8proc2 libutf8proc-dev libpcre2-8-0 libpcre2-dev libzstd1 libzstd-dev zlib1g zlib1g-dev
for package in *.deb; do dpkg-deb -x "$package" "$dir"; done
touch "$dir/complete"
