# Sourced by chart_test.sh: what admission refuses with no process of ours running.
# shellcheck shell=bash disable=SC2016,SC2034,SC2154  # names of chart_test.sh
section=admission

# Policies: Secrets.
works 'policies are in force' soon_refused 'only Portcullis. controller makes Secrets' \
  kubectl create --dry-run=server -f "$here/objects/sealed-secret.yaml"
refused 'nobody else makes a sealed-key Secret, not even an admin' 'only Portcullis. controller makes Secrets' \
  kubectl create -f "$here/objects/sealed-secret.yaml"
works 'the controller makes one' created controller sealed-secret
works 'the controller reads it' as controller -n team-a get secret "$release_name"
refused 'the controller makes no Opaque Secret' 'portcullis.dev/sealed-key alone' \
  created controller sealed-secret 's/^type: .*/type: Opaque/; s/0e0f/0e10/g'
refused 'the controller makes none without the label' 'has the label portcullis.dev/release-id' \
  created controller sealed-secret 's/0e0f/0e10/g; /labels:/d'
refused 'the controller makes none of another name' 'named after it' \
  created controller sealed-secret 's/^  name: .*/  name: other/'
refused 'the controller makes none that can be changed' 'is immutable' \
  created controller sealed-secret 's/0e0f/0e10/g; /immutable/d'
works 'somebody has a Secret' kubectl -n team-a create secret generic theirs --from-literal=password=x
refused 'the controller deletes no Secret of others' 'portcullis.dev/sealed-key alone' as controller -n team-a delete secret theirs
works 'the controller deletes its own' as controller -n team-a delete secret "$release_name"
works 'other Secrets are nobody of our business' kubectl -n team-a create secret generic more --from-literal=password=x
works 'the webhook makes the Secret of its CA' created webhook webhook-ca
works 'the webhook renews it' as webhook -n "$namespace" replace -f "$here/objects/webhook-ca.yaml"
refused 'the webhook makes no other Secret' 'its own CA alone' created webhook webhook-ca 's/portcullis-webhook-ca/other/'

# Webhook configurations. Nothing answers, so whoever is matched is refused, and only they.
pod() { changed "${1:-}" pod | kubectl create "${@:2}" -f -; }
readonly labelled='s/^metadata: {name: plain/metadata: {labels: {portcullis.dev\/policy: llama}, name: labelled/'
works 'a pod that asks for nothing is admitted while the webhook is away' pod
refused 'a pod that asks for a key is not' 'failed calling webhook "mutate.portcullis.dev"' pod "$labelled"
refused 'nor is one that brings a release id' 'failed calling webhook "mutate.portcullis.dev"' \
  pod "${labelled/policy: llama/release-id: abcd}"
works 'pods of the excluded namespaces are not looked at' \
  pod "$labelled; s/team-a/kube-system/" --dry-run=server
refused 'a label that comes later is looked at' 'failed calling webhook "validate.portcullis.dev"' \
  kubectl -n team-a label pod plain portcullis.dev/policy=llama
works 'other labels are not' kubectl -n team-a label pod plain app=x
ephemeral() {
  kubectl patch -n "$1" pod "$2" --subresource=ephemeralcontainers --type=strategic \
    -p '{"spec":{"ephemeralContainers":[{"name":"debug","image":"busybox"}]}}'
}
works 'ephemeral containers of other pods are not looked at' ephemeral team-a plain

# A labelled pod that is there already: made while the namespace was not looked at.
works 'a namespace moves under admission' bash -c "'$tools/kubectl' create namespace late &&
  '$tools/helm' upgrade portcullis '$chart' --reuse-values --namespace $namespace --set 'webhook.excludedNamespaces={late}'"
works 'a pod from before' soon pod "$labelled; s/team-a/late/; s/^metadata: {/metadata: {finalizers: [example.com\/kept], /"
late_job() { # Its pods hold the finalizer batch.kubernetes.io/job-tracking until the Job's controller takes it off.
  kubectl create -f - <<'JOB'
apiVersion: batch/v1
kind: Job
metadata: {name: training, namespace: late}
spec:
  template:
    metadata: {labels: {portcullis.dev/policy: llama}}
    spec: {restartPolicy: Never, containers: [{name: main, image: busybox}]}
JOB
}
works 'a Job from before' late_job
tracked() { kubectl -n late get pods -l job-name=training -o json | jq -e '.items[0].metadata.finalizers == ["batch.kubernetes.io/job-tracking"]'; }
works 'whose pod is tracked' soon tracked
works 'admission looks at it again' helm upgrade portcullis "$chart" "${install_flags[@]}"
works 'taking the label off is refused' soon_refused 'failed calling webhook "validate.portcullis.dev"' \
  kubectl -n late label pod labelled portcullis.dev/policy- --dry-run=server
refused 'an ephemeral container of it is refused' 'failed calling webhook "validate.portcullis.dev"' ephemeral late labelled

# Still nothing answers: what the webhook holds can't change, all else can.
readonly away='failed calling webhook "validate.portcullis.dev"'
refused 'its image stays' "$away" kubectl -n late set image pod/labelled '*=evil'
refused 'its other fields stay' "$away" kubectl -n late patch pod labelled -p '{"spec": {"activeDeadlineSeconds": 60}}'
for label in key release-id; do
  refused "it gets no label portcullis.dev/$label" "$away" kubectl -n late label pod labelled "portcullis.dev/$label=x"
done
for annotation in io.katacontainers.config.hypervisor.cc_init_data portcullis.dev/init-data-digest; do
  refused "it gets no annotation $annotation" "$away" kubectl -n late annotate pod labelled "$annotation=x"
done
works 'its labels of others change' kubectl -n late label pod labelled role=primary
works 'its annotations of others change' kubectl -n late annotate pod labelled example.com/note=x
works 'its owner changes' kubectl -n late patch pod labelled -p \
  '{"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "kube-root-ca.crt", "uid": "'"$(kubectl -n late get configmap kube-root-ca.crt -o jsonpath='{.metadata.uid}')"'"}]}}'
works 'deleting the pod is not refused' kubectl -n late delete pod labelled --grace-period=0 --force --wait=false
works 'nor is taking its last finalizer' kubectl -n late patch pod labelled -p '{"metadata": {"$deleteFromPrimitiveList/finalizers": ["example.com/kept"]}}'
pod_gone() { ! kubectl -n late get pod labelled; }
works 'so it is gone' soon pod_gone
works 'the Job is deleted' kubectl -n late delete job training
training_gone() { [[ -z $(kubectl -n late get pods -l job-name=training -o name) ]]; }
works 'its controller lets go of its pod' soon training_gone
works 'the namespace is deleted' kubectl delete namespace late --timeout=60s

# admission.requireLabel
runtime_class() { kubectl apply -f - <<<'{"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "kata-qemu-snp"}, "handler": "kata"}'; }
works 'a confidential RuntimeClass' runtime_class
readonly confidential='s/^spec:/spec:\n  runtimeClassName: kata-qemu-snp/'
refused 'a confidential pod that asks for no key is refused' 'needs the label portcullis.dev/policy' \
  pod "$confidential; s/name: plain/name: silent/"
works 'in excluded namespaces it is not' pod "$confidential; s/team-a/kube-system/" --dry-run=server
