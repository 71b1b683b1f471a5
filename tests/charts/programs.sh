# Sourced by chart_test.sh: the programs read what the chart writes.
# shellcheck shell=bash disable=SC2034,SC2154  # names of chart_test.sh
section=programs

# configuration_of VALUES_FILE CONFIG_MAP: the file that the ConfigMap holds.
configuration_of() {
  render "$1" | awk -v name="$2" '
    /^---/ {inside = 0; named = 0} $0 == "kind: ConfigMap" {map = 1} /^kind:/ && !/ConfigMap/ {map = 0}
    map && $0 == "  name: " name {named = 1}
    inside && /^    / {print substr($0, 5)} named && /^  [a-z]+\.yaml: \|/ {inside = 1}'
}

# parsed PROGRAM ARGUMENT... CONFIG: it fails later, for files that are not here; the configuration it took.
parsed() {
  local output
  output=$(timeout 20 "$@" 2>&1) || true
  printf '%s\n' "$output"
  [[ -n $output ]] && ! grep -q 'configuration is not valid' <<<"$output"
}

for values in default full external-kbs local; do
  file=$chart/ci/$values-values.yaml
  if [[ $values != external-kbs ]]; then
    configuration_of "$file" portcullis-kbs >"$work/kbs-$values.yaml"
    if [[ -x $programs/portcullis-kbs ]]; then
      works "portcullis-kbs takes kbs.yaml of $values-values.yaml" \
        parsed "$programs/portcullis-kbs" --config "$work/kbs-$values.yaml"
    fi
  fi
  configuration_of "$file" portcullis-operator >"$work/operator-$values.yaml"
  if [[ -x $programs/portcullis-operator ]]; then
    works "portcullis-operator takes operator.yaml of $values-values.yaml" \
      parsed "$programs/portcullis-operator" controller --config "$work/operator-$values.yaml"
  fi
done

# The broker as the pod runs it: another user than root, the KEK root's and readable by the pod's group.
certificates=$work/pki
works 'deploy/certificates.sh makes certificates' "$root/deploy/certificates.sh" "$certificates" --host 127.0.0.1
refused 'deploy/certificates.sh overwrites no CA' 'never overwritten' "$root/deploy/certificates.sh" "$certificates"
signed_by_ca() { openssl verify -purpose "$1" -CAfile "$certificates/ca.crt" "$certificates/$2.crt"; }
for leaf in sslserver:guest sslserver:broker sslclient:operator sslclient:webhook sslclient:auditor; do
  works "certificate ${leaf#*:} is for ${leaf%:*}" signed_by_ca "${leaf%:*}" "${leaf#*:}"
done
refused 'a client certificate is none for a server' 'purpose' signed_by_ca sslserver operator

serves_as_pod_user() {
  local pod=$work/pod output
  mkdir -p "$pod/store"
  cp "$certificates"/{guest,broker}.{crt,key} "$certificates/ca.crt" "$certificates/kek" "$pod/"
  sed -e "s|/tmp/portcullis/kbs.db|$pod/store/kbs.db|; s|/tmp/portcullis/|$pod/|" \
    -e 's/\(port: \).*/\10/' "$work/kbs-local.yaml" >"$pod/kbs.yaml"
  chmod 0711 "$work"
  chown -R 0:65532 "$pod" && chmod 0750 "$pod" && chmod 0440 "$pod"/*.* "$pod/kek" && chown 65532 "$pod/store"
  output=$(timeout -s TERM 5 setpriv --reuid 65532 --regid 65532 --clear-groups \
    "$programs/portcullis-kbs" --config "$pod/kbs.yaml" 2>&1) || true
  printf '%s\n' "$output"
  grep -q serving <<<"$output"
}
if [[ -x $programs/portcullis-kbs && $EUID == 0 ]]; then
  works 'portcullis-kbs serves as user 65532 with Secrets as kubelet mounts them' serves_as_pod_user
fi
if [[ -x $programs/portcullis ]]; then
  works 'portcullis policy explain reads deploy/quickstart-policy.yaml' \
    "$programs/portcullis" policy explain --in "$root/deploy/quickstart-policy.yaml"
fi
for program in portcullis portcullis-kbs portcullis-operator; do
  [[ -x $programs/$program ]] || row NONE "$program is not in $programs, so nothing was tested with it"
done
