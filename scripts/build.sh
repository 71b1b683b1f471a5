#!/usr/bin/env bash
# Configures and builds a preset outside the clone, with progress and elapsed time.
#   scripts/build.sh PRESET [TARGET...]     prints the build directory as its last line
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
if [ $# -lt 1 ] || [ "$1" = -h ] || [ "$1" = --help ]; then
  echo "usage: scripts/build.sh PRESET [TARGET...]"
  echo "presets: release dev tsan fuzz coverage; example: scripts/build.sh release portcullis-kbs"
  [ $# -ge 1 ] && exit 0 || exit 2
fi
preset=$1; shift
cache=${PORTCULLIS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/portcullis}
# A build tree belongs to one source folder; what two clones share is in the compiler cache, keyed by content.
export PORTCULLIS_BUILD_ROOT=${PORTCULLIS_BUILD_ROOT:-$cache/build/$(printf %s "$root" | sha256sum | cut -c1-16)}
export CCACHE_DIR=${CCACHE_DIR:-$cache/ccache} CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-4G}
build=$PORTCULLIS_BUILD_ROOT/$preset
mkdir -p "$build"
started=$SECONDS
say() { printf 'build: [%4d s] %s\n' $((SECONDS - started)) "$*" >&2; }

say "configuring preset $preset"
if ! cmake --preset "$preset" >"$build/configure.log" 2>&1; then
  tail -20 "$build/configure.log" >&2
  exit 1
fi
say "compiling${*:+ $*}"
ninja -C "$build" -j "${PORTCULLIS_JOBS:-$(nproc)}" "$@" >"$build/build.log" 2>&1 &
pid=$!
trap 'kill $pid 2>/dev/null || true' INT TERM
last=$SECONDS
while kill -0 $pid 2>/dev/null; do
  sleep 1
  if [ $((SECONDS - last)) -ge 15 ]; then
    last=$SECONDS
    say "$(grep -oE '^\[[0-9]+/[0-9]+\]' "$build/build.log" | tail -1) steps"
  fi
done
if ! wait $pid; then
  grep -E 'error|FAILED|undefined' "$build/build.log" | head -30 >&2 || true
  echo "build: failed; the whole log is in $build/build.log" >&2
  exit 1
fi
say "done"
echo "$build"
