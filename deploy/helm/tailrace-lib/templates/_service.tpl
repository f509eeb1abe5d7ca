{{/* A whole service, from its values. The order is that of `kubectl get all`: settings, account, workloads, network. */}}

{{- define "tailrace.service" -}}
{{- $api := dict "root" . "component" "api" "values" .Values.api -}}
{{- $consumer := dict "root" . "component" "consumer" "values" .Values.consumer -}}
{{ include "tailrace.settings" . }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .Values.service.name }}
  labels:
    {{- include "tailrace.labels" . | nindent 4 }}
automountServiceAccountToken: false
---
{{ include "tailrace.process" $api }}
{{- if and .Values.service.database .Values.consumer.enabled }}
---
{{ include "tailrace.process" $consumer }}
{{- end }}
---
{{ include "tailrace.network" . }}
{{- if .Values.service.database }}
---
{{ include "tailrace.migration" . }}
{{- end }}
{{- end }}

{{- define "tailrace.settings" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Values.service.name }}
  labels:
    {{- include "tailrace.labels" . | nindent 4 }}
data:
  TAILRACE_KAFKA: {{ .Values.kafka | quote }}
  TAILRACE_JWKS_URL: {{ .Values.jwksUrl | quote }}
  TAILRACE_ISSUER: {{ .Values.issuer | quote }}
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

{{- define "tailrace.network" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ .Values.service.name }}
  labels:
    {{- include "tailrace.labels" . | nindent 4 }}
spec:
  selector:
    {{- include "tailrace.selector" (dict "root" . "component" "api") | nindent 4 }}
  ports:
    - { name: http, port: 8080, targetPort: http }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .Values.service.name }}
  labels:
    {{- include "tailrace.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "tailrace.selector" (dict "root" . "component" "api") | nindent 6 }}
{{- if .Values.api.autoscaling.enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ .Values.service.name }}
  labels:
    {{- include "tailrace.labels" . | nindent 4 }}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: {{ .Values.service.name }} }
  minReplicas: {{ .Values.api.replicas }}
  maxReplicas: {{ .Values.api.autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: { type: Utilization, averageUtilization: {{ .Values.api.autoscaling.cpu }} }
{{- end }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ .Values.service.name }}
  labels:
    {{- include "tailrace.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: {{ .Values.service.name }}
      app.kubernetes.io/instance: {{ .Release.Name }}
  policyTypes: [Ingress]
  ingress:
    - ports:
        - { port: http }
      {{- if not .Values.service.edge }}
      # Only the gateway calls a service, and whoever scrapes its metrics; services never call one another.
      from:
        {{- toYaml .Values.callers | nindent 8 }}
      {{- end }}
{{- if and .Values.service.edge .Values.ingress.enabled }}
{{- if not .Values.trustedProxies }}
{{- fail "ingress.enabled needs trustedProxies, the networks of the ingress controller's pods: without it all clients are one address, and one of them stops log-in for all" }}
{{- end }}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ .Values.service.name }}
  labels:
    {{- include "tailrace.labels" . | nindent 4 }}
  annotations:
    {{- toYaml .Values.ingress.annotations | nindent 4 }}
spec:
  ingressClassName: {{ .Values.ingress.className }}
  tls:
    - hosts: [{{ .Values.ingress.host | quote }}]
      secretName: {{ .Values.ingress.tlsSecret }}
  rules:
    - host: {{ .Values.ingress.host | quote }}
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service: { name: {{ .Values.service.name }}, port: { name: http } }
{{- end }}
{{- end }}
