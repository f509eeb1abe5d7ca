{{/* Names, labels and the environment that every process of a service gets. */}}

{{- define "tailrace.labels" -}}
app.kubernetes.io/name: {{ .Values.service.name }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/part-of: tailrace
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "tailrace.selector" -}}
app.kubernetes.io/name: {{ .root.Values.service.name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "tailrace.image" -}}
{{ .Values.image.repository | default (printf "tailrace/%s" .Values.service.name) }}:{{ .Values.image.tag | default .Chart.AppVersion }}
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

{{- define "tailrace.environment" -}}
envFrom:
  - configMapRef:
      name: {{ .Values.service.name }}
env:
  {{- if .Values.service.database }}
  - name: TAILRACE_DATABASE_URL
    valueFrom:
      secretKeyRef: { name: {{ .Values.secrets.service | default (printf "tailrace-%s" .Values.service.name) }}, key: database-url }
  {{- end }}
  - name: TAILRACE_SECRET
    valueFrom:
      secretKeyRef: { name: {{ .Values.secrets.service | default (printf "tailrace-%s" .Values.service.name) }}, key: secret }
  # Of the service's own Kafka user, where the address of Kafka asks for one.
  - name: TAILRACE_KAFKA_PASSWORD
    valueFrom:
      secretKeyRef: { name: {{ .Values.secrets.service | default (printf "tailrace-%s" .Values.service.name) }}, key: kafka-password, optional: true }
  {{- if and .Values.service.files .Values.storage.secret }}
  - name: TAILRACE_STORAGE_KEY
    valueFrom:
      secretKeyRef: { name: {{ .Values.storage.secret }}, key: key }
  - name: TAILRACE_STORAGE_SECRET
    valueFrom:
      secretKeyRef: { name: {{ .Values.storage.secret }}, key: secret }
  {{- end }}
  {{- if .Values.service.operator }}
  - name: TAILRACE_OPERATOR_PASSWORD
    valueFrom:
      secretKeyRef: { name: {{ .Values.secrets.service | default (printf "tailrace-%s" .Values.service.name) }}, key: operator-password }
  {{- end }}
{{- end }}

{{- define "tailrace.onVolume" -}}
{{- if and .Values.service.files (not .Values.storage.location) }}true{{ end }}
{{- end }}

{{/* Read-only root file systems need somewhere for temporary files. */}}
{{- define "tailrace.scratch" -}}
volumes:
  - name: scratch
    emptyDir: { sizeLimit: 64Mi }
{{- end }}
