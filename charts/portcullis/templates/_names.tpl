{{- define "portcullis.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* The prefix of every name. 40 characters leave room for the longest suffix within 63. */}}
{{- define "portcullis.fullname" -}}
{{- $name := include "portcullis.name" . -}}
{{- $derived := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- .Values.fullnameOverride | default $derived | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "portcullis.selectorLabels" -}}
app.kubernetes.io/name: {{ include "portcullis.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "portcullis.commonLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: portcullis
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Labels of an object: (dict "root" $ "component" "kbs"). */}}
{{- define "portcullis.labels" -}}
{{ include "portcullis.selectorLabels" . }}
{{ include "portcullis.commonLabels" .root }}
{{- end -}}

{{- define "portcullis.image" -}}
{{- $image := .image -}}
{{- if $image.digest -}}
{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $image.repository }}:{{ $image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* Full user name of a component's ServiceAccount: (dict "root" $ "component" "controller"). */}}
{{- define "portcullis.userName" -}}
system:serviceaccount:{{ .root.Release.Namespace }}:{{ include "portcullis.fullname" .root }}-{{ .component }}
{{- end -}}

{{- define "portcullis.runtimeClassesCel" -}}
[{{ range $i, $name := .Values.operator.config.confidential.runtimeClasses }}{{ if $i }}, {{ end }}'{{ $name }}'{{ end }}]
{{- end -}}

{{/* Namespaces whose pods admission never looks at: what Portcullis itself needs must start without it. */}}
{{- define "portcullis.namespaceSelector" -}}
matchExpressions:
  - key: kubernetes.io/metadata.name
    operator: NotIn
    values:
      {{- toYaml (concat (list "kube-system" "kube-node-lease" .Release.Namespace) .Values.webhook.excludedNamespaces | uniq) | nindent 6 }}
{{- end -}}
