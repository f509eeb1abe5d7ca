"""A screen: the reads it is made of, asked at once under the caller's token, and what becomes of those that are refused."""

import json
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from fastapi import Response
from gateway_stand import MakeStand, Stand, bearer, token

from gateway.pages import merged
from gateway.screens import SCREENS
from tailrace.core.screens import Link, Part, Screen, linked
from tailrace.runtime.openapi_screens import path_of, screens_document

OWN = Part("order", "/v1/orders/{order_id}")
SHOWN = (
    Screen(
        "order",
        "An order.",
        (OWN, Part("lines", "/v1/slow/lines", "order_id={id}&limit=2"), Part("carrier", "/v1/down/{id}")),
        (Link("order", "path"), Link("order", "nothing")),
    ),
    Screen("meeting", "Three at once.", tuple(Part(name, "/v1/orders/meet/{id}") for name in ("a", "b", "c"))),
    Screen("refused", "Of a thing that its service refuses.", (Part("thing", "/v1/public/problem"), OWN)),
    Screen("down", "Of a thing whose service is down.", (Part("thing", "/v1/down/{id}"),)),
    Screen(
        "malformed", "Of no thing.", (Part("orders", "/v1/orders"), Part("a", "/v1/public/malformed")), of_one=False
    ),
    Screen("home", "The day.", (Part("orders", "/v1/orders"), Part("problem", "/v1/public/problem")), of_one=False),
)


@pytest.fixture
async def stand(make_stand: MakeStand) -> Stand:
    return await make_stand(screens=SHOWN)


async def _read(stand: Stand, path: str, **headers: str) -> tuple[aiohttp.ClientResponse, Any]:
    async with stand.client.get(f"/v1/screens/{path}", headers={**bearer(), **headers}) as answer:
        body = await answer.read()
        return answer, json.loads(body) if body else None


async def test_a_screen_is_what_its_services_say(stand: Stand) -> None:
    id, mark = str(uuid4()), f"order.events/{uuid4()}@3"
    answer, said = await _read(stand, f"order/{id}", **{"Tailrace-After": mark, "X-Other": "1", "If-None-Match": '"7"'})
    assert (answer.status, said["screen"]) == (200, "order")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    order, lines = said["parts"]["order"], said["parts"]["lines"]
    assert (order["path"], order["query"]) == (f"/v1/orders/{id}", "")
    assert (lines["path"], lines["query"]) == ("/v1/slow/lines", f"order_id={id}&limit=2")
    for part in (order, lines):
        headers = dict(part["headers"])
        assert headers["authorization"].startswith("Bearer ")
        assert headers["tailrace-after"] == mark
        assert headers["x-request-id"] == answer.headers["X-Request-Id"]
        assert not {"x-other", "if-none-match", "accept-encoding", "content-length"} & headers.keys()
    assert len({dict(part["headers"])["traceparent"] for part in (order, lines)}) == 1, "one request, one trace"
    assert said["left_out"] == [
        {
            "part": "carrier",
            "status": 503,
            "type": "urn:tailrace:problem:unavailable",
            "title": "Not available at the moment",
        }
    ]
    assert said["links"] == [{"screen": "order", "id": order["path"], "href": f"/v1/screens/order/{order['path']}"}]


async def test_all_parts_are_asked_at_once(stand: Stand) -> None:
    _, said = await _read(stand, f"meeting/{uuid4()}")
    assert list(said["parts"]) == ["a", "b", "c"]


async def test_the_things_own_refusal_is_the_screens(stand: Stand) -> None:
    answer, said = await _read(stand, f"refused/{uuid4()}")
    assert (answer.status, answer.content_type) == (409, "application/problem+json")
    assert said == {"type": "urn:mine", "status": 409}
    answer, said = await _read(stand, f"down/{uuid4()}")
    assert (answer.status, said["type"]) == (503, "urn:tailrace:problem:unavailable")
    id = uuid4()
    told = {"Retry-After": "7", "WWW-Authenticate": 'Bearer error="invalid_token"', "X-Other": "1"}
    stand.orders.says[f"/v1/orders/{id}"] = lambda _: Response(b"{}", 401, told, "application/problem+json")
    answer, _ = await _read(stand, f"order/{id}")
    assert (answer.status, {name: answer.headers.get(name) for name in told}) == (401, {**told, "X-Other": None})


async def test_what_is_asked_for_wrongly_is_not_shown_in_part(stand: Stand) -> None:
    answer, said = await _read(stand, "malformed")
    assert (answer.status, answer.content_type, said["title"]) == (400, "application/problem+json", "No")


async def test_a_screen_of_no_thing_shows_what_there_is(stand: Stand) -> None:
    answer, said = await _read(stand, "home")
    assert (answer.status, list(said["parts"]), said["links"]) == (200, ["orders"], [])
    # A service whose refusal is none of ours.
    assert said["left_out"] == [
        {"part": "problem", "status": 409, "type": "about:blank", "title": "No answer that can be read"}
    ]


async def test_the_directory_says_where_each_screen_leads(stand: Stand) -> None:
    async with stand.client.get("/v1/screens", headers=bearer()) as answer:
        screens = {each["screen"]: each for each in await answer.json()}
    assert screens["order"]["path"] == "/v1/screens/order/{id}"
    assert screens["order"]["parts"] == ["order", "lines", "carrier"]
    assert screens["home"]["path"] == "/v1/screens/home"


async def test_what_is_no_screen_is_refused(stand: Stand) -> None:
    id = uuid4()
    for path in ("nothing", f"nothing/{id}", "order", "order/7", f"order/{id}/more", f"home/{id}"):
        answer, said = await _read(stand, path)
        assert (answer.status, said["status"]) == (404, 404), path
    answer, said = await _read(stand, f"order/{id}?status=open")
    assert (answer.status, said["errors"][0]["field"]) == (400, "status")
    assert (said["type"], said["detail"]) == ("urn:tailrace:problem:unknown-parameter", "This takes none.")
    async with stand.client.post(f"/v1/screens/order/{id}", headers=bearer(), data=b"{}") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert not stand.orders.seen


async def test_a_screen_needs_a_token_for_all(stand: Stand) -> None:
    for headers in ({}, bearer("nonsense"), bearer(token(aud="orders"))):
        async with stand.client.get(f"/v1/screens/order/{uuid4()}", headers=headers) as answer:
            assert answer.status == 401
    assert not stand.orders.seen


async def test_what_was_seen_is_not_sent_again(stand: Stand) -> None:
    id = uuid4()
    answer, _ = await _read(stand, f"meeting/{id}")
    tag = answer.headers["ETag"]
    again, said = await _read(stand, f"meeting/{id}", **{"If-None-Match": tag})
    assert (again.status, said, again.headers["ETag"]) == (304, None, tag)
    assert "RateLimit" in again.headers
    other, _ = await _read(stand, f"meeting/{uuid4()}", **{"If-None-Match": tag})
    assert other.status == 200
    async with stand.client.head(f"/v1/screens/meeting/{id}", headers=bearer()) as answer:
        assert (answer.status, answer.headers["ETag"], await answer.read()) == (200, tag, b"")


async def test_a_screen_costs_what_its_parts_cost(make_stand: MakeStand) -> None:
    stand = await make_stand(screens=SHOWN, tenant_rate=0.001, tenant_burst=7)
    one = bearer()
    for left in (4, 1):
        async with stand.client.get(f"/v1/screens/meeting/{uuid4()}", headers=one) as answer:
            assert (answer.status, answer.headers["RateLimit"].split(";")[1]) == (200, f"r={left}")
    async with stand.client.get(f"/v1/screens/meeting/{uuid4()}", headers=one) as answer:
        assert answer.status == 429


async def test_a_screen_is_as_many_requests_under_way_as_it_has_parts(make_stand: MakeStand) -> None:
    stand = await make_stand(screens=SHOWN, tenant_requests=2)
    headers = bearer()
    async with stand.client.get(f"/v1/screens/meeting/{uuid4()}", headers=headers) as answer:
        assert (answer.status, (await answer.json())["type"]) == (429, "urn:tailrace:problem:too-many-at-once")
    stand = await make_stand(screens=SHOWN, tenant_requests=3)
    for _ in range(2):
        async with stand.client.get(f"/v1/screens/meeting/{uuid4()}", headers=headers) as answer:
            assert answer.status == 200


def test_every_screen_of_ours_is_made_of_what_is_offered() -> None:
    document = json.loads(merged())
    assert {path_of(screen) for screen in SCREENS} <= document["paths"].keys()


def test_a_part_that_nobody_offers_is_refused_when_the_document_is_made() -> None:
    offered: dict[str, Any] = {"paths": {"/v1/orders": {"get": {"parameters": [{"name": "status"}], "responses": {}}}}}
    for part, said in (
        (Part("a", "/v1/nothing"), "no service offers /v1/nothing"),
        (Part("a", "/v1/orders", "colour=red"), "takes no colour"),
    ):
        with pytest.raises(ValueError, match=said):
            screens_document([Screen("home", "x", (part,), of_one=False)], {"orders": offered})


def test_a_screen_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="stands twice"):
        Screen("a", "x", (OWN, OWN))
    with pytest.raises(ValueError, match="is of no thing"):
        Screen("a", "x", (OWN,), of_one=False)
    with pytest.raises(ValueError, match="no name"):
        Screen("A screen", "x", (OWN,))
    with pytest.raises(ValueError, match="no screen of a thing"):
        linked([Screen("a", "x", (OWN,), (Link("b", "b_id"),))])
    with pytest.raises(ValueError, match="two screens called a"):
        linked([Screen("a", "x", (OWN,)), Screen("a", "y", (OWN,))])
