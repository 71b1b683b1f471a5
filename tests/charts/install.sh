# Sourced by chart_test.sh: installation on a real API server.
# shellcheck shell=bash disable=SC2034,SC2154  # names of chart_test.sh
section=install

namespaces() {
  local name
  for name in team-a team-b; do kubectl create namespace "$name"; done
  # Real admission looks at the pods: "restricted" is the strictest standard there is.
  kubectl create namespace "$namespace"
  kubectl label namespace "$namespace" pod-security.kubernetes.io/enforce=restricted
}
works 'namespaces' namespaces
works "kinds of cert-manager and the Prometheus Operator" kubectl apply -f "$here/objects/foreign-crds.yaml"

# All of every set of values is taken by the server: unknown fields and wrong types are refused, CEL is compiled.
server_takes() {
  render "$1" >"$work/rendered.yaml"
  kubectl apply --server-side --dry-run=server --validate=strict -f "$work/rendered.yaml"
}
for values in "$chart"/ci/*-values.yaml; do
  works "the server takes ${values##*/}" soon server_takes "$values"
done

certificate_secrets() { "$root/deploy/secrets.sh" "$work/pki" "$namespace" | kubectl apply --server-side -f -; }
works 'deploy/secrets.sh makes the Secrets' certificate_secrets
secrets_suffice() {
  local name
  for name in $(render "$chart/ci/default-values.yaml" | sed -n 's/.*secretName: //p' | sort -u); do
    kubectl -n "$namespace" get secret "$name" || return 1
  done
}
works 'they are all that the pods mount' secrets_suffice

readonly install_flags=(--namespace "$namespace" --set 'releaseNamespaces={team-a}' --set admission.requireLabel=true)
works 'helm install' helm install portcullis "$chart" "${install_flags[@]}"
for crd in modelkeys releasepolicies keyreleases; do
  works "CRD $crd is established" kubectl wait --for=condition=Established --timeout=20s "crd/$crd.portcullis.dev"
done

# Pods come from the real controllers, through real pod security admission; there is no kubelet to run them.
has_pods() { # COMPONENT COUNT
  [[ $(kubectl -n "$namespace" get pods -l "app.kubernetes.io/component=$1" -o name | wc -l) == "$2" ]]
}
works 'pod security "restricted" admits the broker' soon has_pods kbs 1
works 'pod security "restricted" admits the controllers' soon has_pods controller 2
works 'pod security "restricted" admits the webhooks' soon has_pods webhook 2

each_container() { # JQ_CONDITION
  kubectl -n "$namespace" get deployments -o json |
    jq -e "[.items[].spec.template.spec | .containers[] as \$c | . as \$p | \$c | $1] | length == 3 and all"
}
works 'root file systems are read-only' each_container '.securityContext.readOnlyRootFilesystem'
works 'each container has requests, a memory limit and three probes' each_container \
  '.resources.requests.cpu and .resources.limits.memory and .startupProbe and .livenessProbe and .readinessProbe'
only_who_needs_it() {
  kubectl -n "$namespace" get deployments -o json | jq -e '[.items[] | {(.metadata.name): .spec.template.spec.automountServiceAccountToken}] | add ==
    {"portcullis-kbs": false, "portcullis-controller": true, "portcullis-webhook": true}'
}
works 'the broker gets no token of the API server' only_who_needs_it
services_reach_ports() { # each named targetPort of a Service is a port of the pods it selects
  local service port
  for service in portcullis-kbs:guest portcullis-kbs-broker:broker portcullis-webhook:webhook \
    portcullis-kbs-metrics:ops portcullis-controller-metrics:ops portcullis-webhook-metrics:ops; do
    port=${service#*:}
    kubectl -n "$namespace" get service "${service%:*}" -o json | jq -r '.spec.selector | to_entries | map(.key + "=" + .value) | join(",")' |
      xargs -I{} "$tools/kubectl" -n "$namespace" get pods -l {} -o json |
      jq -e --arg port "$port" '(.items | length) > 0 and all(.items[]; any(.spec.containers[].ports[]; .name == $port))' || return 1
  done
}
works 'Services select pods that have their ports' services_reach_ports
works 'the API server compiled the admission policies without warnings' soon bash -c \
  "'$tools/kubectl' get validatingadmissionpolicies -o json | jq -e '(.items | length) == 4 and all(.items[]; .status.typeChecking != null and (.status.typeChecking.expressionWarnings // [] | length) == 0)'"
