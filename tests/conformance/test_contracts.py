"""Every fact: a schema, samples that still parse, a publisher for each listener, and a meaning that nobody keeps to himself."""

import json
from pathlib import Path

import jsonschema_rs
import pytest

from tailrace.compatibility import breaking
from tailrace.describe import describe, drift
from tailrace.personal import personal_fields
from tailrace.service import Service

ROOT = Path(__file__).parents[2]


def test_nothing_generated_has_drifted(services: list[Service]) -> None:
    files = describe(services, ROOT)
    assert breaking(files, ROOT) == []
    assert drift(files, ROOT) == [], "run `tailrace describe` and commit what it writes"


def test_every_fact_has_a_schema_and_samples_that_still_parse(service: Service) -> None:
    for event in service.publishes:
        schema = json.loads((ROOT / f"contracts/schemas/{event.type}.v{event.version}.json").read_text())
        validator = jsonschema_rs.validator_for(schema)
        samples = sorted((ROOT / f"contracts/samples/{event.type}").glob("v*-*.json"))
        assert samples, event.type
        for path in samples:
            version = int(path.name.removeprefix("v").partition("-")[0])
            fact = event.read(version, json.loads(path.read_text()))
            validator.validate(fact.model_dump(mode="json"))


def test_every_listener_has_a_publisher_and_knows_its_facts(service: Service, services: list[Service]) -> None:
    published = {event for other in services for event in other.publishes}
    for subscriber in service.subscribers:
        assert set(subscriber.events) <= published, subscriber.name


def test_no_two_services_publish_to_one_topic(services: list[Service]) -> None:
    topics = [s.topic for s in services if s.topic is not None]
    assert len(topics) == len(set(topics))


@pytest.mark.parametrize("name", ["email", "customer_name", "signed_by"])
def test_fields_that_name_a_person_are_marked(name: str, services: list[Service]) -> None:
    for service in services:
        for event in service.publishes:
            if name in event.model_fields:
                assert name in personal_fields(event), f"{event.type}.{name}"
