{{/* A whole service, from its values. The order is that of `kubectl get all`: settings, account, workloads, scaling, network, monitoring. */}}

{{- define "tailrace.service" -}}
{{- $common := (.Values.global | default dict).tailrace | default dict -}}
{{- $root := dict "Values" (mergeOverwrite (deepCopy .Values) $common) "Chart" .Chart "Release" .Release -}}
{{- include "tailrace.checked" $root -}}
{{- $consumes := and $root.Values.service.database $root.Values.consumer.enabled -}}
{{ include "tailrace.settings" $root }}
{{- if $root.Values.serviceAccount.create }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "tailrace.metadata" (dict "root" $root "name" (include "tailrace.account" $root) "annotations" $root.Values.serviceAccount.annotations) | nindent 2 }}
automountServiceAccountToken: false
{{- end }}
{{- if $root.Values.externalSecret.enabled }}
---
{{ include "tailrace.externalSecret" $root }}
{{- end }}
---
{{ include "tailrace.component" (dict "root" $root "component" "api" "values" $root.Values.api) }}
{{- if $root.Values.api.autoscaling.enabled }}
---
{{ include "tailrace.byLoad" $root }}
{{- end }}
{{- if $consumes }}
---
{{ include "tailrace.component" (dict "root" $root "component" "consumer" "values" $root.Values.consumer) }}
{{- if and $root.Values.consumer.autoscaling.enabled $root.Values.service.consumes }}
---
{{ include "tailrace.byLag" $root }}
{{- end }}
{{- end }}
---
{{ include "tailrace.network" $root }}
{{- if $root.Values.monitoring.enabled }}
---
{{ include "tailrace.monitors" (dict "root" $root "consumes" $consumes) }}
{{- end }}
{{- if $root.Values.service.database }}
---
{{ include "tailrace.migration" $root }}
{{- end }}
{{- end }}

{{- define "tailrace.component" -}}
{{ include "tailrace.process" . }}
{{- if .values.disruption.enabled }}
---
{{ include "tailrace.disruption" . }}
{{- end }}
{{- end }}

{{- define "tailrace.settings" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  {{- include "tailrace.metadata" (dict "root" .) | nindent 2 }}
data:
  TAILRACE_KAFKA: {{ include "tailrace.kafka" . | quote }}
  TAILRACE_JWKS_URL: {{ .Values.jwksUrl | quote }}
  TAILRACE_ISSUER: {{ .Values.issuer | quote }}
  TAILRACE_METRICS_PORT: "9464"
  {{- if .Values.service.files }}
  TAILRACE_STORAGE: {{ .Values.storage.location | default "/var/lib/tailrace/files" | quote }}
  {{- with .Values.storage.endpoint }}
  TAILRACE_STORAGE_ENDPOINT: {{ . | quote }}
  {{- end }}
  {{- with .Values.storage.region }}
  TAILRACE_STORAGE_REGION: {{ . | quote }}
  {{- end }}
  {{- end }}
  {{- if .Values.service.edge }}
  TAILRACE_UPSTREAM: {{ .Values.upstream | quote }}
  TAILRACE_TRUSTED_PROXIES: {{ toJson .Values.trustedProxies | quote }}
  {{- else }}
  # Nobody else reaches it: the NetworkPolicy lets in the gateway, which says whom it speaks for.
  TAILRACE_TRUSTED_PROXIES: {{ toJson (list "0.0.0.0/0" "::/0") | quote }}
  {{- end }}
  {{- with .Values.upstreams }}
  TAILRACE_UPSTREAMS: {{ toJson . | quote }}
  {{- end }}
  {{- range $name, $value := .Values.settings }}
  {{ $name }}: {{ $value | quote }}
  {{- end }}
{{- end }}

{{- define "tailrace.externalSecret" -}}
{{- $key := .Values.externalSecret.remoteKey | default (printf "tailrace/%s" .Values.service.name) -}}
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  {{- include "tailrace.metadata" (dict "root" .) | nindent 2 }}
spec:
  refreshInterval: {{ .Values.externalSecret.refreshInterval }}
  secretStoreRef:
    {{- toYaml .Values.externalSecret.store | nindent 4 }}
  target: { name: {{ include "tailrace.secret" . }}, creationPolicy: Owner }
  data:
    {{- $wanted := list "secret" "kafka-user" "kafka-password" }}
    {{- if .Values.service.database }}{{ $wanted = append $wanted "database-url" }}{{ end }}
    {{- if .Values.service.operator }}{{ $wanted = append $wanted "operator-password" }}{{ end }}
    {{- if eq .Values.kafka.mechanism "OAUTHBEARER" }}
    {{- $wanted = append $wanted "kafka-token-url" }}
    {{- if .Values.kafka.scope }}{{ $wanted = append $wanted "kafka-scope" }}{{ end }}
    {{- if .Values.service.operator }}{{ $wanted = append $wanted "kafka-client-key" }}{{ end }}
    {{- end }}
    {{- range $wanted }}
    - { secretKey: {{ . }}, remoteRef: { key: {{ $key | quote }}, property: {{ . }} } }
    {{- end }}
{{- end }}
