# Sourced by chart_test.sh: objects that the CRDs refuse.
# shellcheck shell=bash disable=SC2034,SC2154  # names of chart_test.sh
section=objects

object() { kubectl apply --server-side -f "$here/objects/$1.yaml"; }
for name in model-key release-policy key-release; do works "$name is taken" soon object "$name"; done

# patched KIND NAME MERGE_PATCH
patched() { kubectl -n team-a patch "$1" "$2" --type=merge -p "$3"; }
readonly release_name=portcullis-000102030405060708090a0b0c0d0e0f

refused 'KeyRelease: spec never changes' 'spec of a KeyRelease is immutable' \
  patched keyrelease "$release_name" '{"spec":{"podName":"other"}}'
refused 'KeyRelease: nothing is released without the verdict allow' 'without the verdict allow' \
  kubectl -n team-a patch keyrelease "$release_name" --subresource=status --type=merge -p '{"status":{"phase":"Released"}}'
refused 'KeyRelease: a denial says why' 'a denial says why' \
  kubectl -n team-a patch keyrelease "$release_name" --subresource=status --type=merge -p '{"status":{"phase":"Denied"}}'
works 'KeyRelease: a whole status is taken' kubectl -n team-a patch keyrelease "$release_name" --subresource=status --type=merge \
  -p '{"status":{"phase":"Denied","verdict":"deny","reasons":["TcbBelowFloor"]}}'
refused 'ModelKey: authority never changes' 'authority is immutable' \
  patched modelkey llama '{"spec":{"authority":{"x":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}}}'
refused 'ModelKey: resource never changes' 'resource is immutable' patched modelkey llama '{"spec":{"resource":"team-a/model-key/other"}}'
refused 'ModelKey: a coordinate has the length of its curve' 'length that its curve' \
  patched modelkey llama '{"spec":{"authority":{"crv":"P-384"}}}'
# versions SIGNATURE_MEMBER: a merge patch of a list has all of it
versions() { jq -c --argjson more "$1" '{spec: {versions: [.spec.versions[0] | del(.signature) + $more]}}' <(kubectl -n team-a get modelkey llama -o json); }
refused 'ModelKey: a version is signed' 'signature: Required value' patched modelkey llama "$(versions '{}')"
refused 'ModelKey: a signature has no payload of its own' 'signature: Invalid value' \
  patched modelkey llama "$(versions '{"signature":"eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl"}')"
refused 'ReleasePolicy: the revision never falls' 'revision of a policy never falls' \
  patched releasepolicy llama '{"spec":{"policy":{"revision":4}}}'
refused 'ReleasePolicy: a change raises the revision' 'changed policy has a higher revision' \
  patched releasepolicy llama '{"spec":{"policy":{"delivery":"Direct"}}}'
refused 'ReleasePolicy: the document names its object' 'name of the object' \
  patched releasepolicy llama '{"spec":{"policy":{"name":"other","revision":6}}}'
works 'ReleasePolicy: a higher revision is taken' patched releasepolicy llama '{"spec":{"policy":{"revision":6,"delivery":"Direct"}}}'
keeps_unknown_members() { [[ $(kubectl -n team-a get releasepolicy llama -o jsonpath='{.spec.policy.delivery}') == Direct ]]; }
works 'ReleasePolicy: members under the signature are not pruned' keeps_unknown_members
