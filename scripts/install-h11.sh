#!/bin/sh
# Prints the folder in which Python finds h11, a parser that test/sandbox/differential.test.ts compares ours to, and installs it first
# where that is necessary: the wheel pinned in h11.txt, whose checksum pip verifies, unpacked under build/tools.
#
# Invariant: stdout carries the path or nothing; a failure is one sentence on stderr and exit code 1. The folder appears whole.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
tools=$(dirname "$here")/build/tools
pinned=$(sed -n 's/^h11==\([0-9.]*\).*/\1/p' "$here/h11.txt")
folder=$tools/h11-$pinned

fail() {
  echo "waterspout: $1" >&2
  exit 1
}

if [ ! -d "$folder" ]; then
  python3 -m pip --version >/dev/null 2>&1 || fail "h11 $pinned is fetched with pip for tests: install Python 3 with pip"
  mkdir -p "$tools"
  temporary=$(mktemp -d "$tools/new.XXXXXX")
  trap 'rm -rf "$temporary"' EXIT
  log=$(python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --require-hashes --requirement "$here/h11.txt" --dest "$temporary" 2>&1) ||
    fail "h11 $pinned cannot be downloaded; pip says: $(echo "$log" | tail -n 1)"
  python3 -m zipfile -e "$temporary"/*.whl "$temporary/h11"
  mv "$temporary/h11" "$folder" 2>/dev/null || [ -d "$folder" ] || fail "$folder cannot be written"
fi
echo "$folder"
