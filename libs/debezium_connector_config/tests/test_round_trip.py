"""Whatever the models accept is read back from its rendering as the same value."""

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import given
from hypothesis import strategies as st

from debezium_connector_config import (
    DropHeaders,
    EventRouter,
    HeaderFrom,
    InsertField,
    InsertHeader,
    JsonConverter,
    OtherConverter,
    OtherTransform,
    Placement,
    PostgresConnector,
    Predicate,
    Reference,
    StringConverter,
    TopicCreation,
)
from debezium_connector_config.base import Settings

WORD = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30).filter(
    lambda text: text == text.strip() and not text.startswith("${")
)
ITEM = TEXT.filter(lambda text: "," not in text)
ITEMS = st.lists(ITEM, min_size=1, max_size=4).map(tuple)
OPTIONS = st.dictionaries(WORD.map(lambda word: f"x.{word}"), TEXT, max_size=3)
REFERENCE = st.builds(Reference, provider=WORD, path=st.none() | WORD, key=WORD)
SECRET = REFERENCE | TEXT

SPECIAL: dict[str, st.SearchStrategy[Any]] = {
    "skipped_operations": st.lists(st.sampled_from("cudtr"), min_size=1, unique=True),
    "database_port": REFERENCE | st.integers(1, 65535),
    "poll_interval_ms": st.integers(1, 5000),
    "tasks_max": st.just(1),
    "max_batch_size": st.integers(1, 2048),
    "snapshot_mode": st.sampled_from(["always", "no_data"]),
    "snapshot_mode_custom_name": st.none(),
    "snapshot_locking_mode": st.sampled_from(["none", "shared"]),
    "snapshot_locking_mode_custom_name": st.none(),
    "snapshot_query_mode": st.just("select_all"),
    "snapshot_query_mode_custom_name": st.none(),
    "database_password": SECRET,
    "database_sslpassword": SECRET,
}


def values(name: str, annotation: Any) -> st.SearchStrategy[Any]:
    """A strategy for a field, by its type; constraints of pattern are met by plain words."""
    if name in SPECIAL:
        return SPECIAL[name]
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is Literal:
        return st.sampled_from(get_args(annotation))
    if get_origin(annotation) in (Union, types.UnionType, tuple):
        return ITEMS if "tuple" in str(annotation) else values(name, get_args(annotation)[-2])
    if annotation is bool:
        return st.booleans()
    return st.integers(10_000, 10**9) if annotation is int else WORD


def some_of(model: type[Settings], required: tuple[str, ...] = ()) -> st.SearchStrategy[dict[str, Any]]:
    """Arguments for any subset of a model's flat settings."""
    fields = {name: model.model_fields[name].annotation for name in model.setting_names().values()}
    strategies = {name: values(name, annotation) for name, annotation in fields.items()}
    return st.fixed_dictionaries(
        {name: strategies[name] for name in required},
        optional={name: one for name, one in strategies.items() if name not in (*required, "predicate", "negate")},
    )


PLACEMENTS = st.lists(
    st.builds(Placement, column=WORD, placement=st.just("header"), alias=st.none() | WORD),
    max_size=4,
    unique_by=lambda one: one.alias or one.column,
)
ROUTERS = st.builds(
    EventRouter,
    table_field_event_key=WORD,
    table_op_invalid_behavior=st.sampled_from(["warn", "error", "fatal"]),
    table_fields_additional_placement=PLACEMENTS.map(tuple),
    route_by_field=WORD,
)
TRANSFORM = st.one_of(
    ROUTERS,
    st.builds(InsertHeader, header=TEXT, value_literal=TEXT),
    st.builds(
        InsertField,
        type=st.just("org.apache.kafka.connect.transforms.InsertField$Key"),
        static_field=TEXT,
        static_value=TEXT,
    ),
    st.lists(ITEM, min_size=1, max_size=3).map(
        lambda items: HeaderFrom(
            type="org.apache.kafka.connect.transforms.HeaderFrom$Value", fields=items, headers=items, operation="move"
        )
    ),
    st.builds(DropHeaders, headers=ITEMS, predicate=st.just("p"), negate=st.booleans()),
    st.builds(OtherTransform, type=WORD, options=OPTIONS),
)
CONVERTER = st.one_of(
    st.builds(StringConverter),
    some_of(JsonConverter).map(lambda given: JsonConverter(**given)),
    st.builds(OtherConverter, type=WORD, options=OPTIONS),
)
TOPICS = st.dictionaries(
    WORD.filter(lambda name: name != "default"), st.builds(TopicCreation, include=ITEMS, options=OPTIONS), max_size=2
).flatmap(
    lambda groups: st.builds(TopicCreation, partitions=st.integers(-1, 9)).map(lambda one: {"default": one} | groups)
)
NESTED = st.fixed_dictionaries(
    {"predicates": st.builds(Predicate, type=WORD, options=OPTIONS).map(lambda one: {"p": one})},
    optional={
        "key_converter": CONVERTER,
        "value_converter": CONVERTER,
        "header_converter": CONVERTER,
        "transforms": st.dictionaries(WORD, TRANSFORM, max_size=4),
        "topic_creation": TOPICS,
        "producer_override": OPTIONS,
        "driver": OPTIONS,
    },
)
REQUIRED = ("topic_prefix", "database_hostname", "database_dbname", "database_user")


def agreed(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments without the combinations that the connector refuses."""
    left_out = {f"{what}_exclude_list" for what in ("schema", "table", "column", "message_prefix")}
    left_out |= {"lsn_flush_mode"} if arguments.get("offset_mismatch_strategy") == "trust_offset" else set()
    left_out |= {"heartbeat_action_query"} if "heartbeat_interval_ms" not in arguments else set()
    return {name: value for name, value in arguments.items() if name not in left_out} | {"plugin_name": "pgoutput"}


def connectors() -> st.SearchStrategy[PostgresConnector]:
    flat = some_of(PostgresConnector, REQUIRED)
    return st.builds(lambda one, other: PostgresConnector(**agreed(one | other)), flat, NESTED)


@given(connectors())
def test_a_connector_is_read_back_from_its_rendering(connector: PostgresConnector) -> None:
    flat = connector.render()
    again = PostgresConnector.from_config(flat)
    assert again == connector
    assert again.render() == flat
    assert all(isinstance(value, str) for value in flat.values())


@given(connectors(), OPTIONS)
def test_what_is_not_known_survives_beside_it(connector: PostgresConnector, more: dict[str, str]) -> None:
    flat = connector.render() | more
    assert PostgresConnector.from_config(flat, keep_unknown=True).render() == dict(sorted(flat.items()))
