"""Every route: nobody in without a token, nothing slipped in with a body, problems for what is unknown, pages for lists."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tailrace.ids import uuid7
from tailrace.service import Service
from tailrace_testing import Harness, MakeHarness

_METHODS = ("get", "put", "post", "patch", "delete")


@pytest.fixture
async def harness(service: Service, make_harness: MakeHarness) -> Harness:
    return await make_harness(service)


async def test_anonymous_callers_get_401(service: Service, harness: Harness) -> None:
    public = [exposed.prefix for exposed in service.exposes if exposed.public]
    tried = 0
    for path, method, _ in _operations(harness):
        if any(path == prefix or path.startswith(prefix + "/") for prefix in public):
            continue
        answer = await harness.anonymous().request(method, _filled(path), headers={"Idempotency-Key": "k"})
        assert answer.status_code == 401, f"{method} {path}"
        assert answer.headers["content-type"] == "application/problem+json"
        tried += 1
    assert tried


async def test_a_token_without_scopes_gets_403(service: Service, harness: Harness) -> None:
    nobody = harness.client_as(scopes="")
    public = [exposed.prefix for exposed in service.exposes if exposed.public]
    for path, method, operation in _operations(harness):
        if any(path == prefix or path.startswith(prefix + "/") for prefix in public) or "own" in operation.get(
            "x-policy", ""
        ):
            continue
        answer = await nobody.request(method, _filled(path), headers={"Idempotency-Key": str(uuid7())}, json={})
        assert answer.status_code in {403, 422}, f"{method} {path}: {answer.status_code}"


async def test_bodies_take_no_unknown_field(harness: Harness) -> None:
    document = harness.app.openapi()
    for path, method, operation in _operations(harness):
        content = operation.get("requestBody", {}).get("content", {})
        for media in content.values():
            for name, schema in _objects(document, media["schema"]):
                assert schema.get("additionalProperties") is False, f"{method} {path}: {name} takes any field"


async def test_unknown_ids_get_a_problem(harness: Harness) -> None:
    for path, method, _ in _operations(harness):
        if method == "get" and re.search(r"\{\w*id\}$", path):
            answer = await harness.client.get(_filled(path))
            assert answer.status_code == 404, path
            assert answer.json()["type"].startswith("urn:tailrace:problem:")


async def test_lists_page_by_cursor(harness: Harness) -> None:
    for path, method, operation in _operations(harness):
        schema = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
        if method == "get" and "Page_" in schema.get("$ref", ""):
            parameters = {parameter["name"] for parameter in operation["parameters"]}
            assert {"limit", "cursor", "sort"} <= parameters, path
            assert (await harness.client.get(_filled(path), params={"limit": 1})).json()["next_cursor"] is None
        assert schema.get("type") != "array" or method != "get", f"{path} answers with a bare array"


async def test_live_and_ready_differ(harness: Harness) -> None:
    assert (await harness.anonymous().get("/health/live")).status_code == 200
    assert (await harness.anonymous().get("/health/ready")).status_code == 200
    async with harness.database_down():
        assert (await harness.anonymous().get("/health/live")).status_code == 200
        assert (await harness.anonymous().get("/health/ready")).status_code == 503


def _operations(harness: Harness) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in harness.app.openapi()["paths"].items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def _filled(path: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda _: str(uuid7()), path)


def _objects(document: dict[str, Any], schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        target = document["components"]["schemas"][name]
        yield name, target
        for inner in target.get("properties", {}).values():
            yield from _objects(document, inner)
    for inner in [*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())]:
        yield from _objects(document, inner)
