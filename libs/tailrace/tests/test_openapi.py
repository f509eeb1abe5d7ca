"""The document of the toy service says what stands before and around its endpoints."""

import json
from typing import Any

from tailrace.core.values.fields import Moment
from tailrace.core.values.money import Quantity
from tailrace.http.routing import View
from tailrace_testing import Harness

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemView"}}}


def _operation(toy: Harness, method: str, path: str) -> dict[str, Any]:
    operation: dict[str, Any] = toy.app.openapi()["paths"][path][method]
    return operation


async def test_every_refusal_that_can_come_is_declared(toy: Harness) -> None:
    """A read has no key and no body; a write that takes a version may find another."""
    read, write = _operation(toy, "get", "/v1/notes/{note_id}"), _operation(toy, "post", "/v1/notes/{note_id}/close")
    common = {"400", "401", "403", "404", "405", "422", "500", "503"}
    assert read["responses"].keys() == common | {"200", "304"}
    assert write["responses"].keys() == common | {"200", "409", "412"}
    assert _operation(toy, "post", "/v1/notes")["responses"].keys() == common | {"201", "409", "413", "415"}
    refused = [answer for status, answer in write["responses"].items() if status >= "400"]
    assert [answer["content"] for answer in refused] == [PROBLEM] * len(refused)
    assert "HTTPValidationError" not in json.dumps(toy.app.openapi())


async def test_an_operation_names_its_scopes(toy: Harness) -> None:
    assert _operation(toy, "get", "/v1/notes")["security"] == [{"token": ["notes:read"]}]
    assert _operation(toy, "post", "/v1/notes")["security"] == [{"token": ["notes:write"]}]
    assert toy.app.openapi()["components"]["securitySchemes"]["token"]["scheme"] == "bearer"


async def test_headers_are_declared_where_they_come(toy: Harness) -> None:
    created = _operation(toy, "post", "/v1/notes")["responses"]["201"]
    assert created["headers"].keys() == {"ETag", "Idempotency-Replayed", "Location", "Tailrace-Event", "X-Request-Id"}
    answer = await toy.client.post("/v1/notes", json={"text": "x"})
    assert {"etag", "location", "tailrace-event", "x-request-id"} <= answer.headers.keys()
    read = _operation(toy, "get", "/v1/notes/{note_id}")
    assert read["responses"]["200"]["headers"].keys() == {"ETag", "X-Request-Id"}
    assert read["responses"]["401"]["headers"].keys() == {"WWW-Authenticate", "X-Request-Id"}
    refused = await toy.client.post("/v1/notes", content=b"x", headers={"Content-Type": "text/plain"})
    assert (refused.status_code, refused.headers["accept"]) == (415, "application/json")
    takes = _operation(toy, "post", "/v1/notes")["responses"]["415"]
    assert takes["headers"].keys() == {"Accept", "Accept-Encoding", "X-Request-Id"}
    assert "If-None-Match" in {parameter["name"] for parameter in read["parameters"]}


async def test_no_query_parameter_may_be_null(toy: Harness) -> None:
    for parameter in _operation(toy, "get", "/v1/notes")["parameters"]:
        assert "anyOf" not in parameter["schema"], parameter
    [sort] = [each for each in _operation(toy, "get", "/v1/notes")["parameters"] if each["name"] == "sort"]
    assert {"id", "-id", "text", "-text"} <= set(sort["schema"]["enum"])


class _Weighed(View):
    plain: Quantity
    own: Quantity
    """As the scale shows it."""
    maybe: Moment | None


def test_what_a_type_means_is_said_where_the_field_says_nothing() -> None:
    properties = _Weighed.model_json_schema()["properties"]
    assert properties["plain"]["description"] == "In the unit named beside it, else the item's base unit."
    assert properties["own"]["description"] == "As the scale shows it."
    assert "With its offset from UTC" in properties["maybe"]["anyOf"][0]["description"]


def test_a_decimals_schema_says_how_it_is_written() -> None:
    number, text = _Weighed.model_json_schema()["properties"]["plain"]["anyOf"]
    assert number == {"type": "number", "exclusiveMinimum": 0}
    assert text == {"type": "string", "format": "decimal", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,6})?$"}
