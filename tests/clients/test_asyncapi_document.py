"""The AsyncAPI document is one by the schema that the AsyncAPI initiative publishes for its version."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from described import asyncapi

SCHEMAS = Path(__file__).parents[2] / ".venv/clients/node_modules/@asyncapi/specs/schemas"

pytestmark = pytest.mark.skipif(
    not SCHEMAS.exists(), reason="`make clients` has not been run, or npm could not install"
)


@pytest.fixture(scope="module")
def schema() -> Any:
    # Without ids: everything that it refers to is inside it, and nothing is fetched.
    text = (SCHEMAS / f"{asyncapi()['asyncapi']}-without-$id.json").read_text()
    return jsonschema_rs.Draft7Validator(json.loads(text))


def test_it_is_valid(schema: Any) -> None:
    assert asyncapi()["asyncapi"] == "3.1.0"
    assert [f"{list(each.instance_path)}: {each.message}" for each in schema.iter_errors(asyncapi())] == []


@pytest.mark.parametrize("place", ["servers", "channels", "operations"])
def test_a_mistake_in_it_is_found(schema: Any, place: str) -> None:
    document = json.loads(json.dumps(asyncapi()))
    next(iter(document[place].values()))["nonsense"] = 1
    assert not schema.is_valid(document)


def test_who_reads_logs_in_everywhere_and_by_tls_from_elsewhere() -> None:
    schemes = asyncapi()["components"]["securitySchemes"]
    by_protocol = {
        server["protocol"]: {schemes[each["$ref"].rpartition("/")[2]]["type"] for each in server["security"]}
        for server in asyncapi()["servers"].values()
    }
    assert by_protocol == {"kafka": {"scramSha512"}, "kafka-secure": {"scramSha512", "X509"}}
