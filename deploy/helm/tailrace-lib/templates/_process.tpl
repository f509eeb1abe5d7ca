{{/* A Deployment of one component, `api` or `consumer`: the same image, another part of the service. */}}

{{- define "tailrace.process" -}}
{{- $root := .root -}}
{{- $values := .values -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $root.Values.service.name }}{{ if ne .component "api" }}-{{ .component }}{{ end }}
  labels:
    {{- include "tailrace.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  {{- if not ($values.autoscaling | default dict).enabled }}
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
      annotations:
        checksum/settings: {{ include "tailrace.settings" $root | sha256sum }}
        prometheus.io/scrape: "true"
        prometheus.io/port: "8080"
        prometheus.io/path: /metrics
    spec:
      serviceAccountName: {{ $root.Values.service.name }}
      automountServiceAccountToken: false
      # The service stops within 12 s of its SIGTERM; until then the endpoints have to forget it.
      terminationGracePeriodSeconds: 30
      securityContext:
        {{- include "tailrace.podSecurity" $root | nindent 8 }}
      {{- with $root.Values.image.pullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "tailrace.selector" . | nindent 14 }}
      containers:
        - name: {{ .component }}
          image: {{ include "tailrace.image" $root }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: [serve, {{ $root.Values.service.name }}, --host, 0.0.0.0, --port, "8080", --part, {{ .component }}]
          ports:
            - { name: http, containerPort: 8080 }
          {{- include "tailrace.environment" $root | nindent 10 }}
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
            - { name: scratch, mountPath: /tmp }
            {{- if include "tailrace.onVolume" $root }}
            - { name: files, mountPath: /var/lib/tailrace/files }
            {{- end }}
      {{- include "tailrace.scratch" $root | nindent 6 }}
        {{- if include "tailrace.onVolume" $root }}
        - name: files
          persistentVolumeClaim: { claimName: {{ $root.Values.storage.claim }} }
        {{- end }}
{{- end }}
