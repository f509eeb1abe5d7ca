{{/* For the Prometheus Operator: what is scraped, and alerts when nothing is. `job` is the service's name in both. */}}

{{- define "tailrace.monitors" -}}
{{- $root := .root -}}
{{- $monitoring := $root.Values.monitoring -}}
{{- $endpoint := dict "port" "metrics" "path" "/metrics" "interval" $monitoring.interval "scrapeTimeout" $monitoring.scrapeTimeout -}}
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  {{- include "tailrace.metadata" (dict "root" $root "component" "api" "labels" $monitoring.labels) | nindent 2 }}
spec:
  jobLabel: app.kubernetes.io/name
  targetLabels: [app.kubernetes.io/component]
  selector:
    matchLabels:
      {{- include "tailrace.selector" (dict "root" $root "component" "api") | nindent 6 }}
  endpoints:
    - {{- toYaml $endpoint | nindent 6 }}
{{- if .consumes }}
---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata:
  {{- include "tailrace.metadata" (dict "root" $root "component" "consumer" "suffix" "consumer" "labels" $monitoring.labels) | nindent 2 }}
spec:
  jobLabel: app.kubernetes.io/name
  podTargetLabels: [app.kubernetes.io/component]
  selector:
    matchLabels:
      {{- include "tailrace.selector" (dict "root" $root "component" "consumer") | nindent 6 }}
  podMetricsEndpoints:
    - {{- toYaml $endpoint | nindent 6 }}
{{- end }}
{{- if $monitoring.rules }}
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  {{- include "tailrace.metadata" (dict "root" $root "labels" $monitoring.labels) | nindent 2 }}
spec:
  groups:
    - name: tailrace.{{ $root.Values.service.name }}
      rules:
        - alert: TailraceServiceAbsent
          expr: absent(up{job={{ $root.Values.service.name | quote }}, app_kubernetes_io_component="api"} == 1)
          for: 2m
          labels: { severity: critical, service: {{ $root.Values.service.name }} }
          annotations:
            summary: No process of {{ $root.Values.service.name }} that answers HTTP is scraped
            runbook_url: {{ $monitoring.runbooks }}#tailraceserviceabsent
        {{- if .consumes }}
        - alert: TailraceConsumerAbsent
          expr: absent(up{job={{ $root.Values.service.name | quote }}, app_kubernetes_io_component="consumer"} == 1)
          for: 2m
          labels: { severity: critical, service: {{ $root.Values.service.name }} }
          annotations:
            summary: No consumer of {{ $root.Values.service.name }} is scraped, so nobody knows of its lag, slot and dead letters
            runbook_url: {{ $monitoring.runbooks }}#tailraceconsumerabsent
        {{- end }}
{{- end }}
{{- end }}
