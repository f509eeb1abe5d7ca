{{/* Names, labels, images and the pod that every process of a service gets. `root` is the chart's context with `global.tailrace` put in. */}}

{{- define "tailrace.name" -}}
{{ .Values.nameOverride | default .Values.service.name }}
{{- end }}

{{- define "tailrace.labels" -}}
app.kubernetes.io/name: {{ .Values.service.name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: tailrace
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* metadata: a name, or the service's with an ending; the component; further labels and annotations. */}}
{{- define "tailrace.metadata" -}}
name: {{ .name | default (include "tailrace.name" .root) }}{{ with .suffix }}-{{ . }}{{ end }}
labels:
  {{- include "tailrace.labels" .root | nindent 2 }}
  {{- with .component }}
  app.kubernetes.io/component: {{ . }}
  {{- end }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with merge (dict) (.annotations | default dict) .root.Values.annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "tailrace.selector" -}}
app.kubernetes.io/name: {{ .root.Values.service.name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{- define "tailrace.image" -}}
{{- with .Values.image.registry }}{{ . | trimSuffix "/" }}/{{ end -}}
{{ .Values.image.repository | default (printf "tailrace/%s" .Values.service.name) }}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "tailrace.secret" -}}
{{ .Values.secrets.service | default (printf "tailrace-%s" .Values.service.name) }}
{{- end }}

{{- define "tailrace.account" -}}
{{ .Values.serviceAccount.name | default (ternary (include "tailrace.name" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "tailrace.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "tailrace.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Kafka's address in one text, without a user; see tailrace.core.kafka_address. */}}
{{- define "tailrace.kafka" -}}
{{- $kafka := .Values.kafka -}}
{{- if eq $kafka.protocol "plaintext" }}{{ $kafka.brokers }}
{{- else -}}
{{- $more := list -}}
{{- if and (hasPrefix "sasl" $kafka.protocol) (ne $kafka.mechanism "SCRAM-SHA-512") }}{{ $more = append $more (printf "mechanism=%s" $kafka.mechanism) }}{{ end -}}
{{- if eq $kafka.mechanism "OAUTHBEARER" }}
{{- $more = append $more (printf "token_url=%s" (urlquery (required "kafka.tokenUrl is missing: with OAUTHBEARER, a token is asked for there" $kafka.tokenUrl))) }}
{{- with $kafka.scope }}{{ $more = append $more (printf "scope=%s" (urlquery .)) }}{{ end }}
{{- end -}}
{{- if $kafka.ca.secret }}{{ $more = append $more (printf "ca=%s" (urlquery "/etc/tailrace/kafka/ca.crt")) }}{{ end -}}
{{- if $kafka.certificate.secret }}
{{- $more = concat $more (list (printf "cert=%s" (urlquery "/etc/tailrace/kafka-own/tls.crt")) (printf "key=%s" (urlquery "/etc/tailrace/kafka-own/tls.key"))) }}
{{- end -}}
{{ $kafka.protocol }}://{{ $kafka.brokers }}{{ if $more }}?{{ join "&" $more }}{{ end }}
{{- end }}
{{- end }}

{{/* libpq's own variables: they hold where the address in a Secret says nothing. */}}
{{- define "tailrace.postgresEnvironment" -}}
{{- with .Values.postgres.sslmode }}
- { name: PGSSLMODE, value: {{ . | quote }} }
{{- end }}
{{- if .Values.postgres.ca.secret }}
- { name: PGSSLROOTCERT, value: /etc/tailrace/postgres/ca.crt }
{{- end }}
{{- end }}

{{- define "tailrace.onVolume" -}}
{{- if and .Values.service.files (not .Values.storage.location) }}true{{ end }}
{{- end }}

{{- define "tailrace.volumeMounts" -}}
- { name: scratch, mountPath: /tmp }
{{- if .root.Values.kafka.ca.secret }}
- { name: kafka-ca, mountPath: /etc/tailrace/kafka, readOnly: true }
{{- end }}
{{- if .root.Values.kafka.certificate.secret }}
- { name: kafka-own, mountPath: /etc/tailrace/kafka-own, readOnly: true }
{{- end }}
{{- if .root.Values.postgres.ca.secret }}
- { name: postgres-ca, mountPath: /etc/tailrace/postgres, readOnly: true }
{{- end }}
{{- if and .files (include "tailrace.onVolume" .root) }}
- { name: files, mountPath: /var/lib/tailrace/files }
{{- end }}
{{- with .pod.volumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Read-only root file systems need somewhere for temporary files. */}}
{{- define "tailrace.volumes" -}}
- name: scratch
  emptyDir: { sizeLimit: 64Mi }
{{- range $name, $from := dict "kafka" .root.Values.kafka.ca "postgres" .root.Values.postgres.ca }}
{{- if $from.secret }}
- name: {{ $name }}-ca
  secret:
    secretName: {{ $from.secret }}
    items: [{ key: {{ $from.key | quote }}, path: ca.crt }]
{{- end }}
{{- end }}
{{- with .root.Values.kafka.certificate.secret }}
- name: kafka-own
  secret: { secretName: {{ tpl . $.root }} }
{{- end }}
{{- if and .files (include "tailrace.onVolume" .root) }}
- name: files
  persistentVolumeClaim: { claimName: {{ .root.Values.storage.claim }} }
{{- end }}
{{- with .pod.volumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Where pods go. `pod` is the component's over the service's. */}}
{{- define "tailrace.placement" -}}
{{- with .pod.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .pod.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .pod.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .pod.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .pod.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "tailrace.pod" -}}
{{- $over := dict -}}
{{- range $key, $value := .values.pod -}}
{{- if not (kindIs "invalid" $value) }}{{ $_ := set $over $key $value }}{{ end -}}
{{- end -}}
{{ toYaml (merge $over (deepCopy .root.Values.pod)) }}
{{- end }}
