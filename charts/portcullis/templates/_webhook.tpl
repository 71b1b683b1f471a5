{{/* Both labels, before and after: whoever takes the label off a pod is looked at too. */}}
{{- define "portcullis.webhookCommon" -}}
admissionReviewVersions: [v1]
failurePolicy: Fail
matchPolicy: Equivalent
sideEffects: None
timeoutSeconds: {{ .Values.webhook.timeoutSeconds }}
namespaceSelector:
  {{- include "portcullis.namespaceSelector" . | nindent 2 }}
matchConditions:
  - name: asks-for-a-key
    expression: >-
      [object, oldObject].exists(pod, pod != null && has(pod.metadata.labels) &&
      ('portcullis.dev/policy' in pod.metadata.labels || 'portcullis.dev/release-id' in pod.metadata.labels))
{{- end -}}
