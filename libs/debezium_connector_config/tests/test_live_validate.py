"""A running Kafka Connect agrees with the models.

Debezium tries the database only when it holds nothing against any setting. So a refused connection, and nothing else, is
its word that every setting is right; the address below is one where nobody listens.
"""

from pathlib import Path
from typing import Any

import pytest

from debezium_connector_config import (
    ConnectError,
    FieldError,
    PostgresConnector,
    apply,
    outbox_connector,
    status,
    validate_live,
)
from debezium_connector_config.base import to_text
from debezium_connector_config.cli import main
from debezium_connector_config.connector import CLASS
from debezium_connector_config.live import _call


@pytest.fixture
def connector() -> PostgresConnector:
    return outbox_connector(
        name="live_validate",
        hostname="127.0.0.1",
        port=1,
        database="orders",
        user="capture",
        password="literal",
        extensions=(("tenant_id", "ce_tenantid"), ("traceparent", "traceparent")),
        heartbeat_logs_snapshot=True,
    )


def plugin_settings(connect_url: str) -> list[dict[str, Any]]:
    return list(_call("GET", connect_url, f"/connector-plugins/{CLASS}/config", None, 30))


def faulty(errors: list[FieldError]) -> list[str]:
    return [error.field for error in errors]


def test_no_setting_of_the_outbox_connector_has_an_error(connect_url: str, connector: PostgresConnector) -> None:
    errors = validate_live(connect_url, connector)
    assert faulty(errors) == ["database.hostname"]
    assert "refused" in errors[0].messages[0]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("snapshot.mode", "sometimes"),
        ("poll.interval.ms", "soon"),
        ("slot.name", "Not-A-Slot"),
        ("publication.autocreate.mode", "perhaps"),
        ("header.converter", "no.such.Converter"),
        ("transforms.outbox.type", "no.such.Transform"),
        ("transforms.constants.operation", "steal"),
        ("predicates.heartbeat.type", "no.such.Predicate"),
    ],
)
def test_a_wrong_setting_is_reported_by_name(
    connect_url: str, connector: PostgresConnector, setting: str, value: str
) -> None:
    errors = validate_live(connect_url, connector.render() | {setting: value})
    assert setting in faulty(errors)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("offset.mismatch.strategy", "hope"),
        ("transforms.outbox.table.op.invalid.behavior", "explode"),
        ("transforms.outbox.route.topic.replacement", "${nothing}"),
    ],
)
def test_the_models_refuse_what_debezium_would_take_without_a_word(
    connect_url: str, connector: PostgresConnector, setting: str, value: str
) -> None:
    flat = connector.render() | {setting: value}
    assert faulty(validate_live(connect_url, flat)) == ["database.hostname"]
    with pytest.raises(ValueError, match=setting.removeprefix("transforms.outbox.")):
        PostgresConnector.from_config(flat)


def test_every_setting_has_the_name_and_default_that_connect_gives(connect_url: str) -> None:
    """Settings that Connect does not list are Debezium's own, checked in its source."""
    listed = {entry["name"]: entry["default_value"] for entry in plugin_settings(connect_url)}
    unlisted = PostgresConnector.setting_names().keys() - listed.keys()
    assert unlisted == {"money.fraction.digits", "offset.mismatch.strategy", "read.only"}
    fields = PostgresConnector.model_fields
    ours = {setting: to_text(fields[field].default) for setting, field in PostgresConnector.setting_names().items()}
    theirs = {setting: given for setting, given in listed.items() if given and setting in ours}
    assert {setting: ours[setting] for setting in theirs} == theirs


def test_apply_is_refused_with_connects_own_words(connect_url: str, connector: PostgresConnector) -> None:
    with pytest.raises(ConnectError, match="refused") as caught:
        apply(connect_url, "live_validate", connector)
    assert caught.value.status == 400


def test_the_status_of_an_unknown_connector_is_an_error(connect_url: str) -> None:
    with pytest.raises(ConnectError) as caught:
        status(connect_url, "nobody")
    assert caught.value.status == 404


def test_the_command_line_prints_errors_by_field(
    connect_url: str, connector: PostgresConnector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "connector.json"
    file.write_text(connector.to_json("live_validate"), encoding="utf-8")
    assert main(["validate", str(file), "--connect", connect_url]) == 1
    assert capsys.readouterr().out.startswith("database.hostname: ")
