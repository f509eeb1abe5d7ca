"""What one caller does leaves the others their share: bodies that do not come, answers that are not taken, and more requests than one may have."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from gateway_stand import MakeStand, Stand, bearer, token

from gateway.in_flight import InFlight
from gateway.pace import Pace
from gateway.refusals import TooManyAtOnce

_MORE_THAN_THE_POOL = 275


def _post(path: str, length: int, *headers: str) -> bytes:
    head = [f"POST {path} HTTP/1.1", "Host: h", f"Content-Length: {length}", "Content-Type: application/json", *headers]
    return "\r\n".join([*head, "", ""]).encode()


@asynccontextmanager
async def _held(stand: Stand, count: int, request: bytes) -> AsyncIterator[list[asyncio.StreamReader]]:
    """So many connections on which this was sent, and nothing more is."""
    opened = [await asyncio.open_connection("127.0.0.1", stand.port) for _ in range(count)]
    try:
        for _, writer in opened:
            writer.write(request)
        # Its answer says that what was sent before it has been read.
        async with stand.client.get("/health/live") as answer:
            assert answer.status == 200
        yield [reader for reader, _ in opened]
    finally:
        for _, writer in opened:
            writer.close()


async def _status(stand: Stand, method: str, path: str, **options: Any) -> int:
    async with stand.client.request(method, path, **options) as answer:
        await answer.read()
        return answer.status


async def test_bodies_that_do_not_come_without_a_token_hold_nothing_that_others_need(make_stand: MakeStand) -> None:
    stand = await make_stand(address_burst=2000)
    async with _held(stand, _MORE_THAN_THE_POOL, _post("/v1/public/x", 100) + b"{"):
        for _ in range(5):
            assert await _status(stand, "POST", "/v1/public/log-in", json={}) == 200
            assert await _status(stand, "GET", "/v1/orders", headers=bearer()) == 200
    assert {seen["path"] for seen in stand.orders.seen} == {"/v1/public/log-in", "/v1/orders"}


async def test_bodies_of_one_tenant_that_do_not_come_hold_nothing_that_others_need(make_stand: MakeStand) -> None:
    stand = await make_stand(tenant_burst=2000)
    viewer = f"Authorization: {bearer(token(tenant=str(uuid4()), scope='orders:read'))['Authorization']}"
    async with _held(stand, _MORE_THAN_THE_POOL, _post("/v1/slow/x", 100, viewer) + b"{"):
        for _ in range(5):
            assert await _status(stand, "POST", "/v1/orders", json={}, headers=bearer()) == 200
    assert {seen["path"] for seen in stand.orders.seen} == {"/v1/orders"}


async def test_long_bodies_of_one_tenant_that_do_not_come_are_few(make_stand: MakeStand) -> None:
    stand = await make_stand(tenant_burst=2000, tenant_uploads=3)
    mine = bearer(token(tenant=str(uuid4())))
    begun = _post("/v1/slow/x", 1_000_000, f"Authorization: {mine['Authorization']}") + b" " * 70_000
    async with _held(stand, 3, begun):
        # They hold their connections to the service from the moment that they are refused a fourth.
        async with asyncio.timeout(300):
            while await _status(stand, "POST", "/v1/slow/x", data=b" " * 500_000, headers=mine) != 429:
                pass
        assert await _status(stand, "POST", "/v1/slow/x", data=b"short", headers=mine) == 200
        assert await _status(stand, "POST", "/v1/slow/x", data=b" " * 500_000, headers=bearer()) == 200


async def test_without_a_token_no_body_is_longer_than_what_is_read_ahead(stand: Stand) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(70):
            yield b"x" * 1000

    for data in (b"x" * 65_537, chunks()):
        assert await _status(stand, "POST", "/v1/public/x", data=data) == 413
    assert stand.orders.seen == []


async def test_a_body_that_stops_coming_is_a_408_and_ends_the_connection(make_stand: MakeStand) -> None:
    stand = await make_stand(client_grace=0.3)
    authorization = f"Authorization: {bearer()['Authorization']}"
    for request in (
        _post("/v1/public/x", 100) + b"{",
        _post("/v1/slow/x", 100, authorization),
        _post("/v1/slow/x", 1_000_000, authorization) + b" " * 100_000,
    ):
        answer = await stand.raw(request)
        assert answer.startswith(b"HTTP/1.1 408 "), answer
        assert b"\r\nconnection: close\r\n" in answer.lower()
    assert stand.orders.seen == []


async def test_a_body_that_trickles_is_given_up_however_short_its_pauses(make_stand: MakeStand) -> None:
    stand = await make_stand(client_grace=0.5)
    reader, writer = await asyncio.open_connection("127.0.0.1", stand.port)
    writer.write(_post("/v1/public/x", 60_000))

    async def trickle() -> None:
        with suppress(ConnectionError):
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.02)

    trickling = asyncio.create_task(trickle())
    try:
        async with asyncio.timeout(300):
            assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
    finally:
        trickling.cancel()
        writer.close()
    assert stand.orders.seen == []


async def test_a_tenant_has_so_many_requests_under_way_and_no_more(make_stand: MakeStand) -> None:
    stand = await make_stand(tenant_requests=3)
    mine = bearer(token(tenant=str(uuid4())))
    waiting = [asyncio.create_task(_status(stand, "POST", "/v1/slow/write", headers=mine)) for _ in range(3)]
    async with asyncio.timeout(300):
        while len(stand.orders.seen) < 3:
            await stand.orders.entered.wait()
            await asyncio.sleep(0)
    async with stand.client.get("/v1/orders", headers=mine) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
        assert (await answer.json())["type"] == "urn:tailrace:problem:too-many-at-once"
    assert await _status(stand, "GET", "/v1/orders", headers=bearer()) == 200
    stand.orders.release.set()
    assert await asyncio.gather(*waiting) == [200] * 3
    assert await _status(stand, "GET", "/v1/orders", headers=mine) == 200


async def test_an_address_without_a_token_has_a_share_of_its_own(make_stand: MakeStand) -> None:
    stand = await make_stand(address_requests=2)
    waiting = [asyncio.create_task(_status(stand, "GET", "/v1/public/wait")) for _ in range(2)]
    async with asyncio.timeout(300):
        while len(stand.orders.seen) < 2:
            await stand.orders.entered.wait()
            await asyncio.sleep(0)
    assert await _status(stand, "GET", "/v1/public/x") == 429
    assert await _status(stand, "GET", "/v1/orders", headers=bearer()) == 200
    async with (
        aiohttp.ClientSession(stand.url, connector=aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))) as elsewhere,
        elsewhere.get("/v1/public/x") as answer,
    ):
        assert answer.status == 200
    stand.orders.release.set()
    assert await asyncio.gather(*waiting) == [200] * 2


def _deaf(stand: Stand) -> socket.socket:
    """A connection whose other end takes little and reads nothing."""
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect(("127.0.0.1", stand.port))
    return deaf


async def test_an_answer_that_nobody_takes_holds_neither_service_nor_share(make_stand: MakeStand) -> None:
    stand = await make_stand(tenant_requests=1)
    mine = bearer(token(tenant=str(uuid4())))
    deaf = _deaf(stand)
    head = f"GET /v1/orders/long?size=200000 HTTP/1.1\r\nHost: h\r\nAuthorization: {mine['Authorization']}\r\n\r\n"
    deaf.sendall(head.encode())
    async with asyncio.timeout(300):
        await stand.orders.entered.wait()
        while await _status(stand, "GET", "/v1/orders", headers=mine) == 429:
            pass
    deaf.close()


async def test_a_client_that_does_not_take_its_answer_is_cut_off(make_stand: MakeStand) -> None:
    size = 20_000_000
    stand = await make_stand(client_grace=0.3, head_timeout=0.5)
    deaf = _deaf(stand)
    deaf.sendall(f"GET /v1/public/long?size={size} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
    async with asyncio.timeout(300):
        await stand.orders.entered.wait()
        while stand.connections:  # noqa: ASYNC110  (uvicorn offers a set, not an event)
            await asyncio.sleep(0.05)
    # What is left in the kernel's buffers comes yet; the whole answer never does.
    deaf.setblocking(False)
    loop, taken = asyncio.get_running_loop(), 0
    async with asyncio.timeout(300):
        with suppress(ConnectionResetError):
            while piece := await loop.sock_recv(deaf, 1 << 20):
                taken += len(piece)
    deaf.close()
    assert taken < size


async def test_an_address_holds_so_many_connections_and_no_more(make_stand: MakeStand) -> None:
    stand = await make_stand(address_connections=4)
    async with stand.client.get("/health/live") as answer:
        assert answer.status == 200
    opened = [await asyncio.open_connection("127.0.0.1", stand.port) for _ in range(3)]
    refused, writer = await asyncio.open_connection("127.0.0.1", stand.port)
    async with asyncio.timeout(300):
        assert (await refused.read()).startswith(b"HTTP/1.1 503 ")
    writer.close()
    elsewhere, writer = await asyncio.open_connection("127.0.0.1", stand.port, local_addr=("127.0.0.2", 0))
    writer.write(b"GET /health/live HTTP/1.1\r\nHost: h\r\n\r\n")
    async with asyncio.timeout(300):
        assert (await elsewhere.readline()).startswith(b"HTTP/1.1 200 ")
    for _, each in [*opened, (elsewhere, writer)]:
        each.close()


async def test_clients_behind_a_trusted_proxy_have_an_allowance_each_whatever_they_claim(make_stand: MakeStand) -> None:
    stand = await make_stand(
        trusted_proxies=["127.0.0.1/32"], address_burst=2, address_rate=0.001, address_connections=1
    )
    opened = [
        await asyncio.open_connection("127.0.0.1", stand.port) for _ in range(3)
    ]  # the proxy's: as many as it needs

    async def log_in(said: str) -> int:
        return await _status(stand, "POST", "/v1/public/log-in", json={}, headers={"X-Forwarded-For": said})

    # What stands before the address that the proxy saw is the client's own claim.
    assert [await log_in(f"192.0.2.{n}, 198.51.100.7") for n in range(3)] == [200, 200, 429]
    assert await log_in("198.51.100.8") == 200
    assert [dict(seen["headers"])["x-forwarded-for"] for seen in stand.orders.seen] == [
        "198.51.100.7",
        "198.51.100.7",
        "198.51.100.8",
    ]
    for _, writer in opened:
        writer.close()


async def test_without_a_trusted_proxy_no_claim_is_believed(make_stand: MakeStand) -> None:
    stand = await make_stand(address_burst=2, address_rate=0.001)
    said = [
        await _status(stand, "POST", "/v1/public/log-in", json={}, headers={"X-Forwarded-For": f"198.51.100.{n}"})
        for n in range(3)
    ]
    assert said == [200, 200, 429]


def test_what_is_held_is_counted_until_the_end_also_when_it_fails() -> None:
    requests = InFlight("requests", "tenant", 1)
    for _ in range(3):
        with pytest.raises(LookupError), requests.hold("a"):
            with pytest.raises(TooManyAtOnce), requests.hold("a"):
                pass
            with requests.hold("b"):
                assert len(requests) == 2
            raise LookupError
    assert len(requests) == 0


async def test_only_the_time_that_the_client_is_awaited_counts() -> None:
    pace = Pace(0.2, 1000)
    for _ in range(3):
        await asyncio.sleep(0.1)
        async with pace.of_client():
            pass
    with pytest.raises(TimeoutError):
        async with pace.of_client():
            await asyncio.sleep(60)
    with pytest.raises(TimeoutError):
        async with pace.of_client():
            await asyncio.sleep(60)
    pace.moved(100_000)
    async with pace.of_client():
        await asyncio.sleep(0.01)
