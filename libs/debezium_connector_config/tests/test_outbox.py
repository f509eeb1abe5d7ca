"""The outbox connector renders exactly what was measured to work."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from debezium_connector_config import (
    CLOUDEVENTS_CONSTANTS,
    HeaderFrom,
    InsertHeader,
    PostgresConnector,
    Reference,
    outbox_connector,
)

GOLDEN = Path(__file__).with_name("outbox.golden.json")

ADDRESS: dict[str, Any] = {
    "name": "orders",
    "hostname": "db.internal",
    "database": "orders",
    "user": "orders_capture",
    "password": Reference.env("ORDERS_CAPTURE_PASSWORD"),
}


def test_golden() -> None:
    connector = outbox_connector(**ADDRESS, extensions=(("tenant_id", "ce_tenantid"), ("traceparent", "traceparent")))
    assert connector.to_json("orders") == GOLDEN.read_text(encoding="utf-8")
    assert PostgresConnector.from_config(json.loads(GOLDEN.read_text(encoding="utf-8"))["config"]) == connector


def test_table_and_columns_are_parameters() -> None:
    flat = outbox_connector(
        **ADDRESS,
        table="sales.events",
        id_column="event_id",
        key_column="entity",
        type_column="kind",
        topic_column="destination",
        payload_column="body",
        headers=(("event_id", "ce_id"),),
        constants={},
    ).render()
    assert flat["table.include.list"] == r"sales\.events"
    assert flat["transforms.outbox.table.field.event.id"] == "event_id"
    assert flat["transforms.outbox.table.field.event.key"] == "entity"
    assert flat["transforms.outbox.table.field.event.payload"] == "body"
    assert flat["transforms.outbox.table.field.event.type"] == "kind"
    assert flat["transforms.outbox.route.by.field"] == "destination"
    assert flat["transforms.outbox.table.fields.additional.placement"] == "event_id:header:ce_id"
    assert flat["transforms"] == "outbox,unrouted"


@pytest.mark.parametrize(
    ("named", "goes_to"),
    [
        ("orders.events", "orders.events"),
        ("payments.events", "orders.events"),
        ("orders.dlq.too", "orders.events"),
        ("ordersXdlq", "orders.events"),
        ("", "orders.events"),
        ("orders.dlq", "orders.dlq"),
        ("canary", "canary"),
    ],
)
def test_a_row_reaches_its_own_topic_and_those_that_are_named_alone(named: str, goes_to: str) -> None:
    flat = outbox_connector(**ADDRESS, own_topic="orders.events", other_topics=("orders.dlq", "canary")).render()
    # RegexRouter: the replacement where the whole name matches, else the name as it is. Python reads this expression as Java does.
    expression, own = flat["transforms.outbox.route.topic.regex"], flat["transforms.outbox.route.topic.replacement"]
    assert (own if re.fullmatch(expression, named) else named) == goes_to


def test_without_other_topics_every_row_goes_to_its_own() -> None:
    flat = outbox_connector(**ADDRESS, own_topic="orders.events").render()
    assert flat["transforms.outbox.route.topic.regex"] == ".*"


def test_a_constant_that_connect_would_alter_goes_through_the_key_before_the_router() -> None:
    connector = outbox_connector(**ADDRESS, constants=CLOUDEVENTS_CONSTANTS)
    names = list(connector.transforms)
    carrier = connector.transforms["constants"]
    assert isinstance(carrier, HeaderFrom)
    assert carrier.headers == ("ce_specversion",)
    assert names.index("constants") < names.index("outbox")
    plain = connector.transforms["header_content_type"]
    assert isinstance(plain, InsertHeader)
    assert plain.value_literal == "application/json"


def test_constants_never_take_the_place_of_another_transform() -> None:
    connector = outbox_connector(**ADDRESS, constants={"outbox": "x", "constants": "1.0"})
    assert list(connector.transforms) == ["header_constants", "constants", "outbox", "unrouted", "header_outbox"]
    with pytest.raises(ValueError, match="punctuation"):
        outbox_connector(**ADDRESS, constants={"a-b": "x", "a_b": "y"})


def test_slot_and_publication_follow_the_name() -> None:
    flat = outbox_connector(**ADDRESS | {"name": "price-lists"}).render()
    assert (flat["slot.name"], flat["publication.name"]) == ("price_lists_outbox", "price_lists_outbox")
    flat = outbox_connector(**ADDRESS, slot="s", publication="p").render()
    assert (flat["slot.name"], flat["publication.name"]) == ("s", "p")


def test_a_bad_name_is_refused() -> None:
    with pytest.raises(ValidationError, match="slot_name"):
        outbox_connector(**ADDRESS | {"name": "Orders"})


def test_heartbeats_move_the_slot_and_are_not_published() -> None:
    flat = outbox_connector(**ADDRESS, heartbeat_interval_ms=1000, heartbeat_logs_snapshot=True).render()
    assert flat["heartbeat.interval.ms"] == "1000"
    assert flat["heartbeat.action.query"] == (
        "SELECT pg_logical_emit_message(false,'heartbeat',pg_log_standby_snapshot()::varchar)"
    )
    assert flat["message.prefix.exclude.list"] == "heartbeat"
