"""The merged document, the pages that show it, and health."""

import base64
import copy
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import jsonschema_rs
import pytest
from fastapi import FastAPI, Query
from gateway_stand import MakeStand, Stand, bearer
from pydantic import create_model

from contracts.registry import events_by_type
from gateway.pages import merged as served
from gateway.table import load_table
from tailrace.codegen.openapi import shared
from tailrace.core.operator_error import OperatorError
from tailrace.http.openapi import HEADERS
from tailrace.http.protocol.problem_details import ProblemView
from tailrace.runtime.openapi_merge import PROBLEMS, merge_openapi, problem_types
from tailrace.runtime.openapi_screens import PREFIX

ROOT = Path(__file__).parents[3]


def _service(name: str, extra: type[Any]) -> dict[str, Any]:
    line: Any = create_model(f"{name.title()}Line", value=(extra, ...))
    view = create_model(
        f"{name.title()}View",
        __doc__="One thing.",
        id=(int, ...),
        lines=(list[line], ...),
        components=(dict[str, line], {}),
    )
    app = FastAPI(title=name, responses={404: {"model": ProblemView}})
    app.add_api_route(f"/v1/{name}", _listed(name), methods=["GET"], response_model=view, name=f"list_{name}")
    app.add_api_route(f"/v1/{name}", lambda body: None, methods=["POST"], tags=["odd"], name=f"make_{name}")
    return app.openapi()


def _listed(name: str) -> Callable[..., None]:
    """An operation with a parameter that is the same everywhere, and one that is not."""

    def operation(
        limit: Annotated[int, Query(description="How many.")] = 5,
        sort: Annotated[str, Query(description=f"By what of {name}.")] = "id",
    ) -> None:
        return None

    return operation


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for child in node.values():
            yield from _references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references(child)


def _resolve(document: dict[str, Any], reference: str) -> Any:
    node: Any = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def test_documents_merge_without_mixing_up_components() -> None:
    documents = {"orders": _service("orders", int), "catalog": _service("catalog", str)}
    before = copy.deepcopy(documents)
    merged = merge_openapi(documents)
    assert documents == before
    assert merged == merge_openapi(dict(reversed(documents.items())))
    assert list(merged["paths"]) == ["/v1/catalog", "/v1/orders"]
    assert {tag["name"] for tag in merged["tags"]} == {"catalog", "orders", "odd"}
    schemas = merged["components"]["schemas"]
    assert schemas["OrdersLine"]["properties"]["value"]["type"] == "integer"
    assert schemas["CatalogView"]["properties"]["lines"]["items"] == {"$ref": "#/components/schemas/CatalogLine"}
    assert "components" in schemas["CatalogView"]["properties"]
    assert "ProblemView" in schemas
    assert "| 412 | `stale` |" in merged["info"]["description"]
    references = list(_references(merged))
    assert len(references) > 6
    for reference in references:
        assert _resolve(merged, reference)


def test_what_services_mean_alike_has_one_name_and_the_rest_their_own() -> None:
    """A parameter's name is no class of a client: it may be declared twice, if it is called by its service then."""
    documents = {name: shared(_twice(_service(name, int))) for name in ("orders", "catalog")}
    parameters = merge_openapi(documents)["components"]["parameters"]
    assert parameters.keys() == {"body", "limit", "catalog.sort", "orders.sort"}
    assert parameters["orders.sort"]["description"] == "By what of orders."


def test_the_edge_says_what_it_refuses_and_adds() -> None:
    merged = merge_openapi({"orders": _service("orders", int)})
    answers = merged["paths"]["/v1/orders"]["get"]["responses"]
    assert list(answers) == ["200", "404", "408", "413", "414", "422", "429", "431", "502", "503", "504"]
    said = {"RateLimit", "RateLimit-Policy"}
    assert answers["200"]["headers"].keys() == said
    assert _resolve(merged, answers["429"]["$ref"])["headers"].keys() == {*said, "Retry-After", "X-Request-Id"}
    assert [each["url"] for each in merged["servers"]] == ["/"]


def _twice(document: dict[str, Any]) -> dict[str, Any]:
    """With an operation more, so that what both have is shared."""
    (path, item), *_ = document["paths"].items()
    again = copy.deepcopy(item)
    for method, operation in again.items():
        operation["operationId"] = f"{method}_again_{path}"
    document["paths"][f"{path}/again"] = again
    return document


def test_what_operations_share_is_said_once_and_means_the_same() -> None:
    document = _service("orders", int)
    answers = document["paths"]["/v1/orders"]
    small = shared(document)
    merged = merge_openapi({"orders": small})
    assert answers["get"]["responses"]["404"] == answers["post"]["responses"]["404"]
    reference = {"$ref": "#/components/responses/Problem404"}
    assert small["paths"]["/v1/orders"]["get"]["responses"]["404"] == reference
    assert small["components"]["responses"]["Problem404"] == answers["get"]["responses"]["404"]
    assert small["paths"]["/v1/orders"]["get"]["responses"]["200"] == answers["get"]["responses"]["200"]
    for found in _references(merged):
        assert _resolve(merged, found)


def test_refusals_of_a_service_are_listed_with_those_of_the_kit() -> None:
    own = {"type": "urn:tailrace:problem:odd", "title": "Odd", "status": 409, "description": "Odd."}
    listed = merge_openapi({"orders": {**_service("orders", int), PROBLEMS: [own]}})[PROBLEMS]
    assert own in listed
    assert len({(kind["status"], kind["type"]) for kind in listed}) == len(listed) > 5


def test_services_that_contradict_each_other_do_not_merge() -> None:
    document = _service("orders", int)
    with pytest.raises(OperatorError, match=r"declared twice|both called"):
        merge_openapi({"a": document, "b": copy.deepcopy(document)})
    other = _service("catalog", int)
    other["components"]["schemas"]["OrdersLine"] = {"type": "string"}
    other["components"]["schemas"]["OrdersView"] = {"type": "string"}
    # All of them, and of whom: they are mended in one go.
    said = "OrdersLine of orders is not OrdersLine of catalog; OrdersView of orders is not OrdersView of catalog"
    with pytest.raises(OperatorError, match=said) as refused:
        merge_openapi({"catalog": other, "orders": document})
    assert "something else" in refused.value.remedy


def test_every_refusal_is_listed_once_with_its_meaning() -> None:
    listed = problem_types()
    assert len({(kind["status"], kind["type"]) for kind in listed}) == len(listed)
    by_type = {kind["type"]: kind for kind in listed}
    assert by_type["urn:tailrace:problem:too-many-requests"]["status"] == 429
    assert by_type["urn:tailrace:problem:stale"]["description"].startswith("`If-Match`")


async def test_what_is_too_large_is_refused_as_declared_whatever_is_asked(stand: Stand) -> None:
    """A body where none is taken, a path and headers beyond what a head may be: of every operation, a read too."""
    declared = merge_openapi({"orders": _service("orders", int)})["paths"]["/v1/orders"]
    long = "x" * 300_000
    asked: list[tuple[str, dict[str, str], bytes | None, int]] = [
        ("/v1/orders", {}, b"x" * 1001, 413),
        (f"/v1/orders?after={long}", {}, None, 414),
        ("/v1/orders", {"X-Long": long}, None, 431),
    ]
    for method in ("GET", "POST", "DELETE"):
        for path, headers, body, status in asked:
            headers = {**bearer(), **headers}
            async with stand.client.request(method, path, headers=headers, data=body) as answer:
                assert (answer.status, answer.content_type) == (status, "application/problem+json"), (method, path[:20])
            for operation in declared.values():
                assert str(status) in operation["responses"]
    assert not stand.orders.seen


async def test_the_document_and_the_pages_are_served(make_stand: MakeStand, tmp_path: Path) -> None:
    document = shared(_service("orders", int))
    (tmp_path / "promised/openapi").mkdir(parents=True)
    (tmp_path / "promised/openapi/orders.json").write_text(json.dumps(document))
    stand = await make_stand()
    async with stand.client.get("/openapi.json") as answer:
        assert await answer.json() == merge_openapi({"orders": document})
    for page in ("/", "/docs"):
        async with stand.client.get(page) as answer:
            assert answer.status == 200
            assert answer.content_type == "text/html"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            await _check_links(stand, await answer.text())


async def test_no_page_runs_or_loads_what_is_not_the_gateways_own(stand: Stand) -> None:
    """The one hash is of nothing: a style element without a text."""
    nothing = base64.b64encode(hashlib.sha256(b"").digest()).decode()
    own = ["'self'"]
    for page in ("/", "/docs", "/docs/redoc-3.0.1.js", "/openapi.json"):
        async with stand.client.get(page) as answer:
            policy = {
                name: rest for name, *rest in map(str.split, answer.headers["Content-Security-Policy"].split(";"))
            }
            text = await answer.text()
        assert policy["default-src"] == ["'none'"]
        assert (policy["script-src"], policy["connect-src"], policy["img-src"]) == (own, own, own)
        assert policy["style-src"] == [*own, f"'sha256-{nothing}'"]
        if answer.content_type == "text/html":
            assert re.search(r"<style|style=|\son\w+=|<script(?![^>]*\ssrc=)", text) is None


async def test_the_reference_page_is_the_library_as_it_was_published(stand: Stand) -> None:
    folder = files("gateway").joinpath("static", "redoc")
    said = re.search(r"SHA-256 (\w+)", folder.joinpath("ORIGIN").read_text())
    async with stand.client.get("/docs/redoc-3.0.1.js") as answer:
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert said is not None and hashlib.sha256(await answer.read()).hexdigest() == said[1]
    assert "Redocly" in folder.joinpath("LICENSE").read_text()
    async with stand.client.get("/docs") as answer:
        assert 'disable-telemetry="true"' in await answer.text()


async def _check_links(stand: Stand, html: str) -> None:
    links = re.findall(r'(?:href|src)="([^"#]+)', html)
    assert links
    for link in links:
        assert link.startswith("/"), f"{link} needs another host"
        async with stand.client.get(link) as answer:
            assert answer.status == 200


def test_what_every_service_promised_is_served_when_nothing_else_is_named() -> None:
    document = json.loads(served())
    assert document["openapi"] == "3.1.0"
    assert {"/v1/orders", "/v1/auth/login"} <= document["paths"].keys()
    for reference in _references(document):
        assert _resolve(document, reference)
    table = load_table()
    for path in document["paths"]:
        is_our_own = path == PREFIX or path.startswith(f"{PREFIX}/")
        assert is_our_own != (table.match(path.split("/")[1:]) is not None), path


async def test_another_method_on_a_page_is_a_405_problem(stand: Stand) -> None:
    async with stand.client.post("/docs") as answer:
        assert answer.status == 405
        assert answer.content_type == "application/problem+json"


async def test_a_page_is_shown_whatever_others_added_to_its_link(stand: Stand) -> None:
    for path in ("/", "/docs", "/docs/style.css", "/docs/redoc-3.0.1.js", "/docs/icon.svg"):
        async with stand.client.get(path) as answer:
            plain = await answer.read()
        for query in ("utm_source=mail&utm_source=x&fbclid=1", "a=%ff", "="):
            async with stand.client.get(f"{path}?{query}") as answer:
                assert (answer.status, await answer.read()) == (200, plain), (path, query)
            async with stand.client.head(f"{path}?{query}") as answer:
                assert answer.status == 200, (path, query)


async def test_what_is_the_gateways_own_takes_no_parameters(make_stand: MakeStand) -> None:
    """A mistyped one is not passed over in silence, as at any service; pages are for people."""
    stand = await make_stand(metrics_from=["127.0.0.0/8"])
    for path in ("/openapi.json", "/v1/contracts", "/health/live", "/health/ready", "/metrics"):
        async with stand.client.get(path) as answer:
            assert answer.status == 200, path
        async with stand.client.get(f"{path}?format=yaml&format=json&v=2") as answer:
            said = await answer.json(content_type=None)
            assert (answer.status, answer.content_type) == (400, "application/problem+json"), path
        assert (said["type"], said["detail"]) == ("urn:tailrace:problem:unknown-parameter", "This takes none."), path
        assert [each["field"] for each in said["errors"]] == ["format", "v"], path
        async with stand.client.head(f"{path}?v=2") as answer:
            assert answer.status == 400, path


async def test_who_may_not_see_a_path_is_not_told_that_it_takes_no_parameters(make_stand: MakeStand) -> None:
    stand = await make_stand(metrics_from=[])
    for path in ("/metrics", "/metrics?v=2"):
        async with stand.client.get(path) as answer:
            assert answer.status == 404


async def test_live_and_ready_differ(make_stand: MakeStand) -> None:
    stand = await make_stand()
    for path in ("/health/live", "/health/ready"):
        async with stand.client.get(path) as answer:
            assert answer.status == 200


async def test_without_keys_it_is_live_and_not_ready(make_stand: MakeStand) -> None:
    stand = await make_stand(jwks_url="http://127.0.0.1:1/jwks.json")
    async with stand.client.get("/health/live") as answer:
        assert answer.status == 200
    async with stand.client.get("/health/ready") as answer:
        assert answer.status == 503
    async with stand.client.get("/v1/orders", headers={"Authorization": "Bearer x"}) as answer:
        assert answer.status in (401, 503)


async def test_other_origins_may_call_only_when_they_are_named(make_stand: MakeStand) -> None:
    preflight = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    async with (await make_stand()).client.options("/v1/orders", headers=preflight) as answer:
        assert "Access-Control-Allow-Origin" not in answer.headers
    stand = await make_stand(cors_origins=["https://shop.example"])
    async with stand.client.options("/v1/orders", headers=preflight) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    # A browser asks first about every method, since a token goes along.
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        asked = {
            **preflight,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization",
        }
        async with stand.client.options("/v1/orders", headers=asked) as answer:
            assert answer.status == 200, method
    async with stand.client.get("/v1/orders", headers={"Origin": "https://shop.example"}) as answer:
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (401, "https://shop.example")
        # What answers are promised to say, a page of another origin may read; these are for people who write the page.
        told = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
        assert told == HEADERS.keys() - {"Accept", "Accept-Encoding", "Allow", "WWW-Authenticate"}


async def test_the_contracts_are_one_document_that_is_sent_once(make_stand: MakeStand) -> None:
    stand = await make_stand()
    async with stand.client.get("/v1/contracts") as answer:
        assert (answer.status, answer.content_type) == (200, "application/json")
        told, tag = await answer.json(), answer.headers["ETag"]
    assert told["version"] == version("tailrace-contracts")
    assert told["schemas"].keys() >= {f"{event.type}.v{event.version}" for event in events_by_type().values()}
    ours = ROOT / "contracts"
    assert told["schemas"] == {path.stem: json.loads(path.read_text()) for path in (ours / "schemas").glob("*.json")}
    assert sum(map(len, told["samples"].values())) == len(list((ours / "samples").glob("*/*.json")))
    for type, samples in told["samples"].items():
        for name, sample in samples.items():
            schema = told["schemas"][f"{type}.{name.partition('-')[0]}"]
            assert jsonschema_rs.validator_for(schema).is_valid(sample), (type, name)
    async with stand.client.get("/v1/contracts", headers={"If-None-Match": tag}) as again:
        assert (again.status, await again.read()) == (304, b"")
