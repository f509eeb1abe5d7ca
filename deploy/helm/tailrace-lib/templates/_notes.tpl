{{/* What helm says after an install. */}}

{{- define "tailrace.notes" -}}
{{- $common := (.Values.global | default dict).tailrace | default dict -}}
{{- $root := dict "Values" (mergeOverwrite (deepCopy .Values) $common) "Chart" .Chart "Release" .Release -}}
{{- $name := include "tailrace.name" $root -}}
{{ $root.Values.service.name }} {{ .Chart.AppVersion }} is installed in {{ .Release.Namespace }}.

  kubectl -n {{ .Release.Namespace }} rollout status deployment/{{ $name }}
{{- if and $root.Values.service.database $root.Values.consumer.enabled }}
  kubectl -n {{ .Release.Namespace }} rollout status deployment/{{ $name }}-consumer
{{- end }}
  kubectl -n {{ .Release.Namespace }} logs -l app.kubernetes.io/name={{ $root.Values.service.name }} --tail 20
{{- if $root.Values.service.edge }}
{{- if $root.Values.ingress.enabled }}

The platform answers at https://{{ $root.Values.ingress.host }}
{{- else if not $root.Values.httpRoute.enabled }}

Nothing outside the cluster reaches it yet: set ingress.enabled or httpRoute.enabled, with trustedProxies.
{{- end }}
{{- end }}
{{- if not $root.Values.monitoring.enabled }}

Nobody is told when it fails: set monitoring.enabled where the Prometheus Operator runs.
{{- end }}
{{- if eq $root.Values.kafka.protocol "plaintext" }}

Kafka is reached without a log-in and in clear. See kafka.protocol.
{{- end }}
{{- end }}
