"""Each request of somebody who is logged in is told of, with how it ended, and with nothing that it said."""

import asyncio
from uuid import UUID, uuid4

import aiohttp
import pytest
from gateway_stand import Stand, bearer, claims, signed

from contracts.access import Accessed
from gateway.accesses import GONE, Templates


def newest(stand: Stand) -> Accessed:
    event = stand.told.of[-1][1]
    assert isinstance(event, Accessed)
    return event


async def test_reads_and_writes_are_told_of(stand: Stand) -> None:
    me, order, request_id = claims(), str(uuid4()), str(uuid4())
    headers = {**bearer(signed(me)), "X-Request-Id": request_id}
    async with stand.client.post(f"/v1/orders/{order}/confirm?secret=1", headers=headers, data=b"secret") as answer:
        assert answer.status == 200
    ((tenant, event, correlation, actor),) = stand.told.of
    assert (str(tenant), str(correlation), actor) == (me["tenant"], request_id, me["sub"])
    assert isinstance(event, Accessed)
    assert (event.method, event.service, event.status, event.ids) == ("POST", "orders", 200, [UUID(order)])
    assert (str(event.user_id), event.address, event.path) == (me["sub"], "127.0.0.1", "/v1/orders")
    assert "secret" not in event.model_dump_json()
    async with stand.client.get("/v1/orders", headers=headers):
        assert newest(stand).method == "GET"


@pytest.mark.parametrize(("path", "status"), [("/v1/down", 503), ("/v1/orders/never", 504)])
async def test_what_is_refused_here_is_told_with_its_status(stand: Stand, path: str, status: int) -> None:
    async with stand.client.get(path, headers=bearer()) as answer:
        assert answer.status == status
    assert newest(stand).status == status


async def test_a_body_that_is_too_long_is_told_of(stand: Stand) -> None:
    async with stand.client.post("/v1/orders", headers=bearer(), data=b"x" * 2000) as answer:
        assert answer.status == 413
    assert newest(stand).status == 413


async def test_a_client_that_goes_away_is_told_of(stand: Stand) -> None:
    asking = asyncio.create_task(stand.client.post("/v1/slow/write", headers=bearer(), data=b""))
    await stand.orders.entered.wait()
    asking.cancel()
    with pytest.raises((asyncio.CancelledError, aiohttp.ClientError)):
        await asking
    stand.orders.release.set()
    async with asyncio.timeout(30):
        while not stand.told.of:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert newest(stand).status in (GONE, 200)


async def test_whom_nobody_knows_is_not_told_of(stand: Stand) -> None:
    async with stand.client.get("/v1/orders", headers=bearer("nonsense")) as answer:
        assert answer.status == 401
    async with stand.client.get("/v1/public/echo") as answer:
        assert answer.status == 200
    assert stand.told.of == []


def test_a_path_is_told_as_its_document_has_it() -> None:
    paths = ["/v1/orders", "/v1/orders/{order_id}", "/v1/orders/search", "/v1/orders/{order_id}/lines/{line_id}"]
    templates = Templates(paths)
    assert templates.match(("v1", "orders")) == "/v1/orders"
    assert templates.match(("v1", "orders", "search")) == "/v1/orders/search"
    assert templates.match(("v1", "orders", "anything")) == "/v1/orders/{order_id}"
    assert templates.match(("v1", "orders", "a", "lines", "b")) == "/v1/orders/{order_id}/lines/{line_id}"
    assert templates.match(("v1", "elsewhere")) is None
