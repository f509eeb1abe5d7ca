"""Settings of what is captured: tables, columns, messages, snapshots, and how values are represented."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from debezium_connector_config.base import Items, Milliseconds, Settings, Text


def _operations(listed: tuple[str, ...]) -> tuple[str, ...]:
    if listed != ("none",) and not set(listed) <= set("cudtr"):
        raise ValueError("expected some of c, u, d, t and r, or none alone")
    return listed


SnapshotMode = Literal["always", "initial", "initial_only", "no_data", "when_needed", "configuration_based", "custom"]
Adjustment = Literal["none", "avro", "avro_unicode"]
Operations = Annotated[Items, AfterValidator(_operations)]


class CaptureSettings(Settings):
    """Which changes become records. Lists hold regular expressions that match whole names, without regard to case."""

    schema_include_list: Items | None = None
    """Schemas to capture."""
    schema_exclude_list: Items | None = None
    """Schemas to leave out."""
    table_include_list: Items | None = None
    """Tables to capture, `schema.table`."""
    table_exclude_list: Items | None = None
    """Tables to leave out."""
    column_include_list: Items | None = None
    """Columns to capture, `schema.table.column`."""
    column_exclude_list: Items | None = None
    """Columns to leave out."""
    message_prefix_include_list: Items | None = None
    """Prefixes of logical decoding messages (`pg_logical_emit_message`) to publish."""
    message_prefix_exclude_list: Items | None = None
    """Prefixes of logical decoding messages to read and drop, which still moves the position."""
    message_key_columns: Text | None = None
    """Keys other than the primary key: `schema.table:column,column`, separated by semicolons."""
    skipped_operations: Operations = ("t",)
    """Operations to leave out: c (insert), u, d, t (truncate), r (snapshot read), or none. Default t."""
    skip_messages_without_change: bool = False
    """Leave out updates that change no captured column. Default false."""
    tombstones_on_delete: bool = True
    """After a delete, publish a null value too. Default true."""
    include_unknown_datatypes: bool = False
    """Publish columns of unknown types as opaque bytes. Default false."""
    include_schema_comments: bool = False
    """Read comments of tables and columns into the schemas. Default false."""
    schema_refresh_mode: Literal["columns_diff", "columns_diff_exclude_unchanged_toast"] = "columns_diff"
    """When the known schema is read again. Default columns_diff."""
    provide_transaction_metadata: bool = False
    """Publish transaction boundaries. Default false."""


class SnapshotSettings(Settings):
    """What is read before streaming begins."""

    snapshot_mode: SnapshotMode = "initial"
    """`no_data` reads no rows: streaming begins where the slot stands. Default initial."""
    snapshot_mode_custom_name: Text | None = None
    """The snapshotter's name, for snapshot mode custom."""
    snapshot_mode_configuration_based_snapshot_data: bool = False
    """For mode configuration_based: read rows. Default false."""
    snapshot_mode_configuration_based_snapshot_schema: bool = False
    """For mode configuration_based: read the schema. Default false."""
    snapshot_mode_configuration_based_start_stream: bool = False
    """For mode configuration_based: stream afterwards. Default false."""
    snapshot_mode_configuration_based_snapshot_on_schema_error: bool = False
    """For mode configuration_based: read the schema again when it cannot be recovered. Default false."""
    snapshot_mode_configuration_based_snapshot_on_data_error: bool = False
    """For mode configuration_based: read rows again when the position is gone. Default false."""
    snapshot_isolation_mode: Literal["serializable", "repeatable_read", "read_committed", "read_uncommitted"] = (
        "serializable"
    )
    """Isolation of the reading transaction. Default serializable."""
    snapshot_locking_mode: Literal["none", "shared", "custom"] = "none"
    """Locks taken while reading. Default none."""
    snapshot_locking_mode_custom_name: Text | None = None
    """The locker's name, for locking mode custom."""
    snapshot_query_mode: Literal["select_all", "custom"] = "select_all"
    """How rows are selected. Default select_all."""
    snapshot_query_mode_custom_name: Text | None = None
    """The selector's name, for query mode custom."""
    snapshot_include_collection_list: Items | None = None
    """Tables to read; all captured ones when absent."""
    snapshot_delay_ms: Milliseconds = 0
    """Pause before reading, milliseconds. Default 0."""
    snapshot_lock_timeout_ms: Milliseconds = 10_000
    """Longest wait for locks, milliseconds. Default 10000."""
    snapshot_fetch_size: Annotated[int, Field(gt=0)] | None = None
    """Rows fetched at once."""
    snapshot_max_threads: int = Field(default=1, ge=1)
    """Threads that read. Default 1."""
    streaming_delay_ms: Milliseconds = 0
    """Pause between the snapshot and streaming, milliseconds. Default 0."""
    incremental_snapshot_chunk_size: int = Field(default=1024, gt=0)
    """Rows per chunk of an incremental snapshot. Default 1024."""
    incremental_snapshot_watermarking_strategy: Literal["INSERT_INSERT", "INSERT_DELETE"] = "INSERT_INSERT"
    """How an incremental snapshot marks its windows. Default INSERT_INSERT."""
    signal_data_collection: Text | None = None
    """Table that signals are written to, `schema.table`."""
    signal_enabled_channels: Items = ("source",)
    """Where signals come from: source, kafka, file, jmx, in-process. Default source."""
    signal_poll_interval_ms: Annotated[int, Field(gt=0)] = 5000
    """Pause between looks for signals, milliseconds. Default 5000."""
    notification_enabled_channels: Items | None = None
    """Where notifications go: sink, log, jmx, http."""
    notification_sink_topic_name: Text | None = None
    """Topic of the sink channel."""


class RepresentationSettings(Settings):
    """How column values become Connect values."""

    time_precision_mode: Literal[
        "adaptive", "adaptive_time_microseconds", "connect", "isostring", "microseconds", "nanoseconds"
    ] = "adaptive"
    """Representation of dates and times; `timestamptz` is RFC 3339 text in UTC in every mode. Default adaptive."""
    decimal_handling_mode: Literal["precise", "string", "double"] = "precise"
    """Representation of numeric. Default precise."""
    binary_handling_mode: Literal["bytes", "base64", "base64-url-safe", "hex"] = "bytes"
    """Representation of bytea. Default bytes."""
    hstore_handling_mode: Literal["json", "map"] = "json"
    """Representation of hstore. Default json."""
    interval_handling_mode: Literal["numeric", "string"] = "numeric"
    """Representation of interval: microseconds or ISO 8601. Default numeric."""
    money_fraction_digits: int = Field(default=2, ge=0)
    """Digits after the point of type money. Default 2."""
    schema_name_adjustment_mode: Adjustment = "none"
    """How schema names are made valid elsewhere. Default none."""
    field_name_adjustment_mode: Adjustment = "none"
    """How field names are made valid elsewhere. Default none."""
    unavailable_value_placeholder: Text = "__debezium_unavailable_value"
    """What stands for an unchanged large value that the log does not hold."""
