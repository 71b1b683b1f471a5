#!/usr/bin/env bash
# Builds and runs the tests. Everything: tests/run.sh. Parts: --unit, --e2e, --golden; --preset NAME (default release).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
preset=release labels=()
while [ $# -gt 0 ]; do
  case "$1" in
    --preset) preset=$2; shift;;
    --unit) labels=(-L unit);;
    --e2e) labels=(-L e2e);;
    --golden) labels=(-R '[Gg]olden');;
    -h|--help) sed -n 2p "$0" | cut -c3-; exit 0;;
    *) echo "tests/run.sh: unknown option $1; see --help" >&2; exit 2;;
  esac
  shift
done
started=$SECONDS
say() { printf 'test: [%4d s] %s\n' $((SECONDS - started)) "$*"; }

export PORTCULLIS_TESTDATA=${PORTCULLIS_TESTDATA:-$(dirname "$root")/shared/testdata}
if [ -d "$PORTCULLIS_TESTDATA" ]; then say "test data: found"
else say "test data: NOT FOUND at $PORTCULLIS_TESTDATA; tests on real evidence and vectors will be skipped, each says so"; fi

say "building ($preset)"
build=$(scripts/build.sh "$preset" | tail -1)
if [ "$preset" = release ]; then mkdir -p build; rm -rf build/bin; ln -s "$build/bin" build/bin; fi
if [ ${#labels[@]} -eq 0 ] || [ "${labels[1]}" = e2e ]; then
  say "building the control plane (etcd, kube-apiserver, kube-controller-manager, kubectl, helm)"
  tests/controlplane/build.sh >/dev/null
fi
say "running tests"
ulimit -c 0
# End-to-end tests use fixed resources (CPU above all), so they run one at a time: RUN_SERIAL in CMake.
ctest --test-dir "$build" --output-on-failure -j "$(nproc)" "${labels[@]}"
say "done"
