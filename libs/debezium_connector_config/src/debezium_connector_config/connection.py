"""Settings of the connection to PostgreSQL, of its slot and publication, and of the log position kept there."""

from typing import Annotated, Literal

from pydantic import Field

from debezium_connector_config.base import (
    Milliseconds,
    PositiveMilliseconds,
    SecretOrReference,
    Settings,
    Text,
    TextOrReference,
)
from debezium_connector_config.reference import Reference

SlotName = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,63}$")]
"""PostgreSQL's rule: lower-case letters, digits and underscores, at most 63."""

PublicationName = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]
"""pgoutput folds an unquoted name to lower case, so a name with capitals would not be found."""

Hostname = Annotated[Reference | Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.-]+$")], Field(union_mode="left_to_right")]
Port = Annotated[Reference | Annotated[int, Field(ge=1, le=65535)], Field(union_mode="left_to_right")]

SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
AutoCreateMode = Literal["disabled", "all_tables", "filtered", "no_tables"]
LsnFlushMode = Literal["connector", "manual", "connector_and_driver"]
OffsetMismatchStrategy = Literal["no_validation", "trust_offset", "trust_slot", "trust_greater_lsn"]


class ConnectionSettings(Settings):
    """How the connector reaches one database."""

    database_hostname: Hostname
    """Host name or IPv4 address."""
    database_port: Port = 5432
    """Port. Default 5432."""
    database_dbname: TextOrReference
    """The database."""
    database_user: TextOrReference
    """A role with LOGIN, REPLICATION, CONNECT on the database and SELECT on the captured tables."""
    database_password: SecretOrReference | None = None
    """The role's password, literal or a reference that the worker resolves."""
    database_sslmode: SslMode = "prefer"
    """As libpq's sslmode. Default prefer."""
    database_sslcert: TextOrReference | None = None
    """File with the client's certificate."""
    database_sslkey: TextOrReference | None = None
    """File with the client's key."""
    database_sslpassword: SecretOrReference | None = None
    """Password of the client's key."""
    database_sslrootcert: TextOrReference | None = None
    """File with the root certificates."""
    database_sslfactory: Text | None = None
    """Class that makes TLS sockets."""
    database_tcp_keep_alive: bool = Field(default=True, alias="database.tcpKeepAlive")
    """Probe an idle connection. Default true."""
    database_initial_statements: Text | None = None
    """SQL run on each ordinary connection (not on replication ones), separated by semicolons."""
    database_query_timeout_ms: Milliseconds = 600_000
    """Longest query, milliseconds. Default 600000; 0 is no limit."""
    connection_validation_timeout_ms: PositiveMilliseconds = 60_000
    """Longest wait for the validating connection, milliseconds. Default 60000."""
    read_only: bool = False
    """Write nothing to the database, signals included. Default false."""


class ReplicationSettings(Settings):
    """The slot, the publication and who moves the slot's confirmed position."""

    plugin_name: Literal["pgoutput", "decoderbufs"] = "decoderbufs"
    """Logical decoding plug-in; pgoutput is part of PostgreSQL. Default decoderbufs, so state it."""
    slot_name: SlotName = "debezium"
    """The replication slot, unique in the cluster. Default `debezium`."""
    slot_drop_on_stop: bool = False
    """Drop the slot on an orderly stop: later changes are lost. Default false."""
    slot_failover: bool = False
    """Create the slot so that a standby of PostgreSQL 17 or newer keeps it. Default false."""
    slot_stream_params: Text | None = None
    """Options for the plug-in, `name=value` separated by semicolons."""
    slot_max_retries: int = Field(default=6, ge=0)
    """Attempts to reach a slot that another process still holds. Default 6."""
    slot_retry_delay_ms: Milliseconds = 10_000
    """Pause between them, milliseconds. Default 10000."""
    publication_name: PublicationName = "dbz_publication"
    """The publication. Default `dbz_publication`."""
    publication_autocreate_mode: AutoCreateMode = "all_tables"
    """Who makes the publication: `disabled` expects it there, so the role needs no ownership. Default all_tables."""
    publish_via_partition_root: bool = False
    """Publish a partition's changes under its root table, when the connector makes the publication. Default false."""
    replica_identity_autoset_values: Text | None = None
    """`schema.table:IDENTITY` pairs that the connector sets itself; the role must own the tables."""
    lsn_flush_mode: LsnFlushMode = "connector"
    """Who confirms positions to the slot: the connector as records are written to Kafka, nobody (`manual`), or the
    driver's keep-alives too. Default connector."""
    lsn_flush_timeout_ms: PositiveMilliseconds = 30_000
    """Longest wait for a confirmation, milliseconds. Default 30000."""
    lsn_flush_timeout_action: Literal["fail", "warn", "ignore"] = "fail"
    """What to do after it. Default fail."""
    offset_mismatch_strategy: OffsetMismatchStrategy = "no_validation"
    """What to do when Kafka's offset and the slot's position differ at start. `trust_offset` fails when the slot is
    ahead, so a slot that was dropped and made again is noticed. Default no_validation."""
    status_update_interval_ms: PositiveMilliseconds = 10_000
    """Pause between status messages to the server, milliseconds. Default 10000."""
    xmin_fetch_interval_ms: Milliseconds = 0
    """Pause between reads of the slot's xmin, milliseconds. Default 0: never."""
