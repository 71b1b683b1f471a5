{{/* kbs.yaml as it is written: the values, and what only the release knows. */}}
{{- define "portcullis.kbsConfig" -}}
{{- $config := deepCopy .Values.kbs.config -}}
{{- if not $config.guest.url -}}
{{- $_ := set $config.guest "url" (include "portcullis.guestUrl" .) -}}
{{- end -}}
{{ toYaml $config }}
{{- end -}}

{{- define "portcullis.guestUrl" -}}
https://{{ include "portcullis.fullname" . }}-kbs.{{ .Release.Namespace }}.svc:{{ .Values.kbs.service.port }}
{{- end -}}

{{- define "portcullis.brokerUrl" -}}
https://{{ include "portcullis.fullname" . }}-kbs-broker.{{ .Release.Namespace }}.svc:{{ .Values.kbs.brokerService.port }}
{{- end -}}

{{- define "portcullis.leaseName" -}}
{{- .Values.operator.config.leaderElection.name | default (printf "%s-controller" (include "portcullis.fullname" .)) -}}
{{- end -}}

{{- define "portcullis.webhookSecretName" -}}
{{- .Values.operator.config.webhook.certificateSecret | default (printf "%s-webhook-ca" (include "portcullis.fullname" .)) -}}
{{- end -}}

{{- define "portcullis.operatorNamespace" -}}
{{- .Values.operator.config.namespace | default .Release.Namespace -}}
{{- end -}}

{{- define "portcullis.operatorConfig" -}}
{{- $name := include "portcullis.fullname" . -}}
{{- $config := deepCopy .Values.operator.config -}}
{{- if not .Values.kbs.enabled -}}
{{- if not (and $config.broker.url $config.guest.url) -}}
{{- fail "kbs.enabled is false: set operator.config.broker.url and operator.config.guest.url to the broker that runs elsewhere" -}}
{{- end -}}
{{- if eq $config.cluster "default" -}}
{{- fail "kbs.enabled is false: set operator.config.cluster to a name that no other cluster of that broker has" -}}
{{- end -}}
{{- end -}}
{{- $_ := set $config "namespace" (include "portcullis.operatorNamespace" .) -}}
{{- $_ := set $config.broker "url" ($config.broker.url | default (include "portcullis.brokerUrl" .)) -}}
{{- $_ := set $config.guest "url" ($config.guest.url | default .Values.kbs.config.guest.url | default (include "portcullis.guestUrl" .)) -}}
{{- $_ := set $config.agent "image" ($config.agent.image | default (include "portcullis.image" (dict "root" . "image" .Values.agent.image))) -}}
{{- $_ := set $config.webhook "serviceName" ($config.webhook.serviceName | default (printf "%s-webhook" $name)) -}}
{{- $_ := set $config.webhook "certificateSecret" (include "portcullis.webhookSecretName" .) -}}
{{- $_ := set $config.webhook "mutatingConfiguration" ($config.webhook.mutatingConfiguration | default $name) -}}
{{- $_ := set $config.webhook "validatingConfiguration" ($config.webhook.validatingConfiguration | default $name) -}}
{{- $_ := set $config.leaderElection "name" (include "portcullis.leaseName" .) -}}
{{ toYaml $config }}
{{- end -}}
