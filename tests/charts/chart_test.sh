#!/usr/bin/env bash
# Holds the chart to a real control plane: what it renders, what it may, what it refuses, how it comes and goes.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
readonly here root
readonly chart=$root/charts/portcullis
readonly namespace=portcullis

case ${1:-} in
  '' | --offline) ;;
  *)
    cat <<'EOT'
Usage: tests/charts/chart_test.sh [--offline]

Prints a row for each check and exits 1 where one fails. With --offline only
what needs no API server. Without, it starts a control plane of its own with
tests/controlplane and stops it at the end; one minute, more on a busy machine.

Environment:
  PORTCULLIS_BIN   folder with portcullis, portcullis-kbs and portcullis-operator (default build/bin);
                   where they are missing, the rows that run them say so
EOT
    [[ ${1:-} == -h || ${1:-} == --help ]] && exit 0
    exit 2
    ;;
esac

process_ids=()
work=$(mktemp -d /tmp/charts-test.XXXXXX)
readonly work
tools=${PORTCULLIS_CONTROLPLANE_BIN:-$("$root/tests/controlplane/build.sh")}
programs=${PORTCULLIS_BIN:-$root/build/bin}
# shellcheck disable=SC2034  # for programs.sh
readonly tools programs
# A Helm of somebody's own must not find its repositories, plugins or cluster here.
export HELM_CACHE_HOME=$work/helm HELM_CONFIG_HOME=$work/helm HELM_DATA_HOME=$work/helm
unset KUBECONFIG

# shellcheck disable=SC2329  # called by the trap
clean_up() {
  ((${#process_ids[@]} == 0)) || kill "${process_ids[@]}" 2>/dev/null || true
  "$root/tests/controlplane/down.sh" "$work/cp" 2>/dev/null || true
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

helm() { "$tools/helm" "$@"; }
kubectl() { "$tools/kubectl" --request-timeout=20s "$@"; }
# render VALUES_FILE [FLAG...]
render() {
  local values=$1
  shift
  helm template portcullis "$chart" --namespace "$namespace" --kube-version 1.36.0 -f "$values" "$@"
}

# shellcheck source=checks.sh
. "$here/checks.sh"

for part in offline programs; do
  # shellcheck source=/dev/null
  . "$here/$part.sh"
done

if [[ ${1:-} != --offline ]]; then
  PORTCULLIS_CONTROLPLANE_BIN=$tools "$root/tests/controlplane/up.sh" "$work/cp"
  set -a
  # shellcheck source=/dev/null
  . "$work/cp/env"
  set +a
  for part in install objects permissions admission lifecycle; do
    # shellcheck source=/dev/null
    . "$here/$part.sh"
  done
  if [[ -x $programs/portcullis && -x $programs/portcullis-kbs && -x $programs/portcullis-operator ]]; then
    # shellcheck source=/dev/null
    . "$here/processes.sh"
  fi
fi

printf '%s checks, %s failed\n' "$rows" "$failures"
((failures == 0))
