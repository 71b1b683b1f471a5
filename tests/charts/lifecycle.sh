# Sourced by chart_test.sh: upgrade, rollback, uninstall and coming back.
# shellcheck shell=bash disable=SC2034,SC2154  # names of chart_test.sh
section=lifecycle

readonly configurations=(mutatingwebhookconfiguration validatingwebhookconfiguration)
# As the webhook itself does it.
writes_bundle() {
  local kind
  for kind in "${configurations[@]}"; do
    patches webhook "/apis/admissionregistration.k8s.io/v1/${kind}s/portcullis" json-patch \
      "[{\"op\":\"add\",\"path\":\"/webhooks/0/clientConfig/caBundle\",\"value\":\"$(base64 -w0 <"$work/pki/ca.crt")\"}]" || return 1
  done
}
has_bundle() {
  local kind
  for kind in "${configurations[@]}"; do
    [[ $(kubectl get "$kind" portcullis -o jsonpath='{.webhooks[0].clientConfig.caBundle}') == "$(base64 -w0 <"$work/pki/ca.crt")" ]] || return 1
  done
}
controllers() { [[ $(kubectl -n "$namespace" get deployment portcullis-controller -o jsonpath='{.spec.replicas}') == "$1" ]]; }

works 'the webhook writes its CA into both configurations' writes_bundle
works 'helm upgrade' helm upgrade portcullis "$chart" "${install_flags[@]}" --set controller.replicas=3 --set webhook.timeoutSeconds=7
works 'brings the change' controllers 3
works 'and leaves the CA' has_bundle
works 'helm upgrade without server-side apply' helm upgrade portcullis "$chart" "${install_flags[@]}" --server-side=false --set webhook.timeoutSeconds=8
works 'leaves the CA too' has_bundle
works 'helm rollback' helm rollback portcullis 1 --namespace "$namespace"
works 'brings back what was' controllers 2
works 'and leaves the CA' has_bundle

works 'helm uninstall' helm uninstall portcullis --namespace "$namespace"
kept() { kubectl -n team-a get modelkey/llama releasepolicy/llama "keyrelease/$release_name"; }
works 'keeps the CRDs and all objects' kept
# A claim that was deleted is there for as long as its finalizer.
database_kept() { kubectl -n "$namespace" get persistentvolumeclaim portcullis-kbs -o json | jq -e '.metadata.deletionTimestamp == null'; }
works 'keeps the database' database_kept
gone() { [[ -z $(kubectl get mutatingwebhookconfigurations,validatingwebhookconfigurations,validatingadmissionpolicies,clusterroles -l app.kubernetes.io/part-of=portcullis -o name) ]]; }
works 'leaves nothing that could hold up a pod' gone
works 'helm install again' helm install portcullis "$chart" "${install_flags[@]}"
works 'finds the objects again' kept
works 'helm uninstall where CRDs are not kept' bash -c "'$tools/helm' upgrade portcullis '$chart' --namespace $namespace --set crds.keep=false &&
  '$tools/helm' uninstall portcullis --namespace $namespace"
crds_gone() { ! kubectl get crd modelkeys.portcullis.dev; }
works 'takes them' soon crds_gone
