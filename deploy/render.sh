#!/usr/bin/env bash
# Prints the chart as plain YAML, for those who install without Helm.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

case ${1:-} in
  -h | --help)
    cat <<'EOT'
Usage: deploy/render.sh [HELM_TEMPLATE_FLAG...]

Renders charts/portcullis for release and namespace "portcullis". Flags go to
helm template. The namespace must exist, and those of releaseNamespaces too.

Examples:
  deploy/render.sh -f my-values.yaml | kubectl apply --server-side -f -
  deploy/render.sh --set 'releaseNamespaces={team-a}' > portcullis.yaml

Environment:
  HELM           the program (default helm)
  KUBE_VERSION   the cluster's version (default 1.36.0)
EOT
    exit 0
    ;;
esac
exec "${HELM:-helm}" template portcullis "$here/../charts/portcullis" --namespace portcullis \
  --kube-version "${KUBE_VERSION:-1.36.0}" "$@"
