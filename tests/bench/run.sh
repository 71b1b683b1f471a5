#!/usr/bin/env bash
# Measures verification, release and memory beside the bare operations of the same run.
#   tests/bench/run.sh [-o json] [--quick]     json: one document on stdout; quick: fewer runs, 1,000 releases,
#                                              no fleet on a real API server, no verifiers of others
# Nothing else should run meanwhile; the load average stands under the table.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
format=table timed=1000 releases=10000 verifications=3000 chips=10000 quick=
while [ $# -gt 0 ]; do
  case "$1" in
    -o|--output) format=$2; shift;;
    --quick) timed=200 releases=1000 verifications=500 chips=500 quick=1;;
    -h|--help) sed -n '2,5p' "$0" | cut -c3-; exit 0;;
    *) echo "tests/bench/run.sh: unknown option $1; see --help" >&2; exit 2;;
  esac
  shift
done
case "$format" in table|json) ;; *) echo "tests/bench/run.sh: -o is table or json" >&2; exit 2;; esac
build=$(scripts/build.sh release bench_programs | tail -1)
cores=$(nproc)
load=$(cut -d' ' -f1 /proc/loadavg)
if awk "BEGIN {exit !($load > $cores / 2)}"; then
  echo "bench: the machine is busy (load $load on $cores CPUs): medians may hold, p99 will not" >&2
fi
folder=$(mktemp -d "${TMPDIR:-/tmp}/portcullis-bench.XXXXXX")
clean() {
  trap - EXIT INT TERM
  tests/controlplane/down.sh "$folder/cluster" >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap clean EXIT
trap 'clean; exit 130' INT TERM

main() {
  "$build/bin/portcullis-bench" -o "$format" --timed "$timed" --releases "$releases" \
    --verifications "$verifications" --chips "$chips"
}
controller() { "$build/bin/portcullis-bench-controller" -o "$format" --releases "$releases"; }
fleet() {
  tests/controlplane/build.sh >/dev/null
  PORTCULLIS_SOURCE=$root "$build/bin/portcullis-bench-fleet" -o "$format" --releases "$releases" --folder "$folder"
}
# The verifiers of others on the same bytes, in the same run; they are built from their registries.
others() {
  if command -v go >/dev/null && command -v cargo >/dev/null; then
    tests/differential/bench.sh
  else
    echo "bench: go or cargo is missing: others' verifiers were NOT measured" >&2
  fi
}

if [ "$format" = json ]; then
  printf '{"portcullis-bench": %s,\n"portcullis-bench-controller": %s' "$(main)" "$(controller)"
  printf ',\n"portcullis-bench-operations": %s' "$("$build/bin/portcullis-bench-operations" --benchmark_format=json)"
  [ -n "$quick" ] || printf ',\n"portcullis-bench-fleet": %s,\n"others": [%s]' "$(fleet)" "$(others | paste -sd,)"
  printf '}\n'
else
  main
  echo
  controller
  echo
  "$build/bin/portcullis-bench-operations" 2>/dev/null
  if [ -z "$quick" ]; then
    echo
    fleet
    echo
    others
  fi
fi
