{{/* A Deployment of one component, `api` or `consumer`: the same image, another part of the service. */}}

{{- define "tailrace.process" -}}
{{- $root := .root -}}
{{- $values := .values -}}
{{- $pod := include "tailrace.pod" . | fromYaml -}}
{{- $spec := dict "root" $root "pod" $pod "files" true -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "tailrace.metadata" (dict "root" $root "component" .component "suffix" (ternary "" .component (eq .component "api"))) | nindent 2 }}
spec:
  {{- if not $values.autoscaling.enabled }}
  replicas: {{ $values.replicas }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "tailrace.selector" . | nindent 6 }}
  strategy:
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
  template:
    metadata:
      labels:
        {{- include "tailrace.labels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
        {{- with $pod.labels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        checksum/settings: {{ include "tailrace.settings" $root | sha256sum }}
        checksum/secrets: {{ include "tailrace.secretChecksum" $root | sha256sum }}
        {{- if not $root.Values.monitoring.enabled }}
        prometheus.io/scrape: "true"
        prometheus.io/port: "9464"
        prometheus.io/path: /metrics
        {{- end }}
        {{- with $pod.annotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "tailrace.account" $root }}
      automountServiceAccountToken: false
      # The service stops within 12 s of its SIGTERM; until then the endpoints have to forget it.
      terminationGracePeriodSeconds: 30
      securityContext:
        {{- include "tailrace.podSecurity" $root | nindent 8 }}
      {{- with include "tailrace.placement" $spec }}
      {{- . | nindent 6 }}
      {{- end }}
      topologySpreadConstraints:
        {{- with $pod.topologySpreadConstraints }}
        {{- toYaml . | nindent 8 }}
        {{- else }}
        {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
        - maxSkew: 1
          topologyKey: {{ $key }}
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "tailrace.selector" $ | nindent 14 }}
        {{- end }}
        {{- end }}
      containers:
        - name: {{ .component }}
          image: {{ include "tailrace.image" $root }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: [serve, {{ $root.Values.service.name }}, --host, 0.0.0.0, --port, "8080", --part, {{ .component }}]
          ports:
            - { name: http, containerPort: 8080 }
            - { name: metrics, containerPort: 9464 }
          envFrom:
            - configMapRef:
                name: {{ include "tailrace.name" $root }}
            {{- with $pod.envFrom }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          env:
            {{- include "tailrace.environment" $root | trim | nindent 12 }}
            {{- with $pod.env }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          startupProbe:
            httpGet: { path: /health/live, port: http }
            periodSeconds: 2
            failureThreshold: 60
          livenessProbe:
            httpGet: { path: /health/live, port: http }
            periodSeconds: 10
            timeoutSeconds: 5
          readinessProbe:
            httpGet: { path: /health/ready, port: http }
            periodSeconds: 5
            timeoutSeconds: 5
          lifecycle:
            preStop:
              exec: { command: [sleep, "5"] }
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          securityContext:
            {{- include "tailrace.containerSecurity" $root | nindent 12 }}
          volumeMounts:
            {{- include "tailrace.volumeMounts" $spec | nindent 12 }}
      volumes:
        {{- include "tailrace.volumes" $spec | nindent 8 }}
{{- end }}

{{- define "tailrace.environment" -}}
{{- $secret := include "tailrace.secret" . -}}
{{- if .Values.service.database }}
- name: TAILRACE_DATABASE_URL
  valueFrom:
    secretKeyRef: { name: {{ $secret }}, key: database-url }
{{- include "tailrace.postgresEnvironment" . }}
{{- end }}
- name: TAILRACE_SECRET
  valueFrom:
    secretKeyRef: { name: {{ $secret }}, key: secret }
# Of the service's own Kafka user, where the address of Kafka asks for one.
- name: TAILRACE_KAFKA_PASSWORD
  valueFrom:
    secretKeyRef: { name: {{ $secret }}, key: kafka-password, optional: true }
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
    secretKeyRef: { name: {{ $secret }}, key: operator-password }
# What the secrets of Kafka's clients derive from, where they log in with tokens of this service.
- name: TAILRACE_KAFKA_CLIENT_KEY
  valueFrom:
    secretKeyRef: { name: {{ $secret }}, key: kafka-client-key, optional: true }
{{- end }}
{{- end }}

{{/* What the pods' Secrets hold as far as the cluster can be asked, and what an operator says. */}}
{{- define "tailrace.secretChecksum" -}}
{{- $root := . -}}
{{ .Values.secrets.revision }}
{{- range compact (list (include "tailrace.secret" .) .Values.storage.secret .Values.kafka.ca.secret (tpl .Values.kafka.certificate.secret .) .Values.postgres.ca.secret) }}
{{ . }}: {{ (lookup "v1" "Secret" $root.Release.Namespace .).data | default dict | toJson }}
{{- end }}
{{- end }}
