#!/usr/bin/env bash
# Runs every fuzz target (or those named) for SECONDS each, as many at a time as there are CPUs.
#   tests/fuzz/run.sh [SECONDS [TARGET...]]     TARGET: json, jwe, ...; default 60 seconds, all targets
# Corpora stay in the cache and grow from run to run. Exit 1 on a finding, with the reproducer's path.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
case "${1:-}" in -h|--help) sed -n '2,4p' "$0" | cut -c3-; exit 0;; esac
seconds=${1:-60}
case "$seconds" in ''|*[!0-9]*) echo "tests/fuzz/run.sh: SECONDS is a whole number; see --help" >&2; exit 2;; esac
shift || true
cache=${PORTCULLIS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/portcullis}/fuzz
findings=$cache/findings
mkdir -p "$cache/corpus" "$findings"
started=$SECONDS
say() { printf 'fuzz: [%4d s] %s\n' $((SECONDS - started)) "$*"; }

targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for source in tests/fuzz/*_fuzz.cpp; do name=${source##*/}; targets+=("${name%_fuzz.cpp}"); done
fi
say "building ${#targets[@]} targets with clang, ASan and UBSan"
build=$(scripts/build.sh fuzz "${targets[@]/#/fuzz_}" | tail -1)
tests/fuzz/seeds.py "$cache/seeds"

# One target; a status line every 15 seconds. Returns non-zero on a finding.
run_one() {
  local name=$1 log=$cache/$1.log pid last=$SECONDS
  mkdir -p "$cache/corpus/$name" "$cache/seeds/$name" "tests/fuzz/seeds/$name"
  nice -n 5 "$build/bin/fuzz_$name" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=65536 \
    -print_final_stats=1 -artifact_prefix="$findings/$name-" \
    "$cache/corpus/$name" "tests/fuzz/seeds/$name" "$cache/seeds/$name" >"$log" 2>&1 &
  pid=$!
  while kill -0 $pid 2>/dev/null; do
    sleep 1
    if [ $((SECONDS - last)) -ge 15 ]; then
      last=$SECONDS
      say "$name: $(grep -E '^#[0-9]' "$log" | tail -1 | cut -c1-100)"
    fi
  done
  if wait $pid; then
    say "$name: nothing found, $(grep -oE 'number_of_executed_units: [0-9]+' "$log" | grep -oE '[0-9]+$') inputs, $(grep -oE 'cov: [0-9]+' "$log" | tail -1)"
    return 0
  fi
  say "$name: FOUND $(grep -oE 'SUMMARY: .*' "$log" | head -1)"
  say "$name: reproducer $(grep -oE 'written to .*' "$log" | head -1 | cut -c12-); the log is in $log"
  say "$name: repeat with $build/bin/fuzz_$name REPRODUCER; once mended, keep it in tests/fuzz/seeds/$name/"
  return 1
}

jobs=${PORTCULLIS_JOBS:-$(nproc)} failed=0 running=0
for name in "${targets[@]}"; do
  if [ "$running" -ge "$jobs" ]; then wait -n || failed=1; running=$((running - 1)); fi
  run_one "$name" &
  running=$((running + 1))
done
while [ "$running" -gt 0 ]; do wait -n || failed=1; running=$((running - 1)); done
if [ "$failed" -ne 0 ]; then say "findings are in $findings"; exit 1; fi
say "${#targets[@]} targets ran for $seconds s each; nothing found"
