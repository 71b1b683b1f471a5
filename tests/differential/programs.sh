# shellcheck shell=bash
# shellcheck disable=SC2034  # used by who sources this
# Sets testdata, ours, foreign_go and foreign_rust, building what is missing. Sourced by run.sh and bench.sh.
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
testdata=${PORTCULLIS_TESTDATA:-$repository/../shared/testdata}
[[ -d $testdata/snp && -d $testdata/tdx ]] || {
  printf 'differential: error: no snp and tdx in %s; set PORTCULLIS_TESTDATA\n' "$testdata" >&2
  exit 1
}
foreign=$("$repository/tests/differential/build.sh")
{ read -r foreign_go && read -r foreign_rust; } <<<"$foreign"
build=$("$repository/scripts/build.sh" release portcullis-verdict | tail -1)
ours=$build/bin/portcullis-verdict
