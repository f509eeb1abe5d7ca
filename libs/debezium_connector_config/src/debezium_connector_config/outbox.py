"""One opinionated connector: the transactional outbox as CloudEvents in Kafka's binary mode, on settings that held up.

Payloads arrive byte for byte, every header is plain UTF-8 text, an idle database holds next to no write-ahead log, and
a role with LOGIN, REPLICATION, CONNECT and SELECT on the outbox is enough.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any, Literal

from debezium_connector_config.base import SecretOrReference
from debezium_connector_config.connector import PostgresConnector
from debezium_connector_config.converters import StringConverter
from debezium_connector_config.delivery import TopicCreation
from debezium_connector_config.reference import Reference
from debezium_connector_config.transforms import (
    AnyTransform,
    DropHeaders,
    EventRouter,
    HeaderFrom,
    InsertField,
    InsertHeader,
    Placement,
    Predicate,
)

CLOUDEVENTS_HEADERS: tuple[tuple[str, str], ...] = (
    ("id", "ce_id"),
    ("type", "ce_type"),
    ("source", "ce_source"),
    ("aggregate_id", "ce_subject"),
    ("recorded_at", "ce_time"),
    ("dataschema", "ce_dataschema"),
)
"""Column and header of each CloudEvents 1.0 context attribute; `recorded_at` must be `timestamptz` to be RFC 3339."""

CLOUDEVENTS_CONSTANTS: dict[str, str] = {"ce_specversion": "1.0", "content-type": "application/json"}

_HEARTBEAT_PREFIX = "heartbeat"
_HEARTBEAT_TOPICS = "__debezium-heartbeat"
_HEARTBEAT_PATTERN = r"__debezium-heartbeat\..*"
_IS_HEARTBEAT = "heartbeat"


def outbox_connector(
    *,
    name: str,
    hostname: str | Reference,
    port: int | Reference = 5432,
    database: str | Reference,
    user: str | Reference,
    password: SecretOrReference | str,
    slot: str | None = None,
    publication: str | None = None,
    table: str = "public.outbox",
    id_column: str = "id",
    key_column: str = "aggregate_id",
    type_column: str = "type",
    topic_column: str = "topic",
    own_topic: str | None = None,
    other_topics: Collection[str] = (),
    payload_column: str = "payload",
    headers: tuple[tuple[str, str], ...] = CLOUDEVENTS_HEADERS,
    extensions: tuple[tuple[str, str], ...] = (),
    missing: Literal["error", "ignore"] = "error",
    constants: Mapping[str, str] = CLOUDEVENTS_CONSTANTS,
    poll_interval_ms: int = 25,
    heartbeat_interval_ms: int = 5000,
    heartbeat_logs_snapshot: bool = False,
    partitions: int = -1,
    replication_factor: int = -1,
) -> PostgresConnector:
    """The connector of one database's outbox.

    `name` is the topic prefix (heartbeats, stored offset), and with hyphens as underscores the base of `<name>_outbox`,
    the default of both `slot` and `publication`. The publication must exist (`FOR TABLE … WITH (publish = 'insert')`).
    The slot should exist before the first row is written: rows committed before the slot was created are not seen.

    With `own_topic`, every row goes there whatever its topic column says, but for rows that name one of `other_topics`: who can
    write the table, and no more, reaches no topic of somebody else's. Without it, a row goes where it says.
    `headers` and `extensions` are (column, header) pairs; a null column arrives as a header with a null value.
    `missing`: what to do about a row of before there was such a column; `ignore` leaves its header out.
    `heartbeat_interval_ms` bounds the log that an idle database's slot holds while others write: confirmed positions lag
    by one to two intervals plus the worker's `offset.flush.interval.ms`, and the log is freed up to 15 s later still, when
    PostgreSQL next logs a snapshot of its transactions. `heartbeat_logs_snapshot` logs one with each heartbeat, which
    takes that delay away; PostgreSQL 16 or newer, and the role needs EXECUTE on `pg_log_standby_snapshot()`.
    `poll_interval_ms`: 25 gives about 35 ms from commit to Kafka and costs an idle connector about 2 % of a core.
    `partitions` and `replication_factor` are for topics that do not exist yet; -1 leaves them to the broker. Such topics
    keep their records for ever.

    Raises pydantic's ValidationError, or ValueError for constant headers whose names differ in punctuation only.
    """
    base = name.replace("-", "_").replace(".", "_")
    router = EventRouter(
        table_field_event_id=id_column,
        table_field_event_key=key_column,
        table_field_event_type=type_column,
        table_field_event_payload=payload_column,
        table_fields_additional_placement=tuple(
            Placement(column=column, placement="header", alias=header) for column, header in (*headers, *extensions)
        ),
        **({} if missing == "error" else {"table_field_additional_missing": missing}),
        table_op_invalid_behavior="fatal",
        table_expand_json_payload=False,
        route_by_field=topic_column,
        **_routing(own_topic, other_topics),
    )
    return PostgresConnector(
        topic_prefix=name,
        tasks_max=1,
        database_hostname=hostname,
        database_port=port,
        database_dbname=database,
        database_user=user,
        database_password=password,
        plugin_name="pgoutput",
        slot_name=slot or f"{base}_outbox",
        slot_drop_on_stop=False,
        publication_name=publication or f"{base}_outbox",
        publication_autocreate_mode="disabled",
        offset_mismatch_strategy="trust_offset",
        table_include_list=(table.replace(".", r"\."),),
        message_prefix_exclude_list=(_HEARTBEAT_PREFIX,),
        tombstones_on_delete=False,
        snapshot_mode="no_data",
        poll_interval_ms=poll_interval_ms,
        heartbeat_interval_ms=heartbeat_interval_ms,
        heartbeat_action_query=_heartbeat("pg_log_standby_snapshot()" if heartbeat_logs_snapshot else "now()"),
        heartbeat_topics_prefix=_HEARTBEAT_TOPICS,
        extended_headers_enabled=False,
        key_converter=StringConverter(),
        value_converter=StringConverter(),
        header_converter=StringConverter(),
        transforms=_transforms(router, constants),
        predicates={
            _IS_HEARTBEAT: Predicate(
                type="org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
                options={"pattern": _HEARTBEAT_PATTERN},
            )
        },
        topic_creation=_topics(partitions, replication_factor),
    )


def _routing(own_topic: str | None, other_topics: Collection[str]) -> dict[str, Any]:
    if own_topic is None:
        return {"route_topic_replacement": "${routedByValue}"}
    named = "|".join(map(re.escape, sorted(other_topics)))
    # What the expression does not match keeps the name that it has.
    return {
        "route_topic_regex": f"(?!(?:{named})$).*" if named else ".*",
        "route_topic_replacement": own_topic,
    }


def _heartbeat(content: str) -> str:
    return f"SELECT pg_logical_emit_message(false,'{_HEARTBEAT_PREFIX}',{content}::varchar)"


def _transforms(router: EventRouter, constants: Mapping[str, str]) -> dict[str, AnyTransform]:
    if len({_transform(header) for header in constants}) != len(constants):
        raise ValueError(f"names of constant headers differ in punctuation only: {', '.join(constants)}")
    inserted = {
        header: InsertHeader(header=header, value_literal=value, predicate=_IS_HEARTBEAT, negate=True)
        for header, value in constants.items()
    }
    altered = {header: value for header, value in constants.items() if not inserted[header].arrives_as_written}
    transforms = _constants_by_key(altered)
    transforms["outbox"] = router
    # The router always adds a header `id`, which the placed headers carry under its own name already.
    transforms["unrouted"] = DropHeaders(headers=("id",))
    return transforms | {_transform(header): one for header, one in inserted.items() if header not in altered}


def _constants_by_key(constants: Mapping[str, str]) -> dict[str, AnyTransform]:
    """Constants that InsertHeader would alter (`1.0` becomes `1`), carried exactly.

    They become fields of the row's key and from there headers, before the router replaces the key: a copy of a small
    structure for each. Heartbeats are left alone.
    """
    transforms: dict[str, AnyTransform] = {
        _transform(header): InsertField(
            type="org.apache.kafka.connect.transforms.InsertField$Key",
            static_field=header,
            static_value=value,
            predicate=_IS_HEARTBEAT,
            negate=True,
        )
        for header, value in constants.items()
    }
    if constants:
        transforms["constants"] = HeaderFrom(
            type="org.apache.kafka.connect.transforms.HeaderFrom$Key",
            fields=tuple(constants),
            headers=tuple(constants),
            operation="copy",
            predicate=_IS_HEARTBEAT,
            negate=True,
        )
    return transforms


def _transform(header: str) -> str:
    return "header_" + "".join(c if c.isascii() and c.isalnum() else "_" for c in header)


def _topics(partitions: int, replication_factor: int) -> dict[str, TopicCreation]:
    events = TopicCreation(
        partitions=partitions,
        replication_factor=replication_factor,
        options={"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"},
    )
    heartbeats = TopicCreation(
        include=(_HEARTBEAT_PATTERN,),
        partitions=1,
        replication_factor=replication_factor,
        options={"cleanup.policy": "delete", "retention.ms": "3600000"},
    )
    return {"default": events, "heartbeat": heartbeats}
