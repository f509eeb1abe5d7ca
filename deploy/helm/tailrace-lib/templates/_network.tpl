{{/* How a service is reached, and what it reaches. */}}

{{- define "tailrace.network" -}}
apiVersion: v1
kind: Service
metadata:
  {{- include "tailrace.metadata" (dict "root" . "component" "api") | nindent 2 }}
spec:
  selector:
    {{- include "tailrace.selector" (dict "root" . "component" "api") | nindent 4 }}
  ports:
    - { name: http, port: 8080, targetPort: http }
    - { name: metrics, port: 9464, targetPort: metrics }
{{- if .Values.networkPolicy.enabled }}
---
{{ include "tailrace.policy" . }}
{{- end }}
{{- if .Values.service.edge }}
{{- if .Values.ingress.enabled }}
---
{{ include "tailrace.ingress" . }}
{{- end }}
{{- if .Values.httpRoute.enabled }}
---
{{ include "tailrace.httpRoute" . }}
{{- end }}
{{- end }}
{{- end }}

{{- define "tailrace.policy" -}}
{{- $egress := .Values.networkPolicy.egress -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "tailrace.metadata" (dict "root" .) | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "tailrace.selector" (dict "root" .) | nindent 6 }}
  policyTypes: [Ingress{{ if $egress.enabled }}, Egress{{ end }}]
  ingress:
    - ports:
        - { port: http }
      {{- if not .Values.service.edge }}
      # Only the gateway calls a service; services never call one another.
      from:
        {{- toYaml .Values.networkPolicy.callers | nindent 8 }}
      {{- end }}
    {{- with .Values.networkPolicy.scrapers }}
    - ports:
        - { port: metrics }
      from:
        {{- toYaml . | nindent 8 }}
    {{- end }}
  {{- if $egress.enabled }}
  egress:
    {{- include "tailrace.reached" (dict "root" . "database" .Values.service.database) | nindent 4 }}
    # The keys of tokens are identity's; the gateway calls every service.
    - ports: [{ port: 8080 }]
      to:
        - podSelector: { matchLabels: { {{ if .Values.service.edge }}app.kubernetes.io/part-of: tailrace{{ else }}app.kubernetes.io/name: identity{{ end }} } }
    {{- if and .Values.service.files .Values.storage.location }}
    - ports: [{ port: {{ $egress.storage.port }} }]
      {{- include "tailrace.peers" $egress.storage.to | nindent 6 }}
    {{- end }}
    {{- with $egress.extra }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
{{- end }}

{{/* Names, PostgreSQL, Connect and Kafka. */}}
{{- define "tailrace.reached" -}}
{{- $egress := .root.Values.networkPolicy.egress -}}
- ports: [{ port: 53, protocol: UDP }, { port: 53, protocol: TCP }]
{{- if .database }}
- ports: [{ port: {{ $egress.postgres.port }} }]
  {{- include "tailrace.peers" $egress.postgres.to | nindent 2 }}
- ports: [{ port: {{ include "tailrace.connectPort" .root }} }]
  {{- include "tailrace.peers" $egress.connect.to | nindent 2 }}
{{- end }}
- ports:
    {{- range regexFindAll ":[0-9]+" .root.Values.kafka.brokers -1 | uniq }}
    - { port: {{ trimPrefix ":" . }} }
    {{- end }}
  {{- include "tailrace.peers" $egress.kafka.to | nindent 2 }}
{{- end }}

{{- define "tailrace.peers" -}}
{{- with . }}
to:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "tailrace.connectPort" -}}
{{ regexFind "[0-9]+$" (.Values.connect | trimSuffix "/") | default "8083" }}
{{- end }}

{{- define "tailrace.ingress" -}}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  {{- include "tailrace.metadata" (dict "root" . "annotations" .Values.ingress.annotations) | nindent 2 }}
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
              service: { name: {{ include "tailrace.name" . }}, port: { name: http } }
{{- end }}

{{- define "tailrace.httpRoute" -}}
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  {{- include "tailrace.metadata" (dict "root" . "annotations" .Values.httpRoute.annotations) | nindent 2 }}
spec:
  parentRefs:
    {{- toYaml .Values.httpRoute.parentRefs | nindent 4 }}
  {{- with .Values.httpRoute.hostnames }}
  hostnames:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  rules:
    - backendRefs:
        - { name: {{ include "tailrace.name" . }}, port: 8080 }
      # Streams of events and long reads have limits of the gateway's own.
      timeouts: { request: 0s }
{{- end }}
