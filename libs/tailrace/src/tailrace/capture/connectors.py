"""Each service's Debezium connector, derived from its manifest: it reads the outbox, under a role that may do nothing else."""

from typing import Any
from urllib.parse import urlsplit

from debezium_connector_config import PostgresConnector, Reference, outbox_connector
from tailrace.core.database_address import tls_of
from tailrace.core.names import slot_name
from tailrace.core.private_files import write_private
from tailrace.service import Service
from tailrace.settings import Settings

PUBLICATION = "outbox"
RESTART_MS = 1000
"""How long a connector waits to come back after its database went away: Debezium's 10 s would be most of the recovery."""
# A null value places a header without one: readers take it for absent.
EXTENSIONS = (
    ("tenant_id", "ce_tenantid"),
    ("sequence", "ce_sequence"),
    ("epoch", "ce_epoch"),
    ("correlation_id", "ce_correlationid"),
    ("causation_id", "ce_causationid"),
    ("actor_id", "ce_actorid"),
    ("traceparent", "traceparent"),
)


def _connector(**where: Any) -> PostgresConnector:
    connector = outbox_connector(
        publication=PUBLICATION,
        extensions=EXTENSIONS,
        # A row that is still to be read may be older than the newest column.
        missing="ignore",
        heartbeat_logs_snapshot=True,
        **where,
    )
    return connector.model_copy(update={"retriable_restart_connector_wait_ms": RESTART_MS})


def connector_config(service: Service, settings: Settings) -> dict[str, str]:
    """The configuration to PUT to `/connectors/<service>/config`: for a Connect on this machine, which looks the password up where
    `lay_password` puts it; without a folder for that, the configuration holds it. Files that the
    address names for encryption are on Connect's machine."""
    server = urlsplit(settings.postgres)
    role = f"{service.name}_capture"
    folder = settings.capture_secrets
    connector = _connector(
        name=service.name,
        hostname=settings.capture_host or server.hostname or "127.0.0.1",
        port=server.port or 5432,
        database=service.name,
        user=role,
        password=Reference.directory(str(folder), role) if folder else settings.role_password(role),
        slot=slot_name(service.name),
        poll_interval_ms=settings.poll_interval_ms,
        heartbeat_interval_ms=settings.heartbeat_ms,
    )
    tls = {f"database_{name}": value for name, value in tls_of(settings.postgres).items()}
    return connector.model_copy(update=tls).render()


def lay_password(service: Service, settings: Settings) -> None:
    """Put the password of the service's capture role where Connect looks it up. Nothing without a folder for that."""
    if settings.capture_secrets is None:
        return
    file = settings.capture_secrets / f"{service.name}_capture"
    password = settings.role_password(file.name)
    if not file.exists() or file.read_text() != password:
        write_private(file, password)


def deployed_connector(service: Service, settings: Settings) -> PostgresConnector:
    """The same connector for a cluster: whatever differs from place to place is looked up by the Connect worker."""
    prefix = service.name.upper().replace("-", "_")
    return _connector(
        name=service.name,
        hostname=Reference.env("TAILRACE_POSTGRES_HOST"),
        port=Reference.env("TAILRACE_POSTGRES_PORT"),
        database=service.name,
        user=f"{service.name}_capture",
        password=Reference.env(f"TAILRACE_{prefix}_CAPTURE_PASSWORD"),
        slot=slot_name(service.name),
        poll_interval_ms=settings.poll_interval_ms,
        heartbeat_interval_ms=settings.heartbeat_ms,
    )
