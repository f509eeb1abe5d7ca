"""A thin Helm chart for each service, from its manifest, over the library chart `tailrace-lib`; and its entry in the compose file.

What differs from place to place (addresses, replicas, resources) is a value; what follows from the manifest (the consumer, the database, the
gateway's upstreams) is written here, so that nobody keeps it in step by hand.
"""

from collections.abc import Sequence
from pathlib import Path

from tailrace.service import Service

Files = dict[Path, str]
HELM = Path("deploy/helm")
COMPOSE = Path("deploy/compose/services.yml")
VERSION = "0.1.0"
_OPERATED = "identity"
"""The service that makes the operator's log-in at its first start."""
_HEAD = "# Generated from the manifests: tailrace describe. Override values in a file of your own: helm install -f yours.yaml\n"


def charts(services: Sequence[Service]) -> Files:
    """`Chart.yaml`, `values.yaml` and the one template of every service."""
    files: Files = {}
    for service in services:
        folder = HELM / service.name
        files[folder / "Chart.yaml"] = _chart(service)
        files[folder / "values.yaml"] = _values(service, services)
        files[folder / "templates/service.yaml"] = '{{ include "tailrace.service" . }}\n'
    return files


def _chart(service: Service) -> str:
    return f"""{_HEAD}apiVersion: v2
name: {service.name}
description: The {service.name} service of Tailrace
type: application
version: {VERSION}
appVersion: "{VERSION}"
dependencies:
  - name: tailrace-lib
    version: {VERSION}
    repository: file://../tailrace-lib
"""


def _values(service: Service, services: Sequence[Service]) -> str:
    edge = service.build is not None
    database = service.metadata is not None
    consumes = sorted({topic for subscriber in service.subscribers for topic in subscriber.topics})
    return f"""{_HEAD}service:
  name: {service.name}
  database: {_yes(database)}
  edge: {_yes(edge)}
  operator: {_yes(service.name == _OPERATED)}
  consumes: [{", ".join(consumes)}]

image:
  repository: tailrace/{service.name}
  tag: ""
  pullPolicy: IfNotPresent
  pullSecrets: []

# Names of Secrets that exist already; see the guide for operators.
secrets:
  service: tailrace-{service.name}
  admin: tailrace-admin

kafka: kafka:9092
connect: http://connect:8083
jwksUrl: http://identity:8080/.well-known/jwks.json
issuer: tailrace
settings: {{}}
{_upstreams(services) if edge else "upstreams: {}"}

api:
  replicas: 2
  autoscaling: {{ enabled: false, maxReplicas: 6, cpu: 70 }}
  resources:
    requests: {{ cpu: 100m, memory: 128Mi }}
    limits: {{ memory: 384Mi }}

# Consumers, timers and clean-up. More replicas than partitions stand idle.
consumer:
  enabled: {_yes(database)}
  replicas: 1
  resources:
    requests: {{ cpu: 50m, memory: 128Mi }}
    limits: {{ memory: 384Mi }}

migration:
  deadlineSeconds: 600
  resources:
    requests: {{ cpu: 100m, memory: 128Mi }}
    limits: {{ memory: 384Mi }}

topics:
  partitions: 6
  replication: 3
  pollIntervalMs: 25

callers:
  - podSelector: {{ matchLabels: {{ {_callers(service)} }} }}
  - namespaceSelector: {{ matchLabels: {{ kubernetes.io/metadata.name: monitoring }} }}
{_INGRESS if edge else ""}"""


_INGRESS = """
ingress:
  enabled: false
  className: nginx
  host: tailrace.example.com
  tlsSecret: tailrace-tls
  annotations: {}
"""


def _callers(service: Service) -> str:
    """The gateway alone; but everybody fetches the keys that tokens are checked with."""
    return "app.kubernetes.io/part-of: tailrace" if service.name == _OPERATED else "app.kubernetes.io/name: gateway"


def _upstreams(services: Sequence[Service]) -> str:
    lines = [f"  {each.name}: http://{each.name}:8080" for each in services if each.build is None]
    return "\n".join(("upstreams:", *lines))


def compose(services: Sequence[Service]) -> str:
    """The services' part of docker-compose.yml, which includes it."""
    return "\n".join(
        (
            "# Generated from the manifests: tailrace describe. docker-compose.yml includes it.",
            "services:",
            *(line for service in services for line in _composed(service, services)),
            "",
        )
    )


def _composed(service: Service, services: Sequence[Service]) -> list[str]:
    edge = service.build is not None
    upstreams = ",".join(f'"{each.name}":"http://{each.name}:8080"' for each in services if each.build is None)
    image = f"    image: tailrace/{service.name}:{VERSION}"
    base = ["    extends: { file: ./service.yml, service: service }", image]
    serving = [
        f"  {service.name}:",
        *base,
        f"    build: {{ args: {{ SERVICE: {service.name} }} }}",
        f"    command: [serve, {service.name}, --host, 0.0.0.0, --port, '8080']",
    ]
    if edge:
        return [
            *serving,
            '    ports: ["${TAILRACE_GATEWAY_PORT:-8000}:8080"]',
            f"    environment: {{ TAILRACE_UPSTREAMS: '{{{upstreams}}}' }}",
        ]
    return [
        *serving,
        f"    depends_on: {{ {service.name}-prepare: {{ condition: service_completed_successfully }} }}",
        f"  {service.name}-prepare:",
        *base,
        f"    command: [prepare, {service.name}]",
        "    restart: on-failure",
        "    healthcheck: { disable: true }",
        "    depends_on:",
        *(f"      {part}: {{ condition: service_healthy }}" for part in ("postgres", "kafka", "connect")),
    ]


def _yes(value: bool) -> str:
    return "true" if value else "false"
