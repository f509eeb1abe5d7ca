"""The services' part of docker-compose.yml, and the sizes that so many need of PostgreSQL and Connect: built, for `make compose`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tailrace.codegen.helm import VERSION
from tailrace.codegen.places import COMPOSE
from tailrace.runtime import sizing
from tailrace.service import Service

Files = dict[Path, str]
_HEAD = "# Built from the manifests: tailrace describe."


def compose(services: Sequence[Service]) -> Files:
    """`services.yml`, which docker-compose.yml includes; `sizes.env`, which its variables come from; `prometheus.yml`, of whom Prometheus asks."""
    real = [service for service in services if not service.stands_in]
    written = [_HEAD, "services:", *(line for service in real for line in _composed(service)), ""]
    return {
        COMPOSE / "services.yml": "\n".join(written),
        COMPOSE / "sizes.env": _sizes(len(services)),
        COMPOSE / "prometheus.yml": _prometheus(real),
    }


def _prometheus(services: Sequence[Service]) -> str:
    """A job for each service, by its name: that is what the alerts go by."""
    jobs = [*(service.name for service in services), "capture-watch"]
    return "\n".join(
        [
            _HEAD,
            "global: { scrape_interval: 15s, evaluation_interval: 15s }",
            "rule_files: [/etc/prometheus/alerts.yml]",
            "scrape_configs:",
            *(f"  - {{ job_name: {job}, static_configs: [{{ targets: ['{job}:9464'] }}] }}" for job in jobs),
            "",
        ]
    )


def _sizes(services: int) -> str:
    sizes = {
        "TAILRACE_POSTGRES_CONNECTIONS": str(sizing.postgres_connections(services)),
        "TAILRACE_POSTGRES_SLOTS": str(sizing.postgres_slots(services)),
        **sizing.environment(services, {}),
    }
    return "\n".join([_HEAD, *(f"{name}={value}" for name, value in sizes.items()), ""])


def _composed(service: Service) -> Iterator[str]:
    image = f"    image: tailrace/{service.name}:{VERSION}"
    yield from (
        f"  {service.name}:",
        "    extends: { file: ../../deploy/compose/service.yml, service: service }",
        image,
        # Its own role, its own secret: `tailrace secret --all` writes them.
        f"    env_file: [secrets/{service.name}.env]",
        f"    build: {{ args: {{ SERVICE: {service.name} }}, additional_contexts: {{ service: ../../services/{service.name} }} }}",
        f"    command: [serve, {service.name}, --host, 0.0.0.0, --port, '8080']",
    )
    if service.attachments or service.stores:
        yield "    volumes: [files:/var/lib/tailrace/files]"
    if service.edge:
        yield '    ports: ["${TAILRACE_GATEWAY_PORT:-8000}:8080"]'
    else:  # only the gateway reaches it, which says whom it speaks for
        yield """    environment: { TAILRACE_TRUSTED_PROXIES: '["0.0.0.0/0", "::/0"]' }"""
    if service.metadata is None:
        return
    yield from (
        f"    depends_on: {{ {service.name}-prepare: {{ condition: service_completed_successfully }} }}",
        f"  {service.name}-prepare:",
        "    extends: { file: ../../deploy/compose/service.yml, service: prepare }",
        image,
        f"    command: [prepare, {service.name}]",
        "    depends_on:",
        *(f"      {part}: {{ condition: service_healthy }}" for part in ("postgres", "kafka", "connect")),
    )
