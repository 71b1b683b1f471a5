#!/usr/bin/env bash
# Makes the certificates and the key-encryption key that the chart's Secrets hold, with openssl alone.
set -euo pipefail
umask 077

usage() {
  cat <<'EOT'
Usage: deploy/certificates.sh DIR [--namespace NAME] [--release NAME] [--host NAME_OR_IP]...

Writes to DIR, which must not hold a CA yet:
  ca.crt ca.key                    a CA for this broker alone; keep ca.key offline
  guest.crt guest.key              the broker, as guests see it
  broker.crt broker.key            the broker API
  operator.crt operator.key        client certificate of the controller
  webhook.crt webhook.key          client certificate of the webhook, which may only read
  auditor.crt auditor.key          client certificate for people and the CLI, which may only read
  kek                              32 random bytes as hex; whoever has it and the database has the model keys

  --namespace   namespace of the release (default portcullis)
  --release     prefix of the Services' names (default portcullis)
  --host        another name or IPv4 address of the broker, for both of its certificates

Examples:
  deploy/certificates.sh pki
  deploy/certificates.sh pki --host kbs.example.com
EOT
}

fail_usage() {
  usage >&2
  exit 2
}

case ${1:-} in
  -h | --help)
    usage
    exit 0
    ;;
  '' | -*) fail_usage ;;
esac
dir=$1
shift
namespace=portcullis release=portcullis hosts=()
while (($#)); do
  (($# >= 2)) || fail_usage
  case $1 in
    --namespace) namespace=$2 ;;
    --release) release=$2 ;;
    --host) hosts+=("$2") ;;
    *) fail_usage ;;
  esac
  shift 2
done

mkdir -p "$dir"
if [[ -e $dir/ca.key || -e $dir/kek ]]; then
  echo "deploy/certificates.sh: $dir holds a CA or a KEK already; they are never overwritten" >&2
  exit 1
fi

readonly leaf_days=397 ca_days=3650
log=$dir/openssl.log

# request NAME SUBJECT DAYS EXTENSIONS [SIGNER...]: makes NAME.key and NAME.crt.
request() {
  local name=$1 subject=$2 days=$3 extensions=$4
  shift 4
  openssl req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$days" -subj "$subject" \
    -config <(printf '[req]\ndistinguished_name=dn\nx509_extensions=ext\n[dn]\n[ext]\n%b\n' "$extensions") \
    -keyout "$dir/$name.key" -out "$dir/$name.crt" "$@" 2>"$log" || { cat "$log" >&2; exit 1; }
  rm -f "$log"
}

# alternative_names SERVICE: the names of a Service, and the hosts that were asked for.
alternative_names() {
  local host=$1.$namespace.svc names
  names="DNS:$host,DNS:$host.cluster.local"
  for host in ${hosts[@]+"${hosts[@]}"}; do
    if [[ $host =~ ^[0-9.]+$ ]]; then names+=",IP:$host"; else names+=",DNS:$host"; fi
  done
  printf '%s' "$names"
}

readonly leaf='basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n'
readonly signer=(-CA "$dir/ca.crt" -CAkey "$dir/ca.key")

request ca '/CN=portcullis-ca' "$ca_days" \
  'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash'
request guest '/CN=portcullis-kbs' "$leaf_days" \
  "${leaf}extendedKeyUsage=serverAuth\nsubjectAltName=$(alternative_names "$release-kbs")" "${signer[@]}"
request broker '/CN=portcullis-kbs-broker' "$leaf_days" \
  "${leaf}extendedKeyUsage=serverAuth\nsubjectAltName=$(alternative_names "$release-kbs-broker")" "${signer[@]}"
for client in operator webhook auditor; do
  request "$client" "/CN=portcullis-$client" "$leaf_days" "${leaf}extendedKeyUsage=clientAuth" "${signer[@]}"
done
openssl rand -hex 32 >"$dir/kek"
echo "certificates are in $dir; they last $leaf_days days, the CA $ca_days" >&2
