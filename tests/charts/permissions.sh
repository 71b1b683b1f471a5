# Sourced by chart_test.sh: who may do what. First as the authoriser answers, then as the API server does.
# shellcheck shell=bash disable=SC2034,SC2154  # names of chart_test.sh
section=rights

user_of() { printf 'system:serviceaccount:%s:portcullis-%s' "$namespace" "$1"; }

# Rows of COMPONENT EXPECTED VERB RESOURCE[.GROUP][/NAME_OR_status] NAMESPACE become SubjectAccessReviews.
reviews() {
  jq -R --arg own "$namespace" 'split(" ") as [$component, $expected, $verb, $what, $namespace] |
    ($what | split("/")) as [$type, $part] | ($type | split(".")) as $names | {
      apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview",
      spec: {
        user: "system:serviceaccount:\($own):portcullis-\($component)",
        groups: ["system:serviceaccounts", "system:serviceaccounts:\($own)", "system:authenticated"],
        resourceAttributes: ({verb: $verb, namespace: $namespace, resource: $names[0], group: ($names[1:] | join("."))} +
          if $part == null then {} elif $part == "status" then {subresource: $part} else {name: $part} end)}}'
}

mapfile -t right_rows < <(grep -v '^#' <<'ROWS'
# the controller's calls
controller yes list pods team-b
controller yes watch pods team-b
controller yes get pods team-b
controller yes list modelkeys.portcullis.dev team-b
controller yes watch releasepolicies.portcullis.dev team-b
controller yes create keyreleases.portcullis.dev team-b
controller yes watch keyreleases.portcullis.dev team-b
controller yes patch keyreleases.portcullis.dev/status team-b
controller yes patch modelkeys.portcullis.dev/status team-b
controller yes patch releasepolicies.portcullis.dev/status team-b
controller yes create events.events.k8s.io team-b
controller yes patch events.events.k8s.io team-b
controller yes create leases.coordination.k8s.io portcullis
controller yes get leases.coordination.k8s.io/portcullis-controller portcullis
controller yes update leases.coordination.k8s.io/portcullis-controller portcullis
controller yes get secrets team-a
controller yes create secrets team-a
controller yes delete secrets team-a
# and no others
controller no list secrets team-a
controller no watch secrets team-a
controller no update secrets team-a
controller no patch secrets team-a
controller no deletecollection secrets team-a
controller no get secrets team-b
controller no create secrets team-b
controller no get secrets portcullis
controller no get secrets kube-system
controller no update leases.coordination.k8s.io/other portcullis
controller no get leases.coordination.k8s.io kube-system
controller no create pods team-a
controller no delete pods team-a
controller no patch pods team-a
controller no update keyreleases.portcullis.dev team-a
controller no delete keyreleases.portcullis.dev team-a
controller no patch releasepolicies.portcullis.dev team-a
controller no create modelkeys.portcullis.dev team-a
controller no get configmaps portcullis
controller no patch mutatingwebhookconfigurations.admissionregistration.k8s.io/portcullis default
controller no create rolebindings.rbac.authorization.k8s.io team-a
controller no impersonate serviceaccounts team-a
# the webhook's calls
webhook yes list modelkeys.portcullis.dev team-b
webhook yes watch releasepolicies.portcullis.dev team-b
webhook yes get secrets/portcullis-webhook-ca portcullis
webhook yes update secrets/portcullis-webhook-ca portcullis
webhook yes create secrets portcullis
webhook yes get mutatingwebhookconfigurations.admissionregistration.k8s.io/portcullis default
webhook yes patch mutatingwebhookconfigurations.admissionregistration.k8s.io/portcullis default
webhook yes patch validatingwebhookconfigurations.admissionregistration.k8s.io/portcullis default
# and no others
webhook no get secrets/portcullis-kek portcullis
webhook no update secrets/portcullis-kek portcullis
webhook no list secrets portcullis
webhook no delete secrets/portcullis-webhook-ca portcullis
webhook no get secrets team-a
webhook no create secrets team-a
webhook no get pods team-a
webhook no list keyreleases.portcullis.dev team-a
webhook no patch mutatingwebhookconfigurations.admissionregistration.k8s.io/other default
webhook no update validatingwebhookconfigurations.admissionregistration.k8s.io/portcullis default
webhook no create leases.coordination.k8s.io portcullis
webhook no delete validatingadmissionpolicies.admissionregistration.k8s.io default
# the broker has nothing to do with the API server
kbs no get pods portcullis
kbs no list secrets portcullis
kbs no get secrets/portcullis-kek portcullis
kbs no get configmaps portcullis
kbs no list keyreleases.portcullis.dev team-a
kbs no create events.events.k8s.io portcullis
ROWS
)
# All in one request: one kubectl each would take a minute.
mapfile -t answers < <(printf '%s\n' "${right_rows[@]}" | reviews | kubectl create -f - -o json |
  jq -r '(.items // [.])[] | if .status.allowed then "yes" else "no" end')
for i in "${!right_rows[@]}"; do
  read -r component expected verb resource where <<<"${right_rows[$i]}"
  works "$component: $verb $resource in $where: $expected" test "${answers[$i]:-unanswered}" = "$expected"
done

as() { # COMPONENT KUBECTL_ARGUMENT...
  local component=$1
  shift
  kubectl --as "$(user_of "$component")" "$@"
}
# patches COMPONENT PATH TYPE BODY: a PATCH and nothing before it, with the component's own token; kubectl would GET first.
patches() {
  curl --silent --show-error --fail-with-body --cacert "$CA_FILE" -X PATCH "$APISERVER$2" \
    -H "Authorization: Bearer $(kubectl -n "$namespace" create token "portcullis-$1" --duration=10m)" \
    -H "Content-Type: application/$3+json" --data "$4"
}
changed() { sed "$1" "$here/objects/$2.yaml"; }
# created COMPONENT OBJECT [SED_SCRIPT]
created() { changed "${3:-}" "$2" | as "$1" create -f -; }

works 'the controller records an Event' created controller event
works 'the controller counts an Event again' patches controller \
  /apis/events.k8s.io/v1/namespaces/team-a/events/llama-0.1 merge-patch \
  '{"series":{"count":2,"lastObservedTime":"2026-01-01T00:01:00.000000Z"}}'
works 'the controller takes the lease' created controller lease
works 'the controller renews the lease' as controller replace -f "$here/objects/lease.yaml"
works 'the controller patches a status' patches controller \
  "/apis/portcullis.dev/v1alpha1/namespaces/team-a/keyreleases/$release_name/status" merge-patch \
  '{"status":{"phase":"Registered","verdict":null,"reasons":null}}'
refused 'but not the object itself' 403 patches controller \
  "/apis/portcullis.dev/v1alpha1/namespaces/team-a/keyreleases/$release_name" merge-patch '{"metadata":{"labels":{"a":"b"}}}'
owned_release() {
  kubectl -n team-b create -f <(changed 's/team-a/team-b/' pod) &&
    changed 's/team-a/team-b/' key-release | sed "s/^metadata: {/metadata: {ownerReferences: [{apiVersion: v1, kind: Pod, name: plain, uid: $(kubectl -n team-b get pod plain -o jsonpath='{.metadata.uid}'), blockOwnerDeletion: false}], /" |
    as controller create -f -
}
works 'the controller makes a KeyRelease owned by a pod' owned_release
collected() { ! kubectl -n team-b get keyrelease "$release_name"; }
works 'deleting the pod' kubectl -n team-b delete pod plain --grace-period=0 --force
works 'collects its KeyRelease' soon collected

aggregated() { # ROLE YES_OR_NO VERB RESOURCE
  local answer
  kubectl -n team-b create rolebinding "person-$1" --clusterrole="$1" --user="person-$1" >/dev/null 2>&1 || true
  answer=$(kubectl auth can-i "$3" "$4" --namespace team-b --as "person-$1" 2>/dev/null) || true
  [[ $answer == "$2" ]]
}
works 'the role view sees releases' soon aggregated view yes get keyreleases.portcullis.dev
works 'the role view changes no policy' aggregated view no patch releasepolicies.portcullis.dev
works 'the role edit changes policies' soon aggregated edit yes patch releasepolicies.portcullis.dev
works 'the role admin makes no releases' aggregated admin no create keyreleases.portcullis.dev
