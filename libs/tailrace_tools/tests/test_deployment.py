"""What is deployed fits together: charts' values and their schema, Compose's parts, and who is given which secret."""

import json
import stat
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from typer.testing import CliRunner

from tailrace.cli import app
from tailrace.codegen.compose import compose
from tailrace.codegen.places import COMPOSE, HELM, HELM_BY_HAND
from tailrace.runtime.fleet import load_services
from tailrace.settings import Settings

ROOT = Path(__file__).parents[3]
CHARTS = sorted(path.parent for path in (ROOT / HELM).glob("*/Chart.yaml") if path.parent.name not in HELM_BY_HAND)
DEFAULTS: dict[str, Any] = yaml.safe_load((ROOT / HELM / "tailrace-lib/values.yaml").read_text())["exports"]["defaults"]
SCHEMA: dict[str, Any] = yaml.safe_load((ROOT / HELM / "schema.yaml").read_text())


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = {**below, **above}
    nested = {
        key for key in below.keys() & above.keys() if isinstance(below[key], dict) and isinstance(above[key], dict)
    }
    return both | {key: _over(below[key], above[key]) for key in nested}


@pytest.mark.parametrize("chart", CHARTS, ids=[chart.name for chart in CHARTS])
def test_a_chart_takes_its_values_and_each_set_and_nothing_unknown(chart: Path) -> None:
    valid = jsonschema_rs.validator_for(SCHEMA)
    own = _over(DEFAULTS, yaml.safe_load((chart / "values.yaml").read_text()))
    for values in ({}, *(yaml.safe_load(path.read_text()) for path in (ROOT / HELM / "values").glob("*.yaml"))):
        valid.validate(_over(own, values))
    for wrong in ({"api": {"replica": 3}}, {"consumer": {"replicas": "abc"}}, {"kafka": "kafka:9092"}, {"own": 1}):
        assert not valid.is_valid(_over(own, wrong)), wrong


def test_every_group_of_values_is_closed() -> None:
    """A group that takes anything would take a slip of the pen too; those that are Kubernetes' own, or maps, have no properties of ours."""

    def open_groups(schema: Any, at: str) -> list[str]:
        if not isinstance(schema, dict):
            return []
        found = [at] if "properties" in schema and at and schema.get("additionalProperties") is not False else []
        return found + [each for key, value in schema.items() for each in open_groups(value, f"{at}.{key}")]

    assert open_groups(SCHEMA["definitions"], "") == []


def test_every_default_has_a_type() -> None:
    def unknown(defaults: dict[str, Any], schema: dict[str, Any], at: str) -> list[str]:
        schema = SCHEMA["definitions"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        known = schema.get("properties")
        if known is None:
            return []
        missing = [f"{at}{key}" for key in defaults if key not in known]
        nested = [key for key in defaults if key in known and isinstance(defaults[key], dict)]
        return missing + [each for key in nested for each in unknown(defaults[key], known[key], f"{at}{key}.")]

    assert unknown(DEFAULTS, SCHEMA["definitions"]["values"], "") == []


def test_compose_gives_a_service_its_own_credentials_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAILRACE_SECRET", "of-the-whole-fleet")
    monkeypatch.setenv("TAILRACE_POSTGRES_PASSWORD", "of-the-superuser")
    answer = CliRunner().invoke(app, ["secret", "--into", str(tmp_path)])
    assert answer.exit_code == 0, answer.output
    real = [service for service in load_services() if not service.stands_in]
    fleet = Settings(postgres="postgresql://postgres:x@postgres:5432/postgres", secret="of-the-whole-fleet")
    for service in real:
        path = tmp_path / f"{service.name}.env"
        given = dict(line.split("=", 1) for line in path.read_text().splitlines())
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert given["TAILRACE_SECRET"] == fleet.own_secret(service.name)
        assert given.get("TAILRACE_DATABASE_URL") == (fleet.database(service.name) if service.metadata else None)
        assert ("TAILRACE_OPERATOR_PASSWORD" in given) == service.issues_tokens
        assert ("TAILRACE_KAFKA_CLIENT_KEY" in given) == service.issues_tokens
        assert given["TAILRACE_KAFKA_PASSWORD"] == fleet.kafka_user_password(service.name)
        assert not {"of-the-whole-fleet", "of-the-superuser"} & set(given.values())


def test_a_service_that_logs_in_with_tokens_is_given_what_identity_takes_from_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TAILRACE_SECRET", "of-the-whole-fleet")
    url = "http://identity:8080/internal/kafka/token"
    monkeypatch.setenv("TAILRACE_KAFKA", f"sasl_ssl://kafka:9095?mechanism=OAUTHBEARER&token_url={url}")
    given = {
        name: json.loads(CliRunner().invoke(app, ["secret", name]).output)["stringData"]
        for name in ("orders", "identity")
    }
    identity = Settings(secret=given["identity"]["secret"], kafka_client_key=given["identity"]["kafka-client-key"])
    assert given["orders"]["kafka-password"] == identity.kafka_client_secret("orders")
    assert (given["orders"]["kafka-token-url"], "kafka-client-key" in given["orders"]) == (url, False)
    # Each process puts itself in; the operator, who comes before identity, may have an address of its own.
    orders = Settings(kafka_password=given["orders"]["kafka-password"]).as_kafka_user("orders")
    assert f"sasl_ssl://orders:{given['orders']['kafka-password']}@kafka:9095" in orders.kafka
    monkeypatch.setenv("TAILRACE_KAFKA_OPERATOR", "sasl_ssl://kafka:9093")
    own = Settings()
    assert (
        own.as_kafka_user("operator").kafka == f"sasl_ssl://operator:{own.kafka_user_password('operator')}@kafka:9093"
    )
    assert own.kafka_client_secret("orders") in own.as_kafka_user("orders").kafka


def test_compose_restarts_every_part_and_hands_the_administrators_to_nobody_but_who_prepares_and_mends() -> None:
    parts: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    common: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose/service.yml").read_text())["services"]
    watched: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose/monitoring.yml").read_text())["services"]
    built: dict[str, Any] = yaml.safe_load(compose(load_services())[COMPOSE / "services.yml"])["services"]
    everything = {
        **watched,
        **{
            name: common[p["extends"]["service"]] | p if "extends" in p else p for name, p in {**built, **parts}.items()
        },
    }
    assert {name: p["restart"] for name, p in everything.items() if not p["restart"]} == {}
    assert {p["restart"] for p in everything.values()} == {"unless-stopped", "on-failure"}
    administrators = {name for name, p in everything.items() if "TAILRACE_POSTGRES" in p.get("environment", {})}
    assert administrators == {name for name in built if name.endswith("-prepare")} | {"capture-watch"}
    for service in (each for each in load_services() if not each.stands_in):
        assert built[service.name]["env_file"] == [f"secrets/{service.name}.env"]


def test_prometheus_asks_every_service_and_the_watch() -> None:
    asked = yaml.safe_load(compose(load_services())[COMPOSE / "prometheus.yml"])["scrape_configs"]
    jobs = {each["job_name"]: each["static_configs"][0]["targets"] for each in asked}
    assert jobs.keys() == {each.name for each in load_services() if not each.stands_in} | {"capture-watch"}
    assert all(targets == [f"{name}:9464"] for name, targets in jobs.items())


def test_dashboards_have_a_source_and_titles_of_their_own() -> None:
    boards = [json.loads(path.read_text()) for path in (ROOT / HELM / "tailrace-watch/files/dashboards").glob("*.json")]
    assert len({board["uid"] for board in boards}) == len(boards) >= 3
    for board in boards:
        titles = [panel["title"] for panel in board["panels"]]
        assert len(set(titles)) == len(titles) and all(panel["targets"] for panel in board["panels"])
