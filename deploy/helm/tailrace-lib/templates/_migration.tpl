{{/* A Job before each install and upgrade (database, roles, tables, replication slot, topics and connector; running it again changes nothing), and one
after an uninstall, which takes away the connector and the slot. Both are the administrator's work. */}}

{{- define "tailrace.migration" -}}
{{ include "tailrace.job" (dict "root" . "name" "prepare" "values" .Values.migration
  "hook" "pre-install,pre-upgrade" "policy" "before-hook-creation,hook-succeeded") }}
{{- if .Values.migration.releaseOnUninstall }}
---
{{ include "tailrace.job" (dict "root" . "name" "release" "values" .Values.migration "hook" "post-delete" "policy" "before-hook-creation,hook-succeeded") }}
{{- end }}
{{- end }}

{{- define "tailrace.job" -}}
{{- $root := .root -}}
{{- $pod := include "tailrace.pod" . | fromYaml -}}
{{- $spec := dict "root" $root "pod" $pod "files" false -}}
apiVersion: batch/v1
kind: Job
metadata:
  {{- $annotations := dict "helm.sh/hook" .hook "helm.sh/hook-delete-policy" .policy }}
  {{- include "tailrace.metadata" (dict "root" $root "suffix" .name "component" .name "annotations" $annotations) | nindent 2 }}
spec:
  backoffLimit: 5
  activeDeadlineSeconds: {{ $root.Values.migration.deadlineSeconds }}
  template:
    metadata:
      labels:
        {{- include "tailrace.labels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ .name }}
        {{- with $pod.labels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with $pod.annotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      restartPolicy: Never
      automountServiceAccountToken: false
      securityContext:
        {{- include "tailrace.podSecurity" $root | nindent 8 }}
      {{- with include "tailrace.placement" $spec }}
      {{- . | nindent 6 }}
      {{- end }}
      containers:
        - name: {{ .name }}
          image: {{ include "tailrace.image" $root }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: [{{ .name }}, {{ $root.Values.service.name }}]
          {{- with $pod.envFrom }}
          envFrom:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          env:
            {{- include "tailrace.adminEnvironment" $root | trim | nindent 12 }}
            - { name: TAILRACE_PARTITIONS, value: {{ $root.Values.topics.partitions | quote }} }
            - { name: TAILRACE_REPLICATION, value: {{ $root.Values.topics.replication | quote }} }
            - { name: TAILRACE_MIN_INSYNC_REPLICAS, value: {{ $root.Values.topics.minInsyncReplicas | quote }} }
            {{- with $pod.env }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          resources:
            {{- toYaml $root.Values.migration.resources | nindent 12 }}
          securityContext:
            {{- include "tailrace.containerSecurity" $root | nindent 12 }}
          volumeMounts:
            {{- include "tailrace.volumeMounts" $spec | nindent 12 }}
      volumes:
        {{- include "tailrace.volumes" $spec | nindent 8 }}
{{- end }}

{{/* Of who prepares, repairs and releases: what a connector is configured by has to be the same for all of them. */}}
{{- define "tailrace.adminEnvironment" -}}
{{- range $name, $value := .Values.settings }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
- { name: TAILRACE_POLL_INTERVAL_MS, value: {{ .Values.topics.pollIntervalMs | quote }} }
- { name: TAILRACE_KAFKA, value: {{ include "tailrace.kafka" . | quote }} }
# The operator's, where the address of Kafka asks for a user: who prepares makes the users of the services.
- name: TAILRACE_KAFKA_PASSWORD
  valueFrom:
    secretKeyRef: { name: {{ .Values.secrets.admin }}, key: kafka-password, optional: true }
# Its whole address, where it logs in otherwise than the services do.
- name: TAILRACE_KAFKA_OPERATOR
  valueFrom:
    secretKeyRef: { name: {{ .Values.secrets.admin }}, key: kafka, optional: true }
{{- if .Values.connect }}
- { name: TAILRACE_CONNECT, value: {{ .Values.connect | quote }} }
{{- else }}
- name: TAILRACE_CONNECT
  valueFrom:
    secretKeyRef: { name: {{ .Values.secrets.admin }}, key: connect }
{{- end }}
- name: TAILRACE_POSTGRES
  valueFrom:
    secretKeyRef: { name: {{ .Values.secrets.admin }}, key: postgres }
{{- include "tailrace.postgresEnvironment" . }}
- name: TAILRACE_SECRET
  valueFrom:
    secretKeyRef: { name: {{ .Values.secrets.admin }}, key: secret }
{{- end }}
