#!/usr/bin/env bash
# Measures verification, release and memory beside the bare operations of the same run.
#   tests/bench/run.sh [-o json] [--quick]     json: one document on stdout; quick: fewer runs, 1,000 releases
# Nothing else should run meanwhile; the load average stands under the table.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
format=table timed=1000 releases=10000 verifications=3000
while [ $# -gt 0 ]; do
  case "$1" in
    -o|--output) format=$2; shift;;
    --quick) timed=200 releases=1000 verifications=500;;
    -h|--help) sed -n '2,4p' "$0" | cut -c3-; exit 0;;
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
if [ "$format" = json ]; then
  main=$("$build/bin/portcullis-bench" -o json --timed "$timed" --releases "$releases" --verifications "$verifications")
  controller=$("$build/bin/portcullis-bench-controller" -o json --releases "$releases")
  operations=$("$build/bin/portcullis-bench-operations" --benchmark_format=json)
  printf '{"portcullis-bench": %s,\n"portcullis-bench-controller": %s,\n"portcullis-bench-operations": %s}\n' \
    "$main" "$controller" "$operations"
else
  "$build/bin/portcullis-bench" --timed "$timed" --releases "$releases" --verifications "$verifications"
  echo
  "$build/bin/portcullis-bench-controller" --releases "$releases"
  echo
  "$build/bin/portcullis-bench-operations" 2>/dev/null
fi
