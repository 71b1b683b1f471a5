#!/usr/bin/env bash
# Starts a control plane of its own in a directory: etcd, kube-apiserver and kube-controller-manager
# on loopback, with TLS, RBAC and an audit log. down.sh stops it.
set -euo pipefail
umask 077

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly ready_limit=90 # seconds for each program; a few are normal, the rest is for busy machines
readonly port_tries=5

usage() {
  cat <<'EOF'
Usage: tests/controlplane/up.sh DIR [-- FLAG...]

Starts etcd, kube-apiserver and kube-controller-manager on free loopback ports
and returns when the API server is ready and namespaces get their service
accounts. DIR must be new, empty, or left by an earlier run that was stopped.
Flags after -- go to kube-apiserver, after those of this script.

Writes:
  DIR/admin.kubeconfig   client certificate, group system:masters
  DIR/env                KEY=VALUE lines: KUBECONFIG KUBECACHEDIR APISERVER
                         ETCD_URL CA_FILE TOKEN_FILE BIN AUDIT_LOG ETCD_PID
                         APISERVER_PID CONTROLLER_MANAGER_PID
  DIR/log/               one log for each program, and audit.log
  DIR/pki/ DIR/etcd/     keys and certificates; etcd's data

Environment:
  PORTCULLIS_CONTROLPLANE_BIN   the programs (default: what build.sh builds)

Examples:
  tests/controlplane/up.sh /tmp/cp
  set -a; . /tmp/cp/env; set +a; "$BIN/kubectl" get namespaces
  tests/controlplane/up.sh /tmp/cp -- --watch-cache=false
  tests/controlplane/down.sh /tmp/cp
EOF
}

say() { printf 'control plane: %s\n' "$*" >&2; }
die() {
  printf 'control plane: error: %s\n' "$*" >&2
  exit 1
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
dir=$(realpath -m -- "$1")
shift
if (($#)); then
  [[ $1 == -- ]] || { usage >&2; exit 2; }
  shift
fi
apiserver_extra=("$@")

# DIR/env must be readable by a shell, by make and by a test alike, none of which quote the same way.
[[ $dir =~ ^[A-Za-z0-9_./-]+$ ]] || die "letters, digits and _ . / - only, please, in DIR: $dir"

# A proxy in the environment makes the API server send webhook calls to it, for loopback too.
unset HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy

bin=${PORTCULLIS_CONTROLPLANE_BIN:-$("$here/build.sh")}
for program in etcd kube-apiserver kube-controller-manager kubectl; do
  [[ -x $bin/$program ]] || die "$bin/$program is missing; run tests/controlplane/build.sh"
done

# --- DIR ------------------------------------------------------------------------------------------

mkdir -p "$dir"
exec {lock}>>"$dir/.portcullis-controlplane" || die "cannot write to $dir"
flock --nonblock "$lock" || die "another up.sh works in $dir"
shopt -s nullglob
running=("$dir"/run/*.pid)
shopt -u nullglob
((${#running[@]} == 0)) || die "a control plane runs in $dir; stop it with tests/controlplane/down.sh $dir"
if [[ ! -d $dir/run ]] && [[ -n $(find "$dir" -mindepth 1 ! -name .portcullis-controlplane -print -quit) ]]; then
  rm -f "$dir/.portcullis-controlplane"
  die "$dir holds other files; give me a directory of my own"
fi
chmod 0700 "$dir"
rm -rf "$dir"/{etcd,log,pki,cache,env,admin.kubeconfig,run}
mkdir "$dir"/{etcd,log,pki,cache,run}

finished=false
# shellcheck disable=SC2329  # called by the trap below
clean_up() {
  $finished || "$here/down.sh" "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- Keys and certificates ------------------------------------------------------------------------

readonly pki=$dir/pki
cat >"$pki/openssl.cnf" <<'EOF'
[req]
distinguished_name = subject
[subject]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1,IP:10.0.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local
[client]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
EOF

# certificate NAME SECTION SUBJECT [REQ_FLAG...]: makes pki/NAME.key and pki/NAME.crt.
certificate() {
  local name=$1 section=$2 subject=$3
  shift 3
  openssl req -x509 -config "$pki/openssl.cnf" -extensions "$section" -subj "$subject" -days 7 \
    -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$pki/$name.key" -out "$pki/$name.crt" \
    "$@" 2>"$dir/log/openssl.log" || { cat "$dir/log/openssl.log" >&2; die "openssl made no $name"; }
}
readonly signed_by_ca=(-CA "$pki/ca.crt" -CAkey "$pki/ca.key")
certificate ca ca '/CN=portcullis test control plane'
certificate apiserver server '/CN=kube-apiserver' "${signed_by_ca[@]}"
certificate admin client '/O=system:masters/CN=admin' "${signed_by_ca[@]}"
certificate kube-controller-manager client '/CN=system:kube-controller-manager' "${signed_by_ca[@]}"
openssl genrsa -out "$pki/service-account.key" 2048 2>/dev/null
openssl rsa -in "$pki/service-account.key" -pubout -out "$pki/service-account.pub" 2>/dev/null

token=$(openssl rand -hex 24)
printf '%s' "$token" >"$pki/admin.token"
printf '%s,admin,admin,system:masters\n' "$token" >"$pki/tokens.csv"

# kubeconfig NAME SERVER: a self-contained kubeconfig for the client certificate NAME, on stdout.
kubeconfig() {
  cat <<EOF
apiVersion: v1
kind: Config
current-context: $1
contexts: [{name: $1, context: {cluster: test, user: $1}}]
clusters:
  - name: test
    cluster:
      server: $2
      certificate-authority-data: $(base64 -w0 "$pki/ca.crt")
users:
  - name: $1
    user:
      client-certificate-data: $(base64 -w0 "$pki/$1.crt")
      client-key-data: $(base64 -w0 "$pki/$1.key")
EOF
}

# --- Processes ------------------------------------------------------------------------------------

# free_port: a loopback port nobody listens on, below the range the kernel hands out by itself.
# Somebody may still take it before we do, so who uses it tries again with another.
free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    grep -qiE "^ *[0-9]+: [0-9A-F]+:$(printf '%04X' "$port") " /proc/net/tcp /proc/net/tcp6 2>/dev/null || break
  done
  printf '%s' "$port"
}

# start NAME ARGUMENT...: runs bin/NAME by itself in a session, so that neither Ctrl-C nor the end of
# this script reaches it. It inherits no descriptor: a lock or pipe of our caller would stay open.
start() {
  local name=$1
  shift
  (
    # With the start time, which exec keeps and a recycled number would not have.
    read -r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ started _ <"/proc/$BASHPID/stat"
    echo "$BASHPID $started" >"$dir/run/$name.pid"
    for descriptor in "/proc/$BASHPID/fd"/*; do
      descriptor=${descriptor##*/}
      ((descriptor <= 2)) || eval "exec $descriptor>&-"
    done
    exec setsid "$bin/$name" "$@"
  ) >"$dir/log/$name.log" 2>&1 </dev/null &
  disown
  until [[ -s $dir/run/$name.pid ]]; do sleep 0.01; done
}
pid_of() { cut -d' ' -f1 "$dir/run/$1.pid"; }
runs() { kill -0 "$(pid_of "$1")" 2>/dev/null; }

# wait_for NAME CONDITION...: waits while NAME runs until CONDITION holds. Status 1: NAME has ended.
wait_for() {
  local name=$1 deadline=$((SECONDS + ready_limit))
  shift
  until "$@" >/dev/null 2>&1; do
    runs "$name" || return 1
    ((SECONDS < deadline)) || fail "$name" "not ready after $ready_limit s"
    sleep 0.1
  done
  runs "$name"
}
fail() { # NAME WHY
  tail -n 15 "$dir/log/$1.log" >&2
  die "$1: $2 ($dir/log/$1.log)"
}

# start_on_free_port NAME: calls run_NAME, which starts NAME on $port and waits, until one works.
start_on_free_port() {
  local name=$1 try
  for ((try = 1; try <= port_tries; ++try)); do
    port=$(free_port)
    if "run_${name//-/_}"; then return; fi
    grep -q 'address already in use' "$dir/log/$name.log" || break
  done
  fail "$name" 'did not start'
}

# Asking etcd would not do: had somebody taken the port, theirs would answer. The log is our own's.
# shellcheck disable=SC2329  # called by start_on_free_port
run_etcd() {
  etcd_url=http://127.0.0.1:$port
  start etcd --name=portcullis --data-dir="$dir/etcd" --unsafe-no-fsync \
    --listen-client-urls="$etcd_url" --advertise-client-urls="$etcd_url" \
    --listen-peer-urls=http://127.0.0.1:0
  wait_for etcd grep 'ready to serve client requests' "$dir/log/etcd.log"
}

# shellcheck disable=SC2329
run_kube_apiserver() {
  apiserver=https://127.0.0.1:$port
  kubeconfig admin "$apiserver" >"$dir/admin.kubeconfig"
  # shellcheck disable=SC2054  # the commas are the flags'
  local flags=(
    --etcd-servers="$etcd_url"
    --bind-address=127.0.0.1 --advertise-address=127.0.0.1 --secure-port="$port"
    # Endpoints of loopback addresses are invalid, so the "kubernetes" Service gets none.
    --endpoint-reconciler-type=none
    --service-cluster-ip-range=10.0.0.0/24
    --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key"
    --client-ca-file="$pki/ca.crt"
    --token-auth-file="$pki/tokens.csv"
    --authentication-config="$here/authentication.yaml"
    --authorization-mode=Node,RBAC
    --enable-admission-plugins=NodeRestriction,OwnerReferencesPermissionEnforcement
    --service-account-issuer=https://kubernetes.default.svc.cluster.local
    --service-account-key-file="$pki/service-account.pub"
    --service-account-signing-key-file="$pki/service-account.key"
    # Otherwise tokens live a year instead of what was asked for, and rotation is never tested.
    --service-account-extend-token-expiration=false
    --audit-policy-file="$here/audit-policy.yaml" --audit-log-path="$dir/log/audit.log"
    --allow-privileged=true
    --profiling=false
  )
  start kube-apiserver "${flags[@]}" ${apiserver_extra[@]+"${apiserver_extra[@]}"}
  wait_for kube-apiserver kubectl get --raw /readyz
}

kubectl() {
  KUBECACHEDIR=$dir/cache "$bin/kubectl" --kubeconfig="$dir/admin.kubeconfig" --request-timeout=5s "$@"
}

run_kube_controller_manager() {
  local config=$pki/kube-controller-manager.kubeconfig
  local controllers=(
    serviceaccount-controller serviceaccount-token-controller root-ca-certificate-publisher-controller
    namespace-controller garbage-collector-controller clusterrole-aggregation-controller
    deployment-controller replicaset-controller statefulset-controller job-controller
    endpointslice-controller disruption-controller resourcequota-controller
    pod-garbage-collector-controller validatingadmissionpolicy-status-controller
  )
  kubeconfig kube-controller-manager "$apiserver" >"$config"
  start kube-controller-manager \
    --kubeconfig="$config" --authentication-kubeconfig="$config" --authorization-kubeconfig="$config" \
    --secure-port=0 --leader-elect=false \
    --service-account-private-key-file="$pki/service-account.key" --root-ca-file="$pki/ca.crt" \
    --use-service-account-credentials --controllers="$(IFS=, && echo "${controllers[*]}")" \
    --profiling=false
  wait_for kube-controller-manager kubectl --namespace=default get serviceaccount/default configmap/kube-root-ca.crt
}

start_on_free_port etcd
say "etcd is ready after $SECONDS s"
start_on_free_port kube-apiserver
say "kube-apiserver is ready after $SECONDS s"
run_kube_controller_manager || fail kube-controller-manager 'did not start'

# --- Done -----------------------------------------------------------------------------------------

cat >"$dir/env.new" <<EOF
KUBECONFIG=$dir/admin.kubeconfig
KUBECACHEDIR=$dir/cache
APISERVER=$apiserver
ETCD_URL=$etcd_url
CA_FILE=$pki/ca.crt
TOKEN_FILE=$pki/admin.token
BIN=$bin
AUDIT_LOG=$dir/log/audit.log
ETCD_PID=$(pid_of etcd)
APISERVER_PID=$(pid_of kube-apiserver)
CONTROLLER_MANAGER_PID=$(pid_of kube-controller-manager)
EOF
mv "$dir/env.new" "$dir/env"
finished=true
say "ready after $SECONDS s at $apiserver; settings in $dir/env"
