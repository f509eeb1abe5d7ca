{{/* How many there are: by load for HTTP, by lag for consumers; and how few there may be while nodes are emptied. */}}

{{- define "tailrace.checked" -}}
{{- range $name, $values := dict "api" .Values.api "consumer" .Values.consumer }}
{{- with $values.autoscaling }}
{{- if and .enabled (lt (int .maxReplicas) (int .minReplicas)) }}
{{- fail (printf "%s.autoscaling.maxReplicas is %v, less than minReplicas, %v" $name .maxReplicas .minReplicas) }}
{{- end }}
{{- end }}
{{- end }}
{{- $most := ternary .Values.consumer.autoscaling.maxReplicas .Values.consumer.replicas .Values.consumer.autoscaling.enabled }}
{{- if gt (int $most) (int .Values.topics.partitions) }}
{{- fail (printf "consumer: %v replicas are more than topics.partitions, %v: those beyond would stand idle" $most .Values.topics.partitions) }}
{{- end }}
{{- if gt (int .Values.topics.minInsyncReplicas) (int .Values.topics.replication) }}
{{- fail (printf "topics.minInsyncReplicas is %v, more than topics.replication, %v: nothing could be written" .Values.topics.minInsyncReplicas .Values.topics.replication) }}
{{- end }}
{{- with .Values.api.autoscaling }}
{{- if and .enabled (not (or .cpu .memory .requestsPerSecond)) }}
{{- fail "api.autoscaling is enabled and goes by nothing: set cpu, memory or requestsPerSecond" }}
{{- end }}
{{- end }}
{{- if and .Values.service.edge (or .Values.ingress.enabled .Values.httpRoute.enabled) (not .Values.trustedProxies) }}
{{- fail "ingress.enabled and httpRoute.enabled need trustedProxies, the networks of the controller's pods: without it all clients are one address, and one of them stops log-in for all" }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
{{- fail "httpRoute.enabled needs httpRoute.parentRefs, the Gateways that the route hangs on" }}
{{- end }}
{{- end }}

{{- define "tailrace.disruption" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "tailrace.metadata" (dict "root" .root "component" .component "suffix" (ternary "" .component (eq .component "api"))) | nindent 2 }}
spec:
  maxUnavailable: {{ .values.disruption.maxUnavailable }}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "tailrace.selector" . | nindent 6 }}
{{- end }}

{{- define "tailrace.byLoad" -}}
{{- $scaling := .Values.api.autoscaling -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  {{- include "tailrace.metadata" (dict "root" . "component" "api") | nindent 2 }}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: {{ include "tailrace.name" . }} }
  minReplicas: {{ $scaling.minReplicas }}
  maxReplicas: {{ $scaling.maxReplicas }}
  metrics:
    {{- range $name := list "cpu" "memory" }}
    {{- with get $scaling $name }}
    - type: Resource
      resource:
        name: {{ $name }}
        target: { type: Utilization, averageUtilization: {{ . }} }
    {{- end }}
    {{- end }}
    {{- with $scaling.requestsPerSecond }}
    - type: Pods
      pods:
        metric: { name: http_requests_per_second }
        target: { type: AverageValue, averageValue: {{ . | quote }} }
    {{- end }}
{{- end }}

{{/* KEDA asks Kafka under the service's own user, who may see its own group. */}}
{{- define "tailrace.byLag" -}}
{{- $root := . -}}
{{- $scaling := .Values.consumer.autoscaling -}}
{{- $sasl := hasPrefix "sasl" .Values.kafka.protocol -}}
{{- $tls := hasSuffix "ssl" .Values.kafka.protocol -}}
{{- $authenticated := or $sasl (and $tls (or .Values.kafka.ca.secret .Values.kafka.certificate.secret)) -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  {{- include "tailrace.metadata" (dict "root" . "component" "consumer" "suffix" "consumer") | nindent 2 }}
spec:
  scaleTargetRef: { name: {{ include "tailrace.name" . }}-consumer }
  pollingInterval: {{ $scaling.pollingInterval }}
  cooldownPeriod: {{ $scaling.cooldownPeriod }}
  minReplicaCount: {{ $scaling.minReplicas }}
  maxReplicaCount: {{ $scaling.maxReplicas }}
  # Nobody can say how far behind it is: as many as did the work before.
  fallback: { failureThreshold: 3, replicas: {{ $scaling.minReplicas }}, behavior: currentReplicasIfHigher }
  triggers:
    # No topic: every topic that the group reads.
    {{- range $topic := ternary (list "") .Values.service.consumes (has "*" .Values.service.consumes) }}
    - type: kafka
      {{- if $authenticated }}
      authenticationRef: { name: {{ include "tailrace.name" $root }}-kafka }
      {{- end }}
      metadata:
        bootstrapServers: {{ $root.Values.kafka.brokers | quote }}
        consumerGroup: {{ $root.Values.service.name | quote }}
        {{- with $topic }}
        topic: {{ . | quote }}
        {{- end }}
        lagThreshold: {{ $scaling.lag | quote }}
        offsetResetPolicy: earliest
        {{- if $sasl }}
        sasl: {{ get (dict "SCRAM-SHA-512" "scram_sha512" "SCRAM-SHA-256" "scram_sha256" "PLAIN" "plaintext" "OAUTHBEARER" "oauthbearer") $root.Values.kafka.mechanism }}
        {{- end }}
        {{- if $tls }}
        tls: enable
        {{- end }}
    {{- end }}
{{- if $authenticated }}
---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata:
  {{- include "tailrace.metadata" (dict "root" . "suffix" "kafka") | nindent 2 }}
spec:
  secretTargetRef:
    {{- if $sasl }}
    - { parameter: username, name: {{ include "tailrace.secret" . }}, key: kafka-user }
    - { parameter: password, name: {{ include "tailrace.secret" . }}, key: kafka-password }
    {{- end }}
    {{- if and $sasl (eq .Values.kafka.mechanism "OAUTHBEARER") }}
    - { parameter: oauthTokenEndpointUri, name: {{ include "tailrace.secret" . }}, key: kafka-token-url }
    {{- if .Values.kafka.scope }}
    - { parameter: scopes, name: {{ include "tailrace.secret" . }}, key: kafka-scope }
    {{- end }}
    {{- end }}
    {{- if and $tls .Values.kafka.certificate.secret }}
    - { parameter: cert, name: {{ tpl .Values.kafka.certificate.secret . }}, key: tls.crt }
    - { parameter: key, name: {{ tpl .Values.kafka.certificate.secret . }}, key: tls.key }
    {{- end }}
    {{- if and $tls .Values.kafka.ca.secret }}
    - { parameter: ca, name: {{ .Values.kafka.ca.secret }}, key: {{ .Values.kafka.ca.key | quote }} }
    {{- end }}
{{- end }}
{{- end }}
