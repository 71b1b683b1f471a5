#!/usr/bin/env bash
# Microseconds that one verification takes with us and with the verifiers that others wrote, on the same bytes:
# p50 and p99 in one process, and what the first takes in a process that has seen nothing before (the median of
# many processes). Prints a JSON object a line.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
usage='usage: tests/differential/bench.sh [VERIFICATIONS [PROCESSES]]     (2000 and 21 where nothing is said)'
case ${1:-} in -h | --help) echo "$usage"; exit 0 ;; esac
verifications=${1:-2000} processes=${2:-21}
[[ $verifications =~ ^[1-9][0-9]*$ && $processes =~ ^[1-9][0-9]*$ ]] || { echo "$usage" >&2; exit 2; }

# shellcheck source=tests/differential/programs.sh
source "$here/programs.sh"
export PYTHONDONTWRITEBYTECODE=1
question=$(mktemp)
trap 'rm -f "$question"' EXIT

# field NAME: of the JSON object on standard input.
field() { sed -E "s/.*\"$1\":([0-9.]+).*/\1/"; }

# measure CASE VERIFIER COMMAND...
measure() {
  local case=$1 verifier=$2 warm first
  shift 2
  warm=$("$@" --bench "$verifications" <"$question")
  first=$(for ((i = 0; i < processes; ++i)); do "$@" --bench 1 <"$question" | field first_us; done |
    sort -g | sed -n "$((processes / 2 + 1))p")
  printf '{"case":"%s","verifier":"%s","p50_us":%.1f,"p99_us":%.1f,"first_us":%.1f}\n' "$case" "$verifier" \
    "$(field p50_us <<<"$warm")" "$(field p99_us <<<"$warm")" "$first"
}

# compare CASE FOREIGN...: us and those who allow the case.
compare() {
  local case=$1 verifier
  shift
  python3 "$here/run.py" --testdata "$testdata" --dump "$case" >"$question"
  measure "$case" portcullis "$ours" "$testdata"
  for verifier in "$@"; do
    case $verifier in
      go-*) measure "$case" "$verifier" "$foreign_go" "$verifier" "$testdata" ;;
      *) measure "$case" "$verifier" "$foreign_rust" "$verifier" "$testdata" ;;
    esac
  done
}

compare milan-v3-gcp-oak-rel go-sev-guest sev
# go-tdx-guest accepts no genuine quote of the test data (docs/development/differential.md says why).
compare synthetic/good-v4 go-tdx-guest dcap-qvl
compare phala-v4-uptodate dcap-qvl
