"""What the models accept, refuse and render."""

import json
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from debezium_connector_config import (
    DropHeaders,
    EventRouter,
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
    UnknownSettingsError,
)

BASE: dict[str, Any] = {
    "topic_prefix": "orders",
    "database_hostname": "db",
    "database_dbname": "orders",
    "database_user": "capture",
}


def connector(**settings: Any) -> PostgresConnector:
    return PostgresConnector(**BASE | settings)


def test_only_what_was_stated_is_rendered() -> None:
    assert connector(slot_drop_on_stop=False).render() == {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "database.dbname": "orders",
        "database.hostname": "db",
        "database.user": "capture",
        "slot.drop.on.stop": "false",
        "topic.prefix": "orders",
    }


def test_rendering_is_sorted_and_the_same_for_any_order_of_arguments() -> None:
    one = connector(poll_interval_ms=25, slot_name="a")
    other = PostgresConnector(slot_name="a", poll_interval_ms=25, **dict(reversed(BASE.items())))
    assert list(one.render().items()) == list(other.render().items()) == sorted(one.render().items())
    assert one.to_json("x") == other.to_json("x")
    assert json.loads(one.to_json("x")) == {"name": "x", "config": one.render()}


def test_values_become_the_text_that_connect_reads() -> None:
    flat = connector(
        slot_failover=True,
        max_batch_size=100,
        table_include_list=[r"public\.a", r"public\.b"],
        database_tcp_keep_alive=False,
        driver={"socketTimeout": "30"},
        producer_override={"compression.type": "lz4"},
    ).render()
    assert flat["slot.failover"] == "true"
    assert flat["max.batch.size"] == "100"
    assert flat["table.include.list"] == r"public\.a,public\.b"
    assert flat["database.tcpKeepAlive"] == "false"
    assert flat["driver.socketTimeout"] == "30"
    assert flat["producer.override.compression.type"] == "lz4"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"slot_name": "Orders"}, "slot.name"),
        ({"slot_name": "orders-outbox"}, "slot.name"),
        ({"slot_name": "x" * 64}, "slot.name"),
        ({"slot_name": ""}, "slot.name"),
        ({"publication_name": "Outbox"}, "publication.name"),
        ({"publication_autocreate_mode": "maybe"}, "publication.autocreate.mode"),
        ({"snapshot_mode": "never"}, "snapshot.mode"),
        ({"lsn_flush_mode": "driver"}, "lsn.flush.mode"),
        ({"offset_mismatch_strategy": "trust"}, "offset.mismatch.strategy"),
        ({"poll_interval_ms": 0}, "poll.interval.ms"),
        ({"poll_interval_ms": 5001}, "poll.interval.ms"),
        ({"heartbeat_interval_ms": -1}, "heartbeat.interval.ms"),
        ({"tasks_max": 2}, "tasks.max"),
        ({"topic_prefix": "a b"}, "topic.prefix"),
        ({"database_port": 0}, "database.port"),
        ({"database_hostname": "no host"}, "database.hostname"),
        ({"table_include_list": ["a,b"]}, "comma"),
        ({"table_include_list": []}, "table.include.list"),
        ({"database_dbname": " orders"}, "white space"),
        ({"skipped_operations": ["x"]}, "skipped.operations"),
        ({"unheard_of": 1}, "unheard_of"),
    ],
)
def test_a_bad_value_is_refused_and_named(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        connector(**settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"heartbeat_action_query": "SELECT 1"}, r"heartbeat\.interval\.ms"),
        ({"table_include_list": ["a"], "table_exclude_list": ["b"]}, "exclude each other"),
        (
            {"plugin_name": "pgoutput", "message_prefix_include_list": ["a"], "message_prefix_exclude_list": ["b"]},
            r"message\.prefix",
        ),
        ({"message_prefix_exclude_list": ["a"]}, "pgoutput"),
        ({"max_queue_size": 100, "max_batch_size": 100}, r"max\.queue\.size"),
        ({"lsn_flush_mode": "connector_and_driver", "offset_mismatch_strategy": "trust_offset"}, "cannot go with"),
        ({"snapshot_mode": "custom"}, r"snapshot\.mode\.custom\.name"),
        ({"snapshot_mode_custom_name": "mine"}, "go together"),
        ({"transforms": {"a": DropHeaders(headers=("x",), predicate="p")}}, "predicates that are not there: p"),
        ({"topic_creation": {"events": TopicCreation(include=("e",))}}, "default"),
        ({"topic_creation": {"default": TopicCreation(include=("e",))}}, "include list"),
        ({"other": {"slot.name": "a"}}, r"of their own: slot\.name"),
        ({"other": {"key.converter": "a"}}, "of their own: key_converter"),
    ],
)
def test_a_bad_combination_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        connector(**settings)


@pytest.mark.parametrize(
    "router",
    [
        EventRouter(table_expand_json_payload=True),
        EventRouter(table_fields_additional_placement=(Placement(column="a", placement="envelope"),)),
    ],
)
def test_a_structure_is_not_written_as_text(router: EventRouter) -> None:
    with pytest.raises(ValidationError, match="structure"):
        connector(value_converter=StringConverter(), transforms={"outbox": router})
    assert connector(value_converter=JsonConverter(), transforms={"outbox": router})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"route_topic_replacement": "${other}"}, "other"),
        ({"table_json_payload_null_behavior": "optional_bytes"}, r"table\.expand\.json\.payload"),
        ({"table_fields_additional_placement": "a:header:x,b:header:x"}, "placed twice under one name: x"),
        ({"table_fields_additional_placement": "a:partition,b:partition"}, "only one column"),
        ({"table_fields_additional_placement": "a"}, "column:placement"),
        ({"table_fields_additional_placement": "a:footer"}, "placement"),
        ({"negate": True}, "predicate"),
    ],
)
def test_a_bad_router_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        EventRouter(**settings)


def test_one_column_may_be_placed_twice_under_two_names() -> None:
    router = EventRouter(table_fields_additional_placement="a:header:x,a:header:y,b:header")
    assert router.settings() == {"table.fields.additional.placement": "a:header:x,a:header:y,b:header"}


def test_transforms_keep_their_order() -> None:
    transforms = {name: InsertHeader(header=name, value_literal="v") for name in ("z", "a", "m")}
    parsed = PostgresConnector.from_config(connector(transforms=transforms).render())
    assert list(parsed.transforms) == ["z", "a", "m"]


@pytest.mark.parametrize("text", ["application/json", "order.placed", "x", "/orders", "true"])
def test_text_arrives_as_written(text: str) -> None:
    assert InsertHeader(header="h", value_literal=text).arrives_as_written


@pytest.mark.parametrize("text", ["1.0", "007", "2020-01-01", "null", "-0", "+1", "[1, 2]", '"1.0"', "1e3"])
def test_a_literal_that_connect_reads_as_something_else_is_known(text: str) -> None:
    assert not InsertHeader(header="h", value_literal=text).arrives_as_written


@pytest.mark.parametrize(
    ("reference", "written"),
    [
        (Reference.env("PASSWORD"), "${env:PASSWORD}"),
        (Reference.file("/run/secrets/db", "password"), "${file:/run/secrets/db:password}"),
        (Reference.directory("/run/secrets", "password"), "${directory:/run/secrets:password}"),
    ],
)
def test_a_secret_is_a_reference_or_literal(reference: Reference, written: str) -> None:
    assert str(reference) == written
    assert connector(database_password=reference).render()["database.password"] == written
    assert connector(database_password=written).database_password == reference
    literal = connector(database_password="hunter2")
    assert literal.database_password == SecretStr("hunter2")
    assert literal.render()["database.password"] == "hunter2"
    assert "hunter2" not in repr(literal)


def test_address_may_be_a_reference() -> None:
    flat = connector(database_hostname="${env:HOST}", database_port=Reference.env("PORT")).render()
    assert (flat["database.hostname"], flat["database.port"]) == ("${env:HOST}", "${env:PORT}")
    assert PostgresConnector.from_config(flat).database_port == Reference.env("PORT")


def test_unknown_settings_are_named_with_the_nearest_known_one() -> None:
    flat = connector(transforms={"outbox": EventRouter()}, key_converter=StringConverter()).render()
    with pytest.raises(UnknownSettingsError) as caught:
        PostgresConnector.from_config(flat | {"poll.intervall.ms": "1", "zzz": "1"})
    assert caught.value.keys == ("poll.intervall.ms", "zzz")
    assert "did you mean poll.interval.ms?" in str(caught.value)
    with pytest.raises(UnknownSettingsError, match=r"transforms\.outbox\.route\.by\.fields .did you mean"):
        PostgresConnector.from_config(flat | {"transforms.outbox.route.by.fields": "a"})
    with pytest.raises(UnknownSettingsError, match=r"key\.converter\.charset"):
        PostgresConnector.from_config(flat | {"key.converter.charset": "a"})
    with pytest.raises(UnknownSettingsError, match=r"transforms\.forgotten\.type"):
        PostgresConnector.from_config(flat | {"transforms.forgotten.type": "a"})


def test_unknown_settings_can_be_kept() -> None:
    flat = connector().render() | {"errors.deadletterqueue.topic.name": "x"}
    kept = PostgresConnector.from_config(flat, keep_unknown=True)
    assert kept.other == {"errors.deadletterqueue.topic.name": "x"}
    assert kept.render() == flat


def test_another_connector_class_is_refused() -> None:
    with pytest.raises(ValueError, match="MySqlConnector"):
        PostgresConnector.from_config(connector().render() | {"connector.class": "io.debezium.MySqlConnector"})


def test_a_bad_value_in_a_configuration_is_named_by_its_setting() -> None:
    with pytest.raises(ValidationError, match=r"poll\.interval\.ms"):
        PostgresConnector.from_config(connector().render() | {"poll.interval.ms": "soon"})


def test_untyped_parts_are_kept() -> None:
    one = connector(
        value_converter=OtherConverter(type="io.x.AvroConverter", options={"schema.registry.url": "http://registry"}),
        transforms={"t": OtherTransform(type="io.x.T", options={"a": "b"}, predicate="p", negate=True)},
        predicates={"p": Predicate(type="io.x.P", options={"pattern": ".*"})},
    )
    flat = one.render()
    assert flat["value.converter.schema.registry.url"] == "http://registry"
    assert flat["transforms.t.negate"] == "true"
    assert PostgresConnector.from_config(flat) == one
