"""GraphQL over HTTP: what a document asks of the services, what is refused before any of them is asked, and what a client is told."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode
from uuid import uuid4

import pytest
from fastapi import Request, Response
from gateway_stand import MakeStand, Stand, bearer
from toy_documents import ITEMS, ORDERS, SCREENS, TOY, write_documents

ORDER, ITEM = str(uuid4()), str(uuid4())
MISSING = '{"type":"urn:tailrace:problem:unknown","title":"No such thing","status":404,"detail":"There is none."}'


def _order(id: str = ORDER, **more: Any) -> dict[str, Any]:
    return {"id": id, "version": 3, "status": "draft", "item_id": ITEM, **more}


def _whole(**more: Any) -> dict[str, Any]:
    return _order(lines=[{"item_id": ITEM, "quantity": "2"}, {"item_id": str(uuid4()), "quantity": "1"}], **more)


def _orders(request: Request) -> dict[str, Any]:
    some = [_order(str(uuid4()), item_id=str(uuid4())) for _ in range(int(request.query_params.get("limit", 50)))]
    return {"items": [_order(id) for id in request.query_params.getlist("id")] or some, "next_cursor": "more"}


def _items(request: Request) -> dict[str, Any]:
    return {"items": [{"id": id, "name": f"Item {id[:4]}"} for id in request.query_params.getlist("id")]}


@pytest.fixture
async def stand(make_stand: MakeStand, tmp_path: Path) -> Stand:
    return await _stand(make_stand, tmp_path)


async def _stand(make_stand: MakeStand, tmp_path: Path, **settings: Any) -> Stand:
    write_documents(tmp_path / "promised")
    stand = await make_stand(offer=TOY, screens=SCREENS, **settings)
    stand.orders.says |= {ORDERS: _orders, f"{ORDERS}/{ORDER}": lambda _: _whole()}
    stand.orders.says[f"{ORDERS}/{ORDER}/confirm"] = lambda _: _whole(status="done")
    stand.orders.says[f"{ORDERS}/{ORDER}/history"] = _orders
    stand.catalog.says[ITEMS] = _items
    return stand


async def _ask(
    stand: Stand, query: str | None, status: int = 200, headers: dict[str, str] | None = None, **more: Any
) -> Any:
    body = {"query": query, **more} if query is not None else more
    async with stand.client.post("/graphql", json=body, headers={**bearer(), **(headers or {})}) as answer:
        said = await answer.json(content_type=None)
        assert answer.status == status, said
        return said


def _problem(said: Any) -> dict[str, Any]:
    problem: dict[str, Any] = said["errors"][0]["extensions"]["problem"]
    return problem


async def test_a_document_chooses_of_what_the_services_say(stand: Stand) -> None:
    said = await _ask(
        stand, f'{{order(id: "{ORDER}") {{id status version lines {{quantity item {{name}}}} drafts {{nextCursor}}}}}}'
    )
    order = said["data"]["order"]
    assert "errors" not in said
    assert (order["id"], order["status"], order["version"]) == (ORDER, "draft", 3)
    assert [line["item"]["name"][:4] for line in order["lines"]] == ["Item", "Item"]
    drafts = next(parse_qs(each["query"]) for each in stand.orders.seen if each["path"] == ORDERS)
    assert drafts == {"customer_id": [ORDER], "status": ["draft"], "limit": ["20"]}
    headers = dict(stand.orders.seen[0]["headers"])
    assert headers["authorization"].startswith("Bearer ")


async def test_rows_that_a_page_names_are_asked_for_in_one_request(stand: Stand) -> None:
    """However many rows there are, a document makes the requests that stand in it."""
    for rows, requests in ((5, 1), (100, 1), (200, 2)):
        stand.catalog.seen.clear()
        stand.orders.seen.clear()
        said = await _ask(stand, "query($n: Int) {orders(limit: $n) {items {item {name}}}}", variables={"n": rows})
        assert len(said["data"]["orders"]["items"]) == rows
        assert all(each["item"]["name"] for each in said["data"]["orders"]["items"])
        assert (len(stand.orders.seen), len(stand.catalog.seen)) == (1, requests)


async def test_the_same_read_is_made_once(stand: Stand) -> None:
    said = await _ask(stand, f'{{a: order(id: "{ORDER}") {{id}} b: order(id: "{ORDER.upper()}") {{status}}}}')
    assert said["data"] == {"a": {"id": ORDER}, "b": {"status": "draft"}}
    assert len(stand.orders.seen) == 1


async def test_rows_alone_and_one_row_by_its_id(stand: Stand) -> None:
    said = await _ask(
        stand, f'{{customerOrders(customerId: "{ITEM}", limit: 3) {{status}} orderSummary(id: "{ORDER}") {{id}}}}'
    )
    assert said["data"] == {"customerOrders": [{"status": "draft"}] * 3, "orderSummary": {"id": ORDER}}
    stand.orders.says[ORDERS] = lambda _: {"items": []}
    said = await _ask(stand, f'{{orderSummary(id: "{ORDER}") {{id}}}}')
    assert (said["data"]["orderSummary"], _problem(said)["status"]) == (None, 404)


async def test_what_a_service_refuses_is_null_and_says_why(stand: Stand) -> None:
    stand.orders.says[f"{ORDERS}/{ORDER}"] = lambda _: Response(MISSING, 404, media_type="application/problem+json")
    said = await _ask(
        stand, f'{{order(id: "{ORDER}") {{id}} orders(limit: 1) {{items {{id}}}} other: order(id: "7") {{id}}}}'
    )
    assert (said["data"]["order"], said["data"]["other"], len(said["data"]["orders"]["items"])) == (None, None, 1)
    problems = {each["path"][0]: each["extensions"]["problem"] for each in said["errors"]}
    assert problems["order"] == json.loads(MISSING)
    assert (problems["other"]["status"], problems["other"]["type"]) == (404, "urn:tailrace:problem:unknown")


async def test_an_answer_that_is_not_as_promised_is_not_shown_as_it_were(stand: Stand) -> None:
    stand.orders.says[f"{ORDERS}/{ORDER}"] = lambda _: {"id": ORDER, "status": "unheard-of", "lines": []}
    said = await _ask(stand, f'{{order(id: "{ORDER}") {{id status secret}}}}')
    assert said["data"]["order"] is None
    assert _problem(said)["status"] == 502


async def test_a_list_that_is_none_is_an_error_and_not_waited_for(stand: Stand) -> None:
    wrong: list[Any] = [{"nothing": 1}, {"items": [{"name": "without an id"}]}, []]
    stand.catalog.says[ITEMS] = lambda _: wrong.pop()
    while wrong:
        said = await _ask(stand, "{orders(limit: 1) {items {item {name}}}}")
        assert (said["data"]["orders"]["items"], _problem(said)["status"]) == ([{"item": None}], 500)


async def test_a_write_has_a_key_and_tells_its_events(stand: Stand) -> None:
    write = """mutation($input: CreateOrderInput!) {
      createOrder(idempotencyKey: "k1", input: $input) {id}
      confirmOrder(id: "%s", idempotencyKey: "k2", ifMatch: 3) {status}
    }"""
    stand.orders.says[ORDERS] = lambda _: _whole()
    body = {"query": write % ORDER, "variables": {"input": {"customerName": "Ada", "quantity": "1.50"}}}
    async with stand.client.post("/graphql", json=body, headers={**bearer(), "Tailrace-After": "a/b@1"}) as answer:
        said = await answer.json()
        assert said == {"data": {"createOrder": {"id": ORDER}, "confirmOrder": {"status": "done"}}}
        assert answer.headers["Tailrace-Event"] == "a/b@1, a/b@1"
    made, confirmed = stand.orders.seen
    assert (made["method"], json.loads(made["body"])) == ("POST", {"customer_name": "Ada", "quantity": "1.50"})
    assert dict(made["headers"])["idempotency-key"] == "k1"
    assert {"idempotency-key": "k2", "if-match": '"3"'}.items() <= dict(confirmed["headers"]).items()
    for wrong in ("", "x" * 256, "schlüssel"):
        said = await _ask(stand, f'mutation {{confirmOrder(id: "{ORDER}", idempotencyKey: "{wrong}") {{id}}}}')
        assert (_problem(said)["status"], _problem(said)["errors"][0]["field"]) == (422, "idempotencyKey")
    said = await _ask(stand, f'mutation {{confirmOrder(id: "{ORDER}") {{id}}}}')
    assert "idempotencyKey" in said["errors"][0]["message"]
    assert len(stand.orders.seen) == 2


async def test_a_float_is_no_decimal(stand: Stand) -> None:
    variables = {"input": {"customerName": "Ada", "quantity": 1.1}}
    write = 'mutation($input: CreateOrderInput!) {createOrder(idempotencyKey: "k", input: $input) {id}}'
    said = await _ask(stand, write, variables=variables)
    assert "string" in said["errors"][0]["message"]
    stand.orders.says[ORDERS] = lambda _: _whole()
    await _ask(stand, 'mutation {createOrder(idempotencyKey: "k", input: {customerName: "A", quantity: 1.10}) {id}}')
    assert json.loads(stand.orders.seen[0]["body"])["quantity"] == "1.10"


async def test_a_number_among_own_fields_goes_on_digit_for_digit(stand: Stand) -> None:
    stand.orders.says[ORDERS] = lambda _: _whole()
    exact, write = "12345678901.123456", 'createOrder(idempotencyKey: "k", input: '
    in_variable = f"""{{"query": "mutation($input: CreateOrderInput!) {{{write.replace('"', chr(92) + '"')}$input) {{id}}}}",
      "variables": {{"input": {{"customerName": "A", "customFields": {{"x": {exact}}}}}}}}}"""
    headers = {**bearer(), "Content-Type": "application/json"}
    async with stand.client.post("/graphql", data=in_variable, headers=headers) as answer:
        assert (await answer.json(content_type=None))["data"] == {"createOrder": {"id": ORDER}}
    await _ask(stand, f'mutation {{{write}{{customerName: "A", customFields: {{x: {exact}}}}}) {{id}}}}')
    said = [json.loads(each["body"], parse_float=str)["custom_fields"] for each in stand.orders.seen]
    assert said == [{"x": exact}] * 2


async def test_what_is_refused_is_told_in_few_words(stand: Stand) -> None:
    long = "x" * 2_500
    asked = [
        "{" + " ".join(f"{long}{at}" for at in range(20)) + "}",
        f"query({' '.join(f'$v{at}: {long}{at}' for at in range(20))}) {{orders {{items {{id}}}}}}",
        f'{{order(id: "{long * 20}") {{id}}}}',
        f'{{orderSummary(id: "{"{" * 50_000 + str(uuid4())}") {{id}}}}',
        f'"{long * 20}"',
    ]
    stand.orders.says[ORDERS] = lambda _: {"items": []}
    for query in asked:
        said = await _ask(stand, query)
        assert said["errors"], said
        assert len(json.dumps(said, ensure_ascii=False)) < 20_000, query[:50]
        assert max(len(each["message"]) for each in said["errors"]) <= 300


BOMBS = {
    "depth": "{" * 400 + "}" * 400,
    "levels": "{order(id: 1) {drafts {items {item " + "{item " * 20 + "{id}" + "}" * 20 + "}}}}",
    "aliases": "{" + " ".join(f"a{n}: orders {{nextCursor}}" for n in range(40)) + "}",
    "repeated": "{" + "orders {nextCursor} " * 40 + "}",
    "tokens": "{orders {items {" + "id " * 1200 + "}}}",
    "cost": "{" + " ".join(f"a{n}: orders(limit: 200) {{items {{id version status itemId}}}}" for n in range(28)) + "}",
    "requests": "{" + " ".join(f"a{n}: orders(limit: 200) {{items {{item {{id}}}}}}" for n in range(20)) + "}",
    "fragments": "{...f0} "
    + " ".join(f"fragment f{n} on Query {{...f{n + 1} ...f{n + 1}}}" for n in range(30))
    + " fragment f30 on Query {orders {nextCursor}}",
    "introspection": "{__schema {types {fields {type {fields {type {fields {type {fields {name}}}}}}}}}}",
}


@pytest.mark.parametrize("bomb", BOMBS)
async def test_a_bomb_is_refused_before_anybody_is_asked(stand: Stand, bomb: str) -> None:
    said = await _ask(stand, BOMBS[bomb])
    assert "data" not in said
    assert _problem(said)["status"] in (400, 422)
    assert not stand.orders.seen


async def test_what_is_within_the_limits_is_answered(stand: Stand) -> None:
    fields = " ".join(f"a{n}: orders(limit: {n + 1}) {{items {{id item {{name}}}} nextCursor}}" for n in range(19))
    said = await _ask(stand, "{" + fields + "}")
    assert len(said["data"]) == 19
    assert len(stand.catalog.seen) <= 19


async def test_an_operation_costs_what_it_may_ask(make_stand: MakeStand, tmp_path: Path) -> None:
    stand = await _stand(make_stand, tmp_path, tenant_rate=0.001, tenant_burst=5)
    headers = bearer()
    query = {"query": "{orders(limit: 200) {items {item {id}}}}"}
    for left, status in ((2, 200), (None, 429)):
        async with stand.client.post("/graphql", json=query, headers=headers) as answer:
            assert answer.status == status
            assert left is None or answer.headers["RateLimit"].split(";")[1] == f"r={left}"


async def test_requests_under_way_are_its_tenants(make_stand: MakeStand, tmp_path: Path) -> None:
    stand = await _stand(make_stand, tmp_path, tenant_requests=1)
    said = await _ask(stand, "{a: orders(limit: 1) {items {id}} b: orders(limit: 2) {items {id}}}")
    assert _problem(said)["type"] == "urn:tailrace:problem:too-many-at-once"


async def test_a_hash_stands_for_its_document(stand: Stand) -> None:
    query = "query One($n: Int) {orders(limit: $n) {items {id}}}"
    hash = hashlib.sha256(query.encode()).hexdigest()
    persisted = {"persistedQuery": {"version": 1, "sha256Hash": hash}}
    said = await _ask(stand, None, extensions=persisted)
    assert said["errors"][0]["message"] == "PersistedQueryNotFound"
    said = await _ask(stand, "{orders {items {id}}}", extensions=persisted)
    assert _problem(said)["errors"][0]["field"] == "/extensions/persistedQuery/sha256Hash"
    await _ask(stand, query, extensions=persisted)
    said = await _ask(stand, None, extensions=persisted, variables={"n": 2})
    assert len(said["data"]["orders"]["items"]) == 2
    url = "/graphql?" + urlencode({"extensions": json.dumps(persisted), "variables": '{"n": 3}'})
    async with stand.client.get(url, headers=bearer()) as answer:
        assert len((await answer.json())["data"]["orders"]["items"]) == 3


async def test_what_is_no_graphql_request_is_a_problem(stand: Stand) -> None:
    for body, field in ((b"{", ""), (b"[]", ""), (b'{"query": 7}', "/query"), (b'{"batch": []}', "/batch")):
        headers = {**bearer(), "Content-Type": "application/json"}
        async with stand.client.post("/graphql", data=body, headers=headers) as answer:
            said = await answer.json(content_type=None)
            assert (answer.status, answer.content_type) == (400, "application/problem+json")
            assert said["errors"][0]["field"] == field
    for body in (
        b'{"query": "{orders {nextCursor}}", "query": "{orders {items {id}}}"}',
        b'{"query": "{orders {items {id}}}", "variables": {"n": 1, "n": 2}}',
        b'{"query": "{orders {items {id}}}", "variables": {"n": NaN}}',
        b'{"query": "{orders {items {id}}} #\\ud800"}',
        b'{"query": "{orders {items {id}}}", "operationName": "\xed\xa0\x80"}',
        b'{"query": "{orders {items {id}}}", "\\uDFFF": 1}',
        '{"query": "{orders {items {id}}}"}'.encode("utf-16"),
    ):
        headers = {**bearer(), "Content-Type": "application/json"}
        async with stand.client.post("/graphql", data=body, headers=headers) as answer:
            assert (answer.status, answer.content_type) == (400, "application/problem+json"), body
    for query in ("query=%7Borders%7BnextCursor%7D%7D&query=%7Borders%7BnextCursor%7D%7D", "variables=%22%5Cud800%22"):
        async with stand.client.get(f"/graphql?{query}", headers=bearer()) as answer:
            assert answer.status == 400, query
    asked = "query=%7Borders%7BnextCursor%7D%7D"
    takes = "extensions, operationName, query, variables"
    for method, query, unknown, known in (
        ("GET", f"{asked}&queries=1", "queries", f"This takes {takes}."),
        ("POST", asked, "query", "This takes none."),
    ):
        document = None if method == "GET" else {"query": "{orders {items {id}}}"}
        async with stand.client.request(method, f"/graphql?{query}", json=document, headers=bearer()) as answer:
            said = await answer.json(content_type=None)
        assert (answer.status, said["type"]) == (400, "urn:tailrace:problem:unknown-parameter")
        assert (said["detail"], [each["field"] for each in said["errors"]]) == (known, [unknown])
    async with stand.client.post("/graphql", data=b"query", headers=bearer()) as answer:
        assert answer.status == 415
    async with stand.client.post("/graphql", json={"query": " " * 70_000}, headers=bearer()) as answer:
        assert answer.status == 413
    async with stand.client.post("/graphql", json={"query": "{orders {items {id}}}"}) as answer:
        assert answer.status == 401
    async with stand.client.delete("/graphql", headers=bearer()) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD, POST")
    async with stand.client.get("/graphql?query=%7B%ff%7D", headers=bearer()) as answer:
        assert (answer.status, answer.content_type) == (400, "application/problem+json")
    coded = {**bearer(), "Content-Type": "application/json", "Content-Encoding": "gzip"}
    async with stand.client.post("/graphql", data=b"{}", headers=coded) as answer:
        assert (answer.status, answer.headers["Accept-Encoding"]) == (415, "")
    assert not stand.orders.seen


async def test_what_the_schema_does_not_allow_is_told_with_its_place(stand: Stand) -> None:
    both = "query A {orders {items {id}}} query B {orders {items {id}}}"
    for query, said_of in (
        ("{orders {items {nothing}}}", "nothing"),
        ("{orders", "Syntax Error"),
        (both, "operations"),
        ("subscription {x}", "not"),
        ('{orders(status: "other") {items {id}}}', "other"),
    ):
        said = await _ask(stand, query)
        assert said_of in said["errors"][0]["message"]
        assert _problem(said)["status"] == 400
    accept = {"Accept": "application/graphql-response+json"}
    await _ask(stand, "{nothing}", 400, accept)
    said = await _ask(stand, "query($n: Int!) {orders(limit: $n) {items {id}}}", 400, accept)
    assert "$n" in said["errors"][0]["message"]
    assert not stand.orders.seen


async def test_the_answer_is_of_a_kind_that_the_client_takes(stand: Stand) -> None:
    """Some clients name all that they can read with every operation, as urql does."""
    json_, response, events = "application/json", "application/graphql-response+json", "text/event-stream"
    for accept, kind in (
        (f"{response}, application/graphql+json, {json_}, {events}, multipart/mixed", response),
        (f"{events}, */*;q=0.1", json_),
        (f"{response};q=0.5, {json_}", json_),
        (f"{response};q=0, {json_}", json_),
        (f"{events};q=0", json_),
    ):
        headers = {**bearer(), "Accept": accept}
        async with stand.client.post("/graphql", json={"query": "{__typename}"}, headers=headers) as answer:
            assert (answer.status, answer.content_type) == (200, kind), accept
            assert "Accept" in answer.headers["Vary"]
    refused = await _ask(stand, "{__typename}", headers={"Accept": events})
    assert "text/event-stream" in refused["errors"][0]["message"]


async def test_nothing_is_written_by_get(stand: Stand) -> None:
    query = urlencode({"query": f'mutation {{confirmOrder(id: "{ORDER}", idempotencyKey: "k") {{id}}}}'})
    async with stand.client.get(f"/graphql?{query}", headers=bearer()) as answer:
        assert _problem(await answer.json())["status"] == 400
    assert not stand.orders.seen


async def test_the_schema_is_told_unless_the_setting_says_otherwise(make_stand: MakeStand, tmp_path: Path) -> None:
    stand = await _stand(make_stand, tmp_path)
    said = await _ask(stand, '{__type(name: "Order") {fields {name}} __typename}')
    names = {each["name"] for each in said["data"]["__type"]["fields"]}
    assert {"id", "itemId", "item", "lines", "secret", "drafts", "history"} <= names
    stand = await make_stand(offer=TOY, screens=SCREENS, graphql_introspection=False)
    assert "introspection" in (await _ask(stand, "{__schema {types {name}}}"))["errors"][0]["message"]
    assert (await _ask(stand, "{__typename}"))["data"] == {"__typename": "Query"}


def test_a_gateway_loads_nothing_of_it_before_it_is_asked() -> None:
    loaded = "import sys, gateway.service; print([name for name in sys.modules if name.partition('.')[0] == 'graphql'])"
    said = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


async def test_a_head_is_a_get_without_the_content(stand: Stand) -> None:
    path = f"/graphql?{urlencode({'query': '{orders(limit: 1) {items {id}}}'})}"
    async with stand.client.get(path, headers=bearer()) as got, stand.client.head(path, headers=bearer()) as head:
        assert (got.status, head.status, await head.read()) == (200, 200, b"")
        assert head.headers["Content-Type"] == got.headers["Content-Type"]
    assert len(stand.orders.seen) == 2


async def test_a_refusal_of_every_row_is_not_told_of_each(stand: Stand) -> None:
    refusal = Response(MISSING, 403, media_type="application/problem+json")
    stand.catalog.says[ITEMS] = lambda _: refusal
    said = await _ask(stand, "{orders(limit: 120) {items {item {name}}}}")
    assert [each["item"] for each in said["data"]["orders"]["items"]] == [None] * 120
    assert len(said["errors"]) == 50
    assert said["extensions"] == {"errors": {"count": 120, "shown": 50}}
