# Sourced by chart_test.sh: what needs no API server.
# shellcheck shell=bash disable=SC2034,SC2154  # names of chart_test.sh
section=offline

works 'the packaged CRDs are those of crds/' "$chart/sync-crds.sh" --check
works 'docs/reference/values.md describes each value, and values and schema name the same' "$here/values_doc.py" --check

for values in "$chart"/ci/*-values.yaml; do
  works "lint ${values##*/}" helm lint "$chart" --strict --kube-version 1.36.0 -f "$values"
  works "template ${values##*/}" render "$values"
done
works 'deploy/render.sh renders' env HELM="$tools/helm" "$root/deploy/render.sh"

# Decoded and encoded again, the schemas' largest numbers would lose their last digits.
packaged_as_they_are() {
  local crd rendered
  rendered=$(helm template portcullis "$chart" --kube-version 1.36.0 --show-only templates/crds.yaml)
  for crd in "$root"/crds/*.yaml; do
    [[ $rendered == *"$(sed -n '/^spec:$/,$p' "$crd")"* ]] || { echo "$crd is rendered otherwise"; return 1; }
  done
}
works 'schemas are not re-encoded' packaged_as_they_are

# The schema refuses what would admit anything, do nothing, or not be read.
while IFS='|' read -r set_flag why; do
  refused "refuses $set_flag" "$why" render "$chart/ci/default-values.yaml" --set "$set_flag"
done <<'ROWS'
unknown=1|additional properties 'unknown'
kbs.config.unknown=1|additional properties 'unknown'
operator.config.webhook.unknown=1|additional properties 'unknown'
operator.config.confidential.runtimeClasses=null|missing property 'runtimeClasses'
operator.config.confidential.runtimeClasses={kata-qemu-snp-debug}|runtimeClasses/0
operator.config.confidential.nodeSelectorLabels={kubernetes.io/os}|nodeSelectorLabels/0
operator.config.cluster=|cluster
kbs.replicas=2|must be one of 0, 1
kbs.config.broker.clients=null|missing property 'clients'
kbs.config.broker.clients[0].commonName=x,kbs.config.broker.clients[0].roles={root}|must be one of 'operator', 'auditor'
kbs.config.guest.url=http://kbs|guest/url
kbs.config.audit.origin=|audit/origin
kbs.config.store.path=kbs.db|store/path
kbs.image.digest=sha256:12|digest
kbs.persistence.accessModes={ReadWriteMany}|must be one of
releaseNamespaces={kube-system}|releaseNamespaces/0
webhook.timeoutSeconds=60|timeoutSeconds
kbs.enabled=false|operator.config.broker.url
ROWS
empty_list() { render <(printf 'operator: {config: {confidential: {runtimeClasses: []}}}'); }
refused 'refuses an empty list of confidential RuntimeClasses' 'minItems' empty_list
refused 'refuses a shared broker without a name for the cluster' 'operator.config.cluster' \
  render "$chart/ci/external-kbs-values.yaml" --set operator.config.cluster=default

alerts_tested() {
  cp "$here/alerts_test.yaml" "$chart/files/alerts.yaml" "$work/"
  promtool check rules "$work/alerts.yaml" && promtool test rules "$work/alerts_test.yaml"
}
alerts_documented() {
  local alert
  while read -r alert; do
    grep -qx "## $alert" "$root/docs/reference/alerts.md" || { echo "docs/reference/alerts.md has no '## $alert'"; return 1; }
    grep -q "runbook_url: RUNBOOK_URL#${alert,,}\$" "$chart/files/alerts.yaml" || { echo "$alert has no runbook_url"; return 1; }
  done < <(sed -n 's/.*alert: //p' "$chart/files/alerts.yaml")
}
# Each metric that an alert reads is one that we have.
alerts_know_metrics() {
  local metric
  while read -r metric; do
    grep -q "\`${metric%_bucket}\`" "$root/docs/reference/metrics.md" || { echo "no metric $metric"; return 1; }
  done < <(grep -oE '\b(portcullis|workqueue|leader_election|process)_[a-z_]+' "$chart/files/alerts.yaml" | sort -u)
}
if command -v promtool >/dev/null; then
  works 'alerts fire on their causes and are silent on health' alerts_tested
else
  row NONE 'alerts: promtool is not here, so nothing was tested'
fi
works 'alerts have a runbook each' alerts_documented
works 'alerts read metrics that exist' alerts_know_metrics
rendered_runbooks() { ! render "$chart/ci/full-values.yaml" | grep RUNBOOK_URL; }
works 'runbook addresses are filled in' rendered_runbooks
