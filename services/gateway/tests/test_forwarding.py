"""What goes through, in both directions, and what happens when the other side does not play along."""

import asyncio
import re
from collections.abc import AsyncIterator
from functools import partial
from uuid import uuid4

import aiohttp
import pytest
from asking import free_port
from gateway_stand import MakeStand, Stand, bearer

from tailrace.core.retries.breaker import Breaker

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def _got(stand: Stand, path: str = "/v1/orders", **headers: str) -> tuple[dict[str, str], aiohttp.ClientResponse]:
    async with stand.client.get(path, headers={**bearer(), **headers}) as answer:
        return dict((await answer.json())["headers"]), answer


async def test_identity_and_hop_by_hop_headers_stay_behind(stand: Stand) -> None:
    claimed = {"X-Tenant": "t", "X-Tenant-Id": "t", "X-User": "u", "X-User-Roles": "admin", "X_Tenant_Id": "t"}
    hop = {
        "Connection": "keep-alive, X-Secret, Content-Length",
        "X-Secret": "s",
        "TE": "trailers",
        "Proxy-Authorization": "p",
    }
    got, _ = await _got(stand, **claimed, **hop, **{"Upgrade": "h2c", "Idempotency-Key": "k", "X-Other": "é"})
    for name in (*claimed, "X-Secret", "TE", "Proxy-Authorization", "Upgrade"):
        assert name.lower() not in got
    assert got["authorization"].startswith("Bearer ")
    assert got["idempotency-key"] == "k"
    assert got["x-other"].encode("latin-1").decode() == "é"
    assert got["x-forwarded-for"] == "127.0.0.1"
    assert got["x-forwarded-proto"] == "http"
    assert got["x-forwarded-host"] == f"127.0.0.1:{stand.port}"


async def test_the_answers_headers_come_back_but_not_its_connections(stand: Stand) -> None:
    _, answer = await _got(stand)
    assert answer.headers["ETag"] == '"7"'
    assert answer.headers.getall("Set-Cookie") == ["a=1", "b=2"]
    assert "X-Internal" not in answer.headers
    assert len(answer.headers.getall("Date")) == 1
    assert "Server" not in answer.headers


async def test_a_request_id_is_kept_or_made(stand: Stand) -> None:
    given = str(uuid4())
    got, answer = await _got(stand, **{"X-Request-Id": given})
    assert got["x-request-id"] == given
    assert answer.headers.getall("X-Request-Id") == [given]
    got, answer = await _got(stand, **{"X-Request-Id": "not a uuid"})
    assert answer.headers.getall("X-Request-Id") == [got["x-request-id"]]
    assert re.fullmatch(r"[0-9a-f-]{36}", got["x-request-id"])


async def test_a_trace_goes_on_or_begins(stand: Stand) -> None:
    got, _ = await _got(stand, traceparent=TRACEPARENT, tracestate="a=b")
    assert (got["traceparent"], got["tracestate"]) == (TRACEPARENT, "a=b")
    for wrong in ("", "00-" + "0" * 32 + "-00f067aa0ba902b7-01", TRACEPARENT.upper(), "nonsense"):
        got, _ = await _got(stand, traceparent=wrong, tracestate="a=b")
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", got["traceparent"])
        assert got["traceparent"] != TRACEPARENT
        assert "tracestate" not in got


async def test_path_and_query_arrive_as_they_were_sent(stand: Stand) -> None:
    answer = await stand.raw(
        b"GET /v1/public/a%20b%C3%A9;x=1?q=a%2Fb&list[]=1&z HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 200")
    assert stand.orders.seen[0]["path"] == "/v1/public/a%20b%C3%A9;x=1"
    assert stand.orders.seen[0]["query"] == "q=a%2Fb&list[]=1&z"


async def test_a_body_passes_whole_with_its_length_or_in_chunks(stand: Stand) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for n in range(500):
            yield b"%04d" % n * 256

    async with stand.client.post("/v1/slow/x", headers=bearer(), data=chunks()) as answer:
        assert (await answer.json())["size"] == 500 * 1024
    async with stand.client.post("/v1/slow/x", headers=bearer(), data=b"x" * 300_000) as answer:
        got = await answer.json()
    assert got["size"] == 300_000
    assert ["content-length", "300000"] in got["headers"]
    async with stand.client.post("/v1/slow/x", headers=bearer()) as answer:
        assert (await answer.json())["size"] == 0


async def test_an_answer_streams_while_it_is_made(stand: Stand) -> None:
    async with stand.client.get("/v1/public/stream") as answer:
        assert await asyncio.wait_for(answer.content.readany(), 300) == b"first"
        stand.orders.release.set()
        assert await answer.content.read() == b"second"


async def test_a_services_problem_passes_untouched(stand: Stand) -> None:
    async with stand.client.get("/v1/public/problem") as answer:
        assert answer.status == 409
        assert await answer.read() == b'{"type":"urn:mine","status":409}'


async def test_what_a_write_said_and_a_read_names_passes_both_ways(stand: Stand) -> None:
    # As many as the lines of the longest document: some 30 kB.
    mark = ", ".join(f"inventory.events/{uuid4()}@{number}" for number in range(1, 501))
    got, answer = await _got(stand, **{"Tailrace-After": mark})
    assert got["tailrace-after"] == mark
    assert answer.headers["Tailrace-Event"] == mark


async def test_not_yet_consistent_is_neither_asked_again_nor_held_against_the_service(stand: Stand) -> None:
    for _ in range(12):
        async with stand.client.get("/v1/public/late") as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
            assert (await answer.json())["type"] == "urn:tailrace:problem:not-yet-consistent"
    assert [seen["path"] for seen in stand.orders.seen] == ["/v1/public/late"] * 12
    async with stand.client.get("/v1/orders", headers=bearer()) as answer:
        assert answer.status == 200


async def test_head_has_no_body(stand: Stand) -> None:
    async with stand.client.head("/docs") as answer:
        assert answer.status == 200
        assert await answer.read() == b""


async def test_too_large_by_declaration_or_on_the_way_is_413(stand: Stand) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100

    for body in (b"x" * 1001, chunks()):
        async with stand.client.post("/v1/orders", headers=bearer(), data=body) as answer:
            assert answer.status == 413
            problem = await answer.json()
        assert problem["type"] == "urn:tailrace:problem:too-large"
        assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert stand.orders.seen == []
    async with stand.client.post("/v1/orders", headers=bearer(), data=b"x" * 1000) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_late_service_is_a_504(stand: Stand, method: str) -> None:
    async with stand.client.request(method, "/v1/orders/never", headers=bearer()) as answer:
        assert answer.status == 504
        assert answer.content_type == "application/problem+json"
        assert (await answer.json())["type"] == "urn:tailrace:problem:gateway-timeout"
    assert len(stand.orders.seen) == 1


async def test_a_slow_client_is_not_charged_to_the_service(stand: Stand) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(3):
            await asyncio.sleep(0.2)
            yield b"x"

    async with stand.client.post("/v1/orders", headers=bearer(), data=slowly()) as answer:
        assert (answer.status, (await answer.json())["size"]) == (200, 3)


async def test_a_service_that_is_down_is_a_503_and_soon_left_alone(
    make_stand: MakeStand, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slow the machine is, no probe falls due before the end.
    monkeypatch.setattr("gateway.forward.Breaker", partial(Breaker, cool_off=600))
    port = free_port()
    stand = await make_stand(upstreams={"down": f"http://127.0.0.1:{port}"})

    async def ask(method: str) -> float:
        began = asyncio.get_running_loop().time()
        async with stand.client.request(method, "/v1/down", headers=bearer()) as answer:
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) >= 1
            assert (await answer.json())["type"] == "urn:tailrace:problem:unavailable"
        return asyncio.get_running_loop().time() - began

    for method in ("GET", "POST", "GET"):
        assert await ask(method) >= 0.05, "there was no pause between two tries"
    # The breaker is open now: the service comes up, and no connection is tried.
    server, heads = await _breaking([0], port)
    await ask("GET")
    await ask("POST")
    assert heads == []
    server.close()


async def _breaking(answers: list[int], port: int = 0) -> tuple[asyncio.Server, list[bytes]]:
    """A server that hangs up in the middle of its first `answers[0]` requests and answers later ones."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        if len(heads) > answers[0]:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", port), heads


@pytest.mark.parametrize(("method", "status", "tries"), [("GET", 200, 2), ("POST", 502, 1), ("DELETE", 502, 1)])
async def test_a_broken_connection_is_tried_again_for_reads_only(
    make_stand: MakeStand, method: str, status: int, tries: int
) -> None:
    server, heads = await _breaking([1])
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    stand = await make_stand(upstreams={"down": address})
    async with stand.client.request(method, "/v1/down", headers=bearer()) as answer:
        assert answer.status == status
    assert len(heads) == tries
    server.close()


async def test_an_answer_that_breaks_off_ends_the_clients_connection(make_stand: MakeStand) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    stand = await make_stand(upstreams={"down": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"})
    with pytest.raises(aiohttp.ClientPayloadError):
        async with stand.client.get("/v1/down", headers=bearer()) as answer:
            await answer.read()
    server.close()


async def test_a_client_that_hangs_up_does_not_stop_its_write(stand: Stand) -> None:
    asked = asyncio.create_task(stand.client.post("/v1/slow/write", headers=bearer(), data=b"{}"))
    await asyncio.wait_for(stand.orders.entered.wait(), 300)
    asked.cancel()
    await asyncio.wait([asked])
    stand.orders.release.set()
    await asyncio.wait_for(stand.orders.finished.wait(), 300)


async def test_a_write_that_never_arrived_whole_reaches_nobody(stand: Stand) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", stand.port)
    auth = bearer()["Authorization"].encode()
    writer.write(
        b"POST /v1/orders HTTP/1.1\r\nHost: h\r\nAuthorization: " + auth + b"\r\nContent-Length: 10\r\n\r\nhalf"
    )
    await writer.drain()
    writer.close()
    async with stand.client.get("/v1/orders/after", headers=bearer()) as answer:
        assert answer.status == 200
    assert [seen["path"] for seen in stand.orders.seen] == ["/v1/orders/after"]
