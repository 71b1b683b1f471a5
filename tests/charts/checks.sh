# Sourced by chart_test.sh: what a row of the table is.
# shellcheck shell=bash disable=SC2034,SC2154  # names of chart_test.sh

failures=0
rows=0

row() { # STATUS NAME
  rows=$((rows + 1))
  printf '%-4s  %-9s  %s\n' "$1" "$section" "$2"
}

fail_row() { # NAME OUTPUT
  failures=$((failures + 1))
  row FAIL "$1"
  head -n 20 <<<"$2" | while IFS= read -r line; do printf '        | %s\n' "$line"; done
}

# works NAME COMMAND...: the command must succeed.
works() {
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then row ok "$name"; else fail_row "$name" "$output"; fi
}

# refused NAME PATTERN COMMAND...: the command must fail and say PATTERN.
refused() {
  local name=$1 pattern=$2 output
  shift 2
  if output=$("$@" 2>&1); then
    fail_row "$name" "not refused: $output"
  elif grep -qE -- "$pattern" <<<"$output"; then
    row ok "$name"
  else
    fail_row "$name" "refused for another reason than /$pattern/: $output"
  fi
}

# soon COMMAND...: tries for ninety seconds; for what the API server takes up a moment after it was written.
soon() {
  local try
  for ((try = 0; try < 450; ++try)); do  # 90 s: the garbage collector learns of a new kind within half a minute
    "$@" >/dev/null 2>&1 && return
    sleep 0.2
  done
  "$@"
}

# soon_refused PATTERN COMMAND...: succeeds once the command fails with PATTERN.
soon_refused() {
  local pattern=$1 try output
  shift
  for ((try = 0; try < 50; ++try)); do
    if ! output=$("$@" 2>&1) && grep -qE -- "$pattern" <<<"$output"; then return; fi
    sleep 0.2
  done
  printf '%s\n' "$output"
  return 1
}
