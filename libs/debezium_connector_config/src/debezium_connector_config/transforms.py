"""Single message transforms: the outbox event router, constant headers, header removal, and any other by class name."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from debezium_connector_config.base import Items, Name, Settings, Text

_SAFE_LITERAL = re.compile(r"[A-Za-z/][^\\\"\[\]{},]*")
_NAMED_GROUP = re.compile(r"\(\?<([A-Za-z][A-Za-z0-9]*)>")
_GROUP_USE = re.compile(r"\$\{([A-Za-z][A-Za-z0-9]*)\}")

Column = Annotated[str, Field(pattern=r"^[^\s,:]+$")]
"""A column of the outbox table."""


class Transform(Settings):
    """What every transform has: the predicate that limits it."""

    predicate: Name | None = None
    """The predicate that decides which records are transformed; every record when absent."""
    negate: bool = False
    """Transform the records that the predicate does not match. Default false."""

    @model_validator(mode="after")
    def _negate_needs_predicate(self) -> Self:
        if self.negate and self.predicate is None:
            raise ValueError("negate needs a predicate")
        return self


class Placement(BaseModel):
    """Where one more column of the outbox table goes: a header, a field of the envelope, or the partition number.

    A header whose column is null is present with a null value. A partition column must be `integer`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: Column
    placement: Literal["header", "envelope", "partition"] = "header"
    alias: Column | None = None
    """The header's or field's name; the column's name when absent."""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, value: Any) -> Any:
        parts = value.split(":") if isinstance(value, str) else value
        if not isinstance(parts, list | tuple):
            return value
        if len(parts) not in (2, 3):
            raise ValueError("expected column:placement or column:placement:alias")
        stripped = [part.strip() for part in parts]
        return dict(zip(("column", "placement", "alias"), stripped, strict=False))

    def __str__(self) -> str:
        return ":".join(part for part in (self.column, self.placement, self.alias) if part is not None)


def _split(value: object) -> object:
    return value.split(",") if isinstance(value, str) else value


class EventRouter(Transform):
    """Debezium's outbox event router: one row becomes one record, on the topic that a column of the row names."""

    nested: ClassVar[frozenset[str]] = frozenset({"type"})

    type: Literal["io.debezium.transforms.outbox.EventRouter"] = "io.debezium.transforms.outbox.EventRouter"
    table_field_event_id: Column = "id"
    """Column of the event's id, which also becomes the header `id`. Default `id`."""
    table_field_event_key: Column = "aggregateid"
    """Column of the record's key. Default `aggregateid`."""
    table_field_event_type: Column = "type"
    """Column of the event's type. Default `type`."""
    table_field_event_payload: Column = "payload"
    """Column of the record's value. Default `payload`."""
    table_field_event_timestamp: Column | None = None
    """Column of the record's time: `timestamp` without time zone only (a `timestamptz` reaches the router as text and
    fails the task). The time Debezium read the row when absent."""
    table_field_event_schema_version: Column | None = None
    """Integer column that versions the value's schema; of use with an envelope only."""
    table_fields_additional_placement: Annotated[tuple[Placement, ...], BeforeValidator(_split)] = ()
    """More columns and where they go."""
    table_field_additional_missing: Literal["error", "ignore"] = "error"
    """What to do when a placed column is absent from the table. Default error."""
    table_op_invalid_behavior: Literal["warn", "error", "fatal"] = "warn"
    """What to do when a row was updated: log and go on, or stop the task (fatal). Default warn."""
    table_expand_json_payload: bool = False
    """Parse the payload and infer a schema. Slower, and by default loses nulls and empty arrays. Default false."""
    table_json_payload_null_behavior: Literal["ignore", "optional_bytes"] = "ignore"
    """Nulls in an expanded payload. Default ignore: they are dropped."""
    table_json_payload_empty_array_behavior: Literal["ignore", "optional_string"] = "ignore"
    """Empty arrays in an expanded payload. Default ignore: they are dropped."""
    route_by_field: Column = "aggregatetype"
    """Column that decides the topic. Default `aggregatetype`."""
    route_topic_regex: Text = "(?<routedByValue>.*)"
    """Java regular expression over that column's value. Default `(?<routedByValue>.*)`."""
    route_topic_replacement: Text = "outbox.event.${routedByValue}"
    """The topic, with the expression's groups. Default `outbox.event.${routedByValue}`."""
    route_tombstone_on_empty_payload: bool = False
    """Publish a null value for an empty payload. Default false."""
    tracing_span_context_field: Column = "tracingspancontext"
    """Column with a serialised span context; used only where OpenTelemetry is on Connect's class path."""
    tracing_operation_name: Text = "debezium-read"
    """Name of the span. Default `debezium-read`."""
    tracing_with_context_field_only: bool = False
    """Trace only events that carry a context. Default false."""

    @model_validator(mode="after")
    def _groups_exist(self) -> Self:
        missing = set(_GROUP_USE.findall(self.route_topic_replacement)) - set(
            _NAMED_GROUP.findall(self.route_topic_regex)
        )
        if missing:
            raise ValueError(f"route.topic.replacement uses groups that route.topic.regex lacks: {sorted(missing)}")
        return self

    @model_validator(mode="after")
    def _expansion_options_need_expansion(self) -> Self:
        stated = {"table_json_payload_null_behavior", "table_json_payload_empty_array_behavior"}
        if not self.table_expand_json_payload and any(getattr(self, name) != "ignore" for name in stated):
            raise ValueError("table.json.payload.* needs table.expand.json.payload")
        return self

    @model_validator(mode="after")
    def _placements_agree(self) -> Self:
        places = self.table_fields_additional_placement
        if sum(one.placement == "partition" for one in places) > 1:
            raise ValueError("only one column can be placed as the partition")
        names = Counter((one.placement, one.alias or one.column) for one in places)
        twice = sorted(name for (_, name), times in names.items() if times > 1)
        if twice:
            raise ValueError(f"placed twice under one name: {', '.join(twice)}")
        return self

    @property
    def has_envelope(self) -> bool:
        """Whether the value is a structure (payload and more) rather than the payload itself."""
        return any(one.placement == "envelope" for one in self.table_fields_additional_placement)


class InsertHeader(Transform):
    """A header with a constant value.

    Connect parses the literal and writes what it understood: `1.0` arrives as `1`, `2020-01-01` as Java's idea of a
    date, `null` as null. `arrives_as_written` tells which texts are safe; for others see `constant_headers`.
    """

    nested: ClassVar[frozenset[str]] = frozenset({"type"})

    type: Literal["org.apache.kafka.connect.transforms.InsertHeader"] = (
        "org.apache.kafka.connect.transforms.InsertHeader"
    )
    header: Text
    """The header's name."""
    value_literal: Text
    """The value as Connect's literal."""

    @property
    def arrives_as_written(self) -> bool:
        """Whether the literal surely arrives unchanged under a StringConverter for headers."""
        return _SAFE_LITERAL.fullmatch(self.value_literal) is not None and self.value_literal != "null"


class InsertField(Transform):
    """A constant field in a key or value that is still a structure; unlike InsertHeader it takes the text as it is."""

    nested: ClassVar[frozenset[str]] = frozenset({"type"})

    type: Literal[
        "org.apache.kafka.connect.transforms.InsertField$Key", "org.apache.kafka.connect.transforms.InsertField$Value"
    ]
    static_field: Text
    """The field's name."""
    static_value: Text
    """Its value."""


class HeaderFrom(Transform):
    """Headers from fields of a key or value that is still a structure."""

    nested: ClassVar[frozenset[str]] = frozenset({"type"})

    type: Literal[
        "org.apache.kafka.connect.transforms.HeaderFrom$Key", "org.apache.kafka.connect.transforms.HeaderFrom$Value"
    ]
    fields: Items
    """The fields."""
    headers: Items
    """The headers' names, in the fields' order."""
    operation: Literal["copy", "move"]
    """Leave the field where it was, or take it out."""

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if len(self.fields) != len(self.headers):
            raise ValueError("fields and headers go in pairs")
        return self


class DropHeaders(Transform):
    """Remove headers by name."""

    nested: ClassVar[frozenset[str]] = frozenset({"type"})

    type: Literal["org.apache.kafka.connect.transforms.DropHeaders"] = "org.apache.kafka.connect.transforms.DropHeaders"
    headers: Items


class OtherTransform(Transform):
    """Any other transform class, with untyped settings."""

    nested: ClassVar[frozenset[str]] = frozenset({"type", "options"})

    type: Text
    options: dict[str, Text] = Field(default_factory=dict)

    def settings(self) -> dict[str, str]:
        return {**self.options, **super().settings()}


class Predicate(Settings):
    """A test on records, by class name: `org.apache.kafka.connect.transforms.predicates.TopicNameMatches`, …"""

    nested: ClassVar[frozenset[str]] = frozenset({"type", "options"})

    type: Text
    options: dict[str, Text] = Field(default_factory=dict)

    def settings(self) -> dict[str, str]:
        return dict(self.options)


AnyTransform = EventRouter | InsertHeader | InsertField | HeaderFrom | DropHeaders | OtherTransform

_TYPED: tuple[type[EventRouter | InsertHeader | InsertField | HeaderFrom | DropHeaders], ...] = (
    EventRouter,
    InsertHeader,
    InsertField,
    HeaderFrom,
    DropHeaders,
)
_BY_CLASS = {name: model for model in _TYPED for name in get_args(model.model_fields["type"].annotation)}


def parse_transform(class_name: str, options: Mapping[str, str]) -> AnyTransform:
    """The typed transform of that class, or OtherTransform; raises UnknownSettingsError for a typed one's unknown."""
    model = _BY_CLASS.get(class_name)
    if model is not None:
        return model.parse(options, type=class_name)
    own = {key: value for key, value in options.items() if key in Transform.setting_names()}
    rest = {key: value for key, value in options.items() if key not in own}
    return OtherTransform.parse(own, type=class_name, options=rest)
