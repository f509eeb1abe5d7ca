"""The whole connector: one validated value that renders to the flat configuration of Kafka Connect and reads it back."""

import json
from collections.abc import Mapping
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from debezium_connector_config import layout
from debezium_connector_config.base import Name, Text, UnknownSettingsError
from debezium_connector_config.capture import CaptureSettings, RepresentationSettings, SnapshotSettings
from debezium_connector_config.connection import ConnectionSettings, ReplicationSettings
from debezium_connector_config.converters import Converter, StringConverter
from debezium_connector_config.delivery import DeliverySettings, TopicCreation
from debezium_connector_config.transforms import AnyTransform, EventRouter, Predicate

CLASS = "io.debezium.connector.postgresql.PostgresConnector"


class PostgresConnector(
    ConnectionSettings,
    ReplicationSettings,
    CaptureSettings,
    SnapshotSettings,
    RepresentationSettings,
    DeliverySettings,
):
    """A Debezium 3.7 connector for one PostgreSQL database.

    Fields have the settings' names with underscores for points and Debezium's defaults; only stated ones are rendered.
    Raises pydantic's ValidationError, whose locations name fields as they were given: by field or by setting.
    """

    nested: ClassVar[frozenset[str]] = layout.FIELDS | {"other"}

    name: Text | None = None
    """The connector's name in Connect, when the configuration states it."""
    topic_prefix: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.-]+$")]
    """Names this source: part of its heartbeat topic and of the key of its stored offset. Changing it forgets the
    offset."""
    key_converter: Converter | None = None
    value_converter: Converter | None = None
    header_converter: Converter | None = None
    """Each the worker's own when absent."""
    transforms: dict[Name, AnyTransform] = Field(default_factory=dict)
    """Transforms by name, applied in this order."""
    predicates: dict[Name, Predicate] = Field(default_factory=dict)
    """Predicates by name, for transforms to refer to."""
    topic_creation: dict[Name, TopicCreation] = Field(default_factory=dict)
    """How missing topics are created, by group; the group `default` is needed where there is any."""
    producer_override: dict[str, Text] = Field(default_factory=dict)
    """Settings of the Kafka producer, where the worker's policy allows overrides."""
    driver: dict[str, Text] = Field(default_factory=dict)
    """Settings of the PostgreSQL JDBC driver."""
    other: dict[str, Text] = Field(default_factory=dict)
    """Settings that this model does not type, rendered as they are."""

    @model_validator(mode="after")
    def _one_kind_of_list(self) -> Self:
        for what in ("schema", "table", "column", "message_prefix"):
            if getattr(self, f"{what}_include_list") and getattr(self, f"{what}_exclude_list"):
                dotted = what.replace("_", ".")
                raise ValueError(f"{dotted}.include.list and {dotted}.exclude.list exclude each other")
        return self

    @model_validator(mode="after")
    def _heartbeat_has_interval(self) -> Self:
        if self.heartbeat_action_query is not None and self.heartbeat_interval_ms == 0:
            raise ValueError("heartbeat.action.query needs heartbeat.interval.ms above 0")
        return self

    @model_validator(mode="after")
    def _queue_holds_a_batch(self) -> Self:
        if self.max_queue_size <= self.max_batch_size:
            raise ValueError("max.queue.size must be larger than max.batch.size")
        return self

    @model_validator(mode="after")
    def _slot_never_passes_offset(self) -> Self:
        if self.lsn_flush_mode == "connector_and_driver" and self.offset_mismatch_strategy == "trust_offset":
            # The driver confirms positions that Kafka's offset has not reached: after a kill the slot is ahead of the
            # stored offset, and trust_offset then refuses to start.
            raise ValueError("lsn.flush.mode=connector_and_driver cannot go with offset.mismatch.strategy=trust_offset")
        return self

    @model_validator(mode="after")
    def _custom_modes_are_named(self) -> Self:
        for mode in ("snapshot_mode", "snapshot_locking_mode", "snapshot_query_mode"):
            if (getattr(self, mode) == "custom") != (getattr(self, f"{mode}_custom_name") is not None):
                dotted = mode.replace("_", ".")
                raise ValueError(f"{dotted}=custom and {dotted}.custom.name go together")
        return self

    @model_validator(mode="after")
    def _messages_need_pgoutput(self) -> Self:
        stated = self.message_prefix_include_list or self.message_prefix_exclude_list
        if stated and self.plugin_name != "pgoutput":
            raise ValueError("logical decoding messages need plugin.name=pgoutput")
        return self

    @model_validator(mode="after")
    def _predicates_exist(self) -> Self:
        missing = {one.predicate for one in self.transforms.values() if one.predicate} - self.predicates.keys()
        if missing:
            raise ValueError(f"transforms refer to predicates that are not there: {', '.join(sorted(missing))}")
        return self

    @model_validator(mode="after")
    def _structures_are_not_written_as_text(self) -> Self:
        if not isinstance(self.value_converter, StringConverter):
            return self
        for name, one in self.transforms.items():
            if isinstance(one, EventRouter) and (one.has_envelope or one.table_expand_json_payload):
                raise ValueError(
                    f"transforms.{name}: an envelope or an expanded payload is a structure, which a StringConverter "
                    "would write in Java's own notation"
                )
        return self

    @model_validator(mode="after")
    def _topic_groups_are_complete(self) -> Self:
        if self.topic_creation and "default" not in self.topic_creation:
            raise ValueError("topic.creation needs the group default")
        for group, one in self.topic_creation.items():
            if (group == "default") != (one.include is None):
                raise ValueError(f"topic.creation.{group}: every group but default has an include list")
        return self

    @model_validator(mode="after")
    def _other_is_other(self) -> Self:
        parts, rest = layout.read(self.other)
        typed = sorted([*parts, *(rest.keys() & (self.setting_names().keys() | {"connector.class"}))])
        if typed:
            raise ValueError(f"settings with a field of their own: {', '.join(typed)}")
        return self

    def render(self) -> dict[str, str]:
        """The flat configuration: every value a string, sorted by name, literal secrets in clear."""
        parts = {field: getattr(self, field) for field in layout.FIELDS}
        flat = {"connector.class": CLASS} | self.settings() | layout.write(parts) | self.other
        return dict(sorted(flat.items()))

    def to_json(self, name: str) -> str:
        """The body of `POST /connectors`: `{"config": {...}, "name": name}`, indented, with a final newline."""
        return json.dumps({"name": name, "config": self.render()}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    @classmethod
    def from_config(cls, config: Mapping[str, str], *, keep_unknown: bool = False) -> Self:
        """Read a flat configuration back: `from_config(c.render())` equals `c`.

        Raises UnknownSettingsError, which names the settings that nothing here types, unless `keep_unknown` keeps them
        in `other`; ValueError for another connector class; pydantic's ValidationError for a bad value.
        """
        parts, flat = layout.read(config)
        named = flat.pop("connector.class", CLASS)
        if named != CLASS:
            raise ValueError(f"connector.class is {named}, not {CLASS}")
        unknown = {key: value for key, value in flat.items() if key not in cls.setting_names()}
        if unknown and not keep_unknown:
            raise UnknownSettingsError(unknown, cls.setting_names())
        known = {key: value for key, value in flat.items() if key not in unknown}
        return cls.model_validate(known | parts | ({"other": unknown} if unknown else {}))
