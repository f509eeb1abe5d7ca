{{/* A Job before each install and upgrade: database, roles, tables, replication slot, topics and connector. Running it again changes nothing. */}}

{{- define "tailrace.migration" -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Values.service.name }}-prepare
  labels:
    {{- include "tailrace.labels" . | nindent 4 }}
    app.kubernetes.io/component: prepare
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  backoffLimit: 5
  activeDeadlineSeconds: {{ .Values.migration.deadlineSeconds }}
  template:
    metadata:
      labels:
        {{- include "tailrace.labels" . | nindent 8 }}
        app.kubernetes.io/component: prepare
    spec:
      restartPolicy: Never
      automountServiceAccountToken: false
      securityContext:
        {{- include "tailrace.podSecurity" . | nindent 8 }}
      {{- with .Values.image.pullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: prepare
          image: {{ include "tailrace.image" . }}
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          args: [prepare, {{ .Values.service.name }}]
          env:
            - { name: TAILRACE_KAFKA, value: {{ .Values.kafka | quote }} }
            # The operator's, where the address of Kafka asks for a user: who prepares makes the users of the services.
            - name: TAILRACE_KAFKA_PASSWORD
              valueFrom:
                secretKeyRef: { name: {{ .Values.secrets.admin }}, key: kafka-password, optional: true }
            {{- if .Values.connect }}
            - { name: TAILRACE_CONNECT, value: {{ .Values.connect | quote }} }
            {{- else }}
            - name: TAILRACE_CONNECT
              valueFrom:
                secretKeyRef: { name: {{ .Values.secrets.admin }}, key: connect }
            {{- end }}
            - { name: TAILRACE_PARTITIONS, value: {{ .Values.topics.partitions | quote }} }
            - { name: TAILRACE_REPLICATION, value: {{ .Values.topics.replication | quote }} }
            - { name: TAILRACE_POLL_INTERVAL_MS, value: {{ .Values.topics.pollIntervalMs | quote }} }
            - name: TAILRACE_POSTGRES
              valueFrom:
                secretKeyRef: { name: {{ .Values.secrets.admin }}, key: postgres }
            - name: TAILRACE_SECRET
              valueFrom:
                secretKeyRef: { name: {{ .Values.secrets.admin }}, key: secret }
          resources:
            {{- toYaml .Values.migration.resources | nindent 12 }}
          securityContext:
            {{- include "tailrace.containerSecurity" . | nindent 12 }}
          volumeMounts:
            - { name: scratch, mountPath: /tmp }
      {{- include "tailrace.scratch" . | nindent 6 }}
{{- end }}
