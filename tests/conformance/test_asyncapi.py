"""The AsyncAPI document says what is so: it resolves, it holds every event and every listener, and its schemas accept every sample."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema_rs
from described import asyncapi, built
from findings import say_all

from tailrace.codegen.describe import build
from tailrace.codegen.places import BUILT
from tailrace.runtime.fleet import load_services
from tailrace.service import Service

ROOT = Path(__file__).parents[2]


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _references(child)


def _at(reference: str) -> Any:
    if reference.startswith("./"):
        return json.loads(built()[Path(reference.removeprefix("./"))])
    assert reference.startswith("#/"), f"{reference} leaves the document and what lies beside it"
    node: Any = asyncapi()
    for part in reference.removeprefix("#/").split("/"):
        node = node[unquote(part).replace("~1", "/").replace("~0", "~")]
    return node


def _leads(reference: str) -> bool:
    try:
        return bool(_at(reference))
    except (AssertionError, KeyError):
        return False


def _validator(message: str) -> Any:
    return jsonschema_rs.validator_for(_at(asyncapi()["components"]["messages"][message]["payload"]["$ref"]))


def _names(operation: dict[str, Any]) -> set[str]:
    return {reference["$ref"].rpartition("/")[2] for reference in operation["messages"]}


def test_every_reference_leads_somewhere() -> None:
    references = list(_references(asyncapi()))
    assert len(references) > 100
    say_all([f"{each} leads nowhere" for each in references if not _leads(each)])


def test_operations_choose_from_the_messages_of_their_channel() -> None:
    for name, operation in asyncapi()["operations"].items():
        channel = operation["channel"]["$ref"]
        assert operation["messages"], name
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{channel}/messages/"), name
            assert _at(message["$ref"])["$ref"].startswith("#/components/messages/")


def test_every_published_event_is_a_message_that_its_service_sends(service: Service) -> None:
    published = {f"{event.type}.v{event.version}" for event in service.publishes}
    assert asyncapi()["channels"][service.topic]["address"] == service.topic
    assert _names(asyncapi()["operations"][f"{service.name}.sends.{service.topic}"]) == published
    letters = asyncapi()["operations"][f"{service.name}.sends.{service.name}.dlq"]
    assert _names(letters) == {"tailrace.dead_lettered.v1"}


def test_every_listener_receives_what_it_handles_in_the_group_of_its_service(service: Service) -> None:
    for subscriber in service.subscribers:
        heard = set()
        for topic in subscriber.topics:
            operation = asyncapi()["operations"][f"{subscriber.name}.receives.{topic}"]
            assert operation["action"] == "receive"
            assert operation["channel"] == {"$ref": f"#/channels/{topic}"}
            assert operation["bindings"]["kafka"]["groupId"]["enum"] == [service.name]
            heard |= _names(operation)
        assert {f"{event.type}.v{event.version}" for event in subscriber.events} <= heard


def test_nobody_receives_what_nobody_sends() -> None:
    operations = asyncapi()["operations"].values()
    sent = set().union(*(_names(o) for o in operations if o["action"] == "send"))
    received = set().union(*(_names(o) for o in operations if o["action"] == "receive"))
    awaited = {event.type for service in load_services() for event in service.awaits}
    assert {name.rpartition(".v")[0] for name in received} - awaited <= {name.rpartition(".v")[0] for name in sent}
    assert not awaited & {name.rpartition(".v")[0] for name in sent}


def test_every_sample_is_a_payload_of_its_message() -> None:
    found, sampled = [], set()
    for path in sorted((ROOT / "contracts/samples").glob("*/v*-*.json")):
        name = f"{path.parent.name}.{path.name.partition('-')[0]}"
        validator = _validator(name)
        if not validator.is_valid(json.loads(path.read_text())):
            found.append(f"{path} is no {name}")
        if validator.is_valid(["not an object"]):
            found.append(f"the schema of {name} accepts what is no object")
        sampled.add(name)
    without = asyncapi()["components"]["messages"].keys() - sampled - {"tailrace.dead_lettered.v1"}
    say_all([*found, *(f"{name} has no sample: run `tailrace describe`" for name in sorted(without))])


def test_the_headers_are_those_of_the_wire(service: Service) -> None:
    for event in service.publishes:
        headers = asyncapi()["components"]["messages"][f"{event.type}.v{event.version}"]["headers"]
        (_, marks) = headers["allOf"]
        assert marks["properties"] == {
            "ce_type": {"const": event.type},
            "ce_dataschema": {"const": event.schema_uri()},
        }


def test_the_same_manifests_give_the_same_document(services: list[Service]) -> None:
    path = BUILT / "asyncapi.yaml"
    assert build(list(reversed(services)), ROOT)[path] == build(services, ROOT)[path]
