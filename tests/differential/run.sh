#!/usr/bin/env bash
# Builds what is compared and compares it; arguments go to run.py.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/differential/programs.sh
source "$here/programs.sh"
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$here/run.py" --testdata "$testdata" --ours "$ours" \
  --go "$foreign_go" --rust "$foreign_rust" "$@"
