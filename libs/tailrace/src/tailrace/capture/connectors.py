"""Each service's Debezium connector, derived from its manifest: it reads the outbox, under a role that may do nothing else."""

from typing import Any
from urllib.parse import urlsplit

from debezium_connector_config import CLOUDEVENTS_CONSTANTS, PostgresConnector, Reference, outbox_connector
from tailrace.capture import canary
from tailrace.core.addresses.database import tls_of
from tailrace.core.names import slot_name
from tailrace.core.private_files import write_private
from tailrace.messaging.dead_letters import dlq_topic
from tailrace.service import Service
from tailrace.settings import Settings

PUBLICATION = "outbox"
RESTART_MS = 1000
"""How long a connector waits to come back after its database went away: Debezium's 10 s would be most of the recovery."""
BATCH = 1
"""Records that the connector hands over at once. It waits for as many, or until the poll interval is over: with more than one, an event waits
for that twice, first until the log is looked at and then for others that do not come."""
CONSTANTS = {**CLOUDEVENTS_CONSTANTS, "ce_sequencetype": "Integer"}
"""What all events have in common; the last by the Sequence extension of CloudEvents: from 1, by one, as a decimal number."""
# None of these is null (`tailrace.core.stand_ins`): a header without a value is one that SDKs stumble over.
EXTENSIONS = (
    ("tenant_id", "ce_tenantid"),
    ("sequence", "ce_sequence"),
    ("epoch", "ce_epoch"),
    ("correlation_id", "ce_correlationid"),
    ("causation_id", "ce_causationid"),
    ("actor_id", "ce_actorid"),
    ("traceparent", "traceparent"),
)


def _connector(service: Service, **where: Any) -> PostgresConnector:
    connector = outbox_connector(
        name=service.name,
        database=service.name,
        # A service that was taken over may still write any topic's name into its outbox.
        own_topic=service.topic,
        other_topics=(dlq_topic(service.name), canary.TOPIC),
        publication=PUBLICATION,
        extensions=EXTENSIONS,
        constants=CONSTANTS,
        # A row that is still to be read may be older than the newest column.
        missing="ignore",
        heartbeat_logs_snapshot=True,
        **where,
    )
    return connector.model_copy(update={"retriable_restart_connector_wait_ms": RESTART_MS, "max_batch_size": BATCH})


def connector_config(service: Service, settings: Settings) -> dict[str, str]:
    """The configuration to PUT to `/connectors/<service>/config`: for a Connect on this machine, which looks the password up where
    `lay_password` puts it; without a folder for that, the configuration holds it. Files that the
    address names for encryption are on Connect's machine."""
    server = urlsplit(settings.postgres)
    role = f"{service.name}_capture"
    folder = settings.capture_secrets
    connector = _connector(
        service,
        hostname=settings.capture_host or server.hostname or "127.0.0.1",
        port=server.port or 5432,
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
        service,
        hostname=Reference.env("TAILRACE_POSTGRES_HOST"),
        port=Reference.env("TAILRACE_POSTGRES_PORT"),
        user=f"{service.name}_capture",
        password=Reference.env(f"TAILRACE_{prefix}_CAPTURE_PASSWORD"),
        slot=slot_name(service.name),
        poll_interval_ms=settings.poll_interval_ms,
        heartbeat_interval_ms=settings.heartbeat_ms,
    )
