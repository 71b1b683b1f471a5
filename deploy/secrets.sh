#!/usr/bin/env bash
# Prints the chart's Secrets, made of what certificates.sh wrote, for kubectl apply.
set -euo pipefail

usage() {
  cat <<'EOT'
Usage: deploy/secrets.sh DIR [NAMESPACE]

Prints the five Secrets of the chart's default values as YAML, from the files
that deploy/certificates.sh wrote to DIR. NAMESPACE is portcullis by default.
They hold private keys: apply them, never commit them.

Example:
  deploy/secrets.sh pki | kubectl apply --server-side -f -
EOT
}

case ${1:-} in
  -h | --help)
    usage
    exit 0
    ;;
  '' | -*)
    usage >&2
    exit 2
    ;;
esac
dir=$1
namespace=${2:-portcullis}

# entry KEY FILE: one line of data.
entry() { printf '  %s: %s\n' "$1" "$(base64 -w0 <"$dir/$2")"; }
# secret NAME TYPE: its head; the entries follow.
secret() {
  printf -- '---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  namespace: %s\ntype: %s\ndata:\n' "$1" "$namespace" "$2"
}
# tls_secret NAME FILE: certificate and key of FILE, with the CA.
tls_secret() {
  secret "$1" kubernetes.io/tls
  entry tls.crt "$2.crt"
  entry tls.key "$2.key"
  entry ca.crt ca.crt
}

tls_secret portcullis-guest-tls guest
tls_secret portcullis-broker-tls broker
tls_secret portcullis-operator-client operator
tls_secret portcullis-webhook-client webhook
secret portcullis-kek Opaque
entry kek kek
