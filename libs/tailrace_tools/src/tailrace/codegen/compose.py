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
    """`services.yml`, which docker-compose.yml includes, and `sizes.env`, which its variables come from."""
    written = [
        _HEAD,
        "services:",
        *(line for service in services if not service.stands_in for line in _composed(service)),
        "",
    ]
    return {COMPOSE / "services.yml": "\n".join(written), COMPOSE / "sizes.env": _sizes(len(services))}


def _sizes(services: int) -> str:
    sizes = {
        "TAILRACE_POSTGRES_CONNECTIONS": str(sizing.postgres_connections(services)),
        "TAILRACE_POSTGRES_SLOTS": str(sizing.postgres_slots(services)),
        **sizing.environment(services, {}),
    }
    return "\n".join([_HEAD, *(f"{name}={value}" for name, value in sizes.items()), ""])


def _composed(service: Service) -> Iterator[str]:
    base = [
        "    extends: { file: ../../deploy/compose/service.yml, service: service }",
        f"    image: tailrace/{service.name}:{VERSION}",
    ]
    yield from (
        f"  {service.name}:",
        *base,
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
        *base,
        f"    command: [prepare, {service.name}]",
        "    restart: on-failure",
        "    healthcheck: { disable: true }",
        "    depends_on:",
        *(f"      {part}: {{ condition: service_healthy }}" for part in ("postgres", "kafka", "connect")),
    )
