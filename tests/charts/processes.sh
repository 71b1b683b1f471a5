# Sourced by chart_test.sh: broker, webhook and controller as processes, with the chart's configuration, rights and
# admission. What they ask of the API server and may not shows here.
# shellcheck shell=bash disable=SC2034,SC2154  # names of chart_test.sh
section=processes

readonly local_dir=$work/local
mkdir -p "$local_dir"

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    grep -qiE "^ *[0-9]+: [0-9A-F]+:$(printf '%04X' "$port") " /proc/net/tcp /proc/net/tcp6 || break
  done
  printf '%s' "$port"
}
guest_port=$(free_port) broker_port=$(free_port) kbs_ops_port=$(free_port) webhook_port=$(free_port)
webhook_ops_port=$(free_port) controller_ops_port=$(free_port)

# What somebody does who follows ci/local-values.yaml, with other ports and another folder.
local_install() {
  sed -e "s|/tmp/portcullis|$local_dir|; s|19443|$webhook_port|; s|18443|$guest_port|g; s|18444|$broker_port|g" \
    -e "s|19090|$kbs_ops_port|; s|19091|$webhook_ops_port|" "$chart/ci/local-values.yaml" >"$local_dir/values.yaml"
  cp "$work/pki"/* "$local_dir/"
  helm install portcullis "$chart" --namespace "$namespace" -f "$local_dir/values.yaml"
}
works 'helm install with local-values.yaml' local_install

# as_process COMPONENT: kubeconfig with the token of its ServiceAccount, and its configuration from the ConfigMap.
as_process() {
  cat >"$local_dir/$1.kubeconfig" <<KUBECONFIG
apiVersion: v1
kind: Config
current-context: test
contexts: [{name: test, context: {cluster: test, user: test}}]
clusters: [{name: test, cluster: {server: "$APISERVER", certificate-authority: "$CA_FILE"}}]
users: [{name: test, user: {token: $(kubectl -n "$namespace" create token "portcullis-$1" --duration=1h)}}]
KUBECONFIG
  kubectl -n "$namespace" get configmap portcullis-operator -o jsonpath='{.data.operator\.yaml}' |
    sed -e "s|operator.kubeconfig|$1.kubeconfig|; s|$webhook_ops_port|$2|" >"$local_dir/$1.yaml"
}
works 'configuration of the webhook' as_process webhook "$webhook_ops_port"
works 'configuration of the controller' as_process controller "$controller_ops_port"
sed -i "s|operator\.crt|webhook.crt|; s|operator\.key|webhook.key|" "$local_dir/webhook.yaml"
kubectl -n "$namespace" get configmap portcullis-kbs -o jsonpath='{.data.kbs\.yaml}' >"$local_dir/kbs.yaml"

# run NAME PROGRAM ARGUMENT...
run() {
  local name=$1
  shift
  "$programs/$1" "${@:2}" >"$local_dir/$name.log" 2>&1 &
  process_ids+=($!)
}
# ready NAME PORT
ready() {
  curl --silent --show-error --fail-with-body "http://127.0.0.1:$2/readyz" || { tail -n 5 "$local_dir/$1.log"; return 1; }
}
run kbs portcullis-kbs --config "$local_dir/kbs.yaml"
works 'the broker is ready' soon ready kbs "$kbs_ops_port"
run webhook portcullis-operator webhook --config "$local_dir/webhook.yaml"
run controller portcullis-operator controller --config "$local_dir/controller.yaml"
works 'the webhook is ready' soon ready webhook "$webhook_ops_port"
works 'the controller is ready' soon ready controller "$controller_ops_port"

cli() {
  "$programs/portcullis" "$@" --kbs "https://127.0.0.1:$broker_port" --ca "$local_dir/ca.crt" \
    --cert "$local_dir/auditor.crt" --client-key "$local_dir/auditor.key"
}
first_key() { # docs/install.md, "The first key"
  "$programs/portcullis" key generate --out "$local_dir/authority.pem" --public "$local_dir/authority.pub" &&
    head -c 32 /dev/urandom | cli key wrap --key - --authority "$local_dir/authority.pem" --namespace team-a \
      --name quickstart --resource team-a/model-key/quickstart | kubectl apply -f - &&
    "$programs/portcullis" policy sign --key "$local_dir/authority.pem" --in "$root/deploy/quickstart-policy.yaml" | kubectl apply -f -
}
works 'a key is wrapped and a policy signed' first_key
# The lease is still "held" by the one that permissions.sh made up, for its 15 s.
accepted() {
  "$tools/kubectl" -n team-a wait --for=condition=Ready --timeout=60s modelkey/quickstart releasepolicy/quickstart && return
  kubectl -n team-a get modelkey/quickstart releasepolicy/quickstart -o jsonpath='{.items[*].status}{"\n"}'
  tail -n 5 "$local_dir/controller.log"
  return 1
}
works 'the broker accepts both' accepted

works 'a pod that asks for the key is admitted' soon kubectl create -f "$root/deploy/quickstart-pod.yaml"
injected() {
  kubectl -n team-a get pod quickstart -o json | jq -e '.spec.initContainers[0].name == "portcullis-agent" and
    (.metadata.labels["portcullis.dev/release-id"] | test("^[0-9a-f]{32}$")) and
    any(.spec.containers[0].env[]; .valueFrom.secretKeyRef != null)'
}
works 'with agent, release id and gate' injected
registered() {
  kubectl -n team-a get keyreleases -o json | jq -e '[.items[] | select(.spec.podName == "quickstart") |
    .status.conditions[]? | select(.type == "Registered" and .status == "True")] | length == 1'
}
works 'its release is registered at the broker' soon registered
copied() { # as backup tools and "kubectl get -o yaml" carry a pod elsewhere
  kubectl -n team-a get pod quickstart -o json |
    jq '.metadata.name = "copy" | del(.metadata.uid, .metadata.resourceVersion, .status)' | kubectl create "$@" -f -
}
refused 'a copy of it is refused' 'remove these fields .metadata.labels..portcullis.dev/release-id' copied
refused 'in a dry run too' 'remove these fields' copied --dry-run=server
works 'the pod itself is taken any number of times' bash -c \
  "for i in 1 2; do sed 's/name: quickstart\$/name: again/' '$root/deploy/quickstart-pod.yaml' | '$tools/kubectl' create --dry-run=server -f - || exit; done"
refused 'the label stays on it' 'label of the release changed' kubectl -n team-a label pod quickstart portcullis.dev/policy-
refused 'no ephemeral container joins it' 'ephemeral container could read the key' ephemeral team-a quickstart
refused 'a pod without a confidential RuntimeClass is refused' 'RuntimeClass is not a confidential one' \
  kubectl create -f <(sed '/runtimeClassName/d; s/name: quickstart/name: open/' "$root/deploy/quickstart-pod.yaml")
# "restricted", each setting on the containers: what admission adds must be as restricted.
restricted_pod() {
  kubectl create -f - <<'POD'
apiVersion: v1
kind: Pod
metadata: {name: restricted, namespace: team-a, labels: {portcullis.dev/policy: quickstart}}
spec:
  runtimeClassName: kata-qemu-snp
  containers:
    - name: server
      image: registry.k8s.io/pause:3.10
      securityContext:
        {runAsNonRoot: true, runAsUser: 1000, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}
POD
}
works 'the namespace becomes a restricted one' kubectl label namespace team-a pod-security.kubernetes.io/enforce=restricted
works 'a restricted pod that asks for the key is admitted' restricted_pod
as_restricted() {
  kubectl -n team-a get pod restricted -o json | jq -e '.spec.initContainers[0] | .securityContext.runAsNonRoot and
    .securityContext.runAsUser == 1000 and .args == ["fetch", "--out", "/run/portcullis"]'
}
works 'its agent runs as its containers do' as_restricted
works 'the namespace becomes a baseline one' kubectl label --overwrite namespace team-a pod-security.kubernetes.io/enforce=baseline
two_users() {
  kubectl create --dry-run=server -f - <<'POD' 2>&1 | grep 'Warning: spec.securityContext.runAsUser: '
apiVersion: v1
kind: Pod
metadata: {name: two-users, namespace: team-a, labels: {portcullis.dev/policy: quickstart}}
spec:
  runtimeClassName: kata-qemu-snp
  containers:
    - {name: server, image: registry.k8s.io/pause:3.10, securityContext: {runAsUser: 1000}}
    - {name: proxy, image: registry.k8s.io/pause:3.10, securityContext: {runAsUser: 1337}}
POD
}
works 'a pod whose containers can not all read the key is admitted with a warning' two_users
works 'the namespace becomes an ordinary one' kubectl label namespace team-a pod-security.kubernetes.io/enforce-
works 'deleting the pods' kubectl -n team-a delete pod quickstart restricted --grace-period=0 --force
revoked() { cli releases -o json | grep -q Revoked; }
works 'revokes its release' soon revoked

# The audit log knows each request of a service account: none of our programs' was forbidden.
nothing_forbidden() {
  jq -e -s --arg own "system:serviceaccount:$namespace:" '[.[] | select((.user.username | startswith($own)) and
    (.userAgent // "" | startswith("portcullis")) and .impersonatedUser == null)] |
    length > 20 and all(.[]; .responseStatus.code != 403)' "$AUDIT_LOG" >/dev/null && return
  jq -c --arg own "system:serviceaccount:$namespace:" 'select((.user.username | startswith($own)) and
    .responseStatus.code == 403 and .impersonatedUser == null) | [.user.username, .verb, .requestURI, .userAgent]' "$AUDIT_LOG"
  return 1
}
works 'no request of theirs was forbidden' nothing_forbidden
