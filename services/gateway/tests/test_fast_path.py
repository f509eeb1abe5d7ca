"""What holds on the fast path: the same as on the ASGI path, and nothing is held on to, however a request ends."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from gateway_stand import MakeStand, Stand, bearer, claims, signed, stand_with, tell, token
from moody_service import ANSWERS, MOODS, SILENT, MoodyService

from contracts.users import UserLoggedOut
from tailrace.core.retries.breaker import Breaker
from tailrace.http.protocol.admission import Limit

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CHANGING = ("date", "ratelimit", "x-request-id")


async def _ask(stand: Stand, mood: str, headers: dict[str, str], method: str = "GET", **more: Any) -> tuple[Any, ...]:
    """What is answered, but for what is another each time; why there is nothing, where the connection ends."""
    try:
        async with stand.client.request(method, f"/v1/down/{mood}", headers=headers, **more) as answer:
            said = [(name, value) for name, value in answer.headers.items() if name.lower() not in _CHANGING]
            return answer.status, sorted(said), _UUID.sub("(id)", (await answer.read()).decode())
    except Exception as error:
        return (type(error).__name__,)


async def _warm(stand: Stand, headers: dict[str, str]) -> None:
    """The token is known, and a connection is idle: the next request goes the fast way."""
    async with asyncio.timeout(60):
        before = stand.fast.passed
        while stand.fast.passed == before:
            assert (await _ask(stand, "plain", headers))[0] == 200


def _held(stand: Stand) -> int:
    """What is taken, and not given back."""
    limit: Limit = stand.fast._state.limit
    return limit.busy + len(stand.fast._admission._shares.tenant_requests)


@pytest.fixture
async def moody(tmp_path: Path) -> AsyncIterator[tuple[MoodyService, Any]]:
    """A service, and what makes a gateway before it."""
    async with AsyncExitStack() as stack:
        service = MoodyService()
        address = await stack.enter_async_context(service.running())

        async def make(**settings: Any) -> Stand:
            folder = tmp_path / str(uuid4())
            stand = await stack.enter_async_context(stand_with(folder, upstreams={"down": address}, **settings))
            stand.fast._state.limit = Limit(100)
            return stand

        yield service, make


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_whatever_a_service_answers_has_the_same_effect(moody: tuple[MoodyService, Any], method: str) -> None:
    _, make = moody
    fast, slow = await make(), await make(fast_path=False)
    headers = bearer()
    moods = [mood for mood in MOODS if mood != SILENT]
    answers: dict[str, list[Any]] = {}
    for stand in (slow, fast):
        for mood in moods:
            if stand is fast:
                await _warm(stand, headers)
            before = stand.fast.passed
            answers.setdefault(mood, []).append(await _ask(stand, mood, headers, method, **_body(method)))
            assert stand.fast.passed == before + (stand is fast), mood
            # What is said to one is never the answer to another.
            assert (await _ask(stand, "plain", headers))[2] == "good", mood
            assert _held(stand) == 0, mood
    assert {mood: pair for mood, pair in answers.items() if pair[0] != pair[1]} == {}


def _body(method: str) -> dict[str, Any]:
    return {"json": {"a": 1}} if method == "POST" else {}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_service_that_is_silent_is_late(moody: tuple[MoodyService, Any], method: str) -> None:
    _, make = moody
    stand, headers = await make(), bearer()
    await _warm(stand, headers)
    before = stand.fast.passed
    status, _, body = await _ask(stand, SILENT, headers, method)
    assert (status, "gateway-timeout" in body, stand.fast.passed) == (504, True, before + 1)
    assert _held(stand) == 0


async def test_a_session_that_ended_is_let_in_no_more(stand: Stand) -> None:
    content = claims()
    headers = bearer(signed(content))
    before = stand.fast.passed
    async with asyncio.timeout(60):
        while stand.fast.passed == before:
            async with stand.client.get("/v1/orders", headers=headers) as answer:
                assert answer.status == 200
    ended = UserLoggedOut(user_id=uuid4(), session_id=UUID(content["sid"]))
    tell(stand.feed.revocations, ended, UUID(content["sid"]), 2, at=content["iat"])
    seen = len(stand.orders.seen)
    async with stand.client.get("/v1/orders", headers=headers) as answer:
        assert (answer.status, (await answer.json())["type"]) == (401, "urn:tailrace:problem:token-revoked")
    assert len(stand.orders.seen) == seen


async def test_the_allowance_of_a_tenant_is_spent_once_for_each_request(moody: tuple[MoodyService, Any]) -> None:
    service, make = moody
    stand, headers = await make(tenant_rate=0.001, tenant_burst=10), bearer()
    statuses = [(await _ask(stand, "plain", headers))[0] for _ in range(12)]
    assert statuses == [200] * 10 + [429] * 2
    assert stand.fast.passed >= 5
    assert len(service.asked) == 10
    assert _held(stand) == 0


async def test_so_many_at_once_and_no_more(moody: tuple[MoodyService, Any]) -> None:
    service, make = moody
    stand, headers = await make(tenant_requests=1), bearer(token(tenant=str(uuid4())))
    await _warm(stand, headers)
    waiting = asyncio.create_task(_ask(stand, SILENT, headers, "POST"))
    async with asyncio.timeout(60):
        while SILENT not in service.asked:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    status, _, body = await _ask(stand, "plain", headers)
    assert (status, "too-many-at-once" in body) == (429, True)
    service.release.set()
    assert (await waiting)[0] == 200
    assert (await _ask(stand, "plain", headers))[0] == 200
    assert _held(stand) == 0


@pytest.mark.parametrize(("method", "ends"), [("GET", True), ("POST", False)])
async def test_a_read_ends_with_its_client_and_a_write_does_not(
    moody: tuple[MoodyService, Any], method: str, ends: bool
) -> None:
    service, make = moody
    stand, headers = await make(), bearer()
    await _warm(stand, headers)
    before = stand.fast.passed
    _, writer = await asyncio.open_connection("127.0.0.1", stand.port)
    line = f"{method} /v1/down/silent HTTP/1.1\r\nHost: h\r\nAuthorization: {headers['Authorization']}\r\n\r\n"
    writer.write(line.encode())
    async with asyncio.timeout(60):
        while SILENT not in service.asked:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        assert stand.fast.passed == before + 1
        writer.close()
        if ends:
            await service.hung_up.wait()
        else:
            service.release.set()
        while _held(stand):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert service.hung_up.is_set() is ends
    assert stand.told.of[-1][1].status == (499 if ends else 200)


async def test_a_service_that_is_left_alone_is_not_asked(
    moody: tuple[MoodyService, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slow the machine is, no probe falls due before the end.
    monkeypatch.setattr("gateway.forward.Breaker", partial(Breaker, cool_off=600))
    service, make = moody
    stand, headers = await make(), bearer()
    await _warm(stand, headers)
    for _ in range(5):
        stand.fast._pools._breaker("down").failed()
    before, asked = stand.fast.passed, len(service.asked)
    assert (await _ask(stand, "plain", headers))[0] == 503
    assert (stand.fast.passed, len(service.asked)) == (before, asked)


async def test_the_answer_under_way_comes_before_the_end(moody: tuple[MoodyService, Any]) -> None:
    service, make = moody
    stand, headers = await make(), bearer()
    await _warm(stand, headers)
    waiting = asyncio.create_task(_ask(stand, SILENT, headers))
    async with asyncio.timeout(60):
        while SILENT not in service.asked:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        stand.server.should_exit = True
        await asyncio.sleep(0.2)
        service.release.set()
        assert (await waiting)[2] == "good"


async def test_a_request_behind_another_waits_for_it(moody: tuple[MoodyService, Any]) -> None:
    service, make = moody
    stand, headers = await make(), bearer()
    await _warm(stand, headers)
    reader, writer = await asyncio.open_connection("127.0.0.1", stand.port)
    said = f"Host: h\r\nAuthorization: {headers['Authorization']}\r\n"
    writer.write(f"POST /v1/down/silent HTTP/1.1\r\n{said}Content-Length: 0\r\n\r\n".encode())
    async with asyncio.timeout(60):
        while SILENT not in service.asked:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        writer.write(f"GET /v1/down/refused HTTP/1.1\r\n{said}Connection: close\r\n\r\n".encode())
        await asyncio.sleep(0.1)
        assert service.asked[-1] == SILENT
        service.release.set()
        answers = await reader.read()
    writer.close()
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200", b"409"]
    assert _held(stand) == 0


async def test_a_body_that_comes_behind_its_head_goes_the_fast_way(stand: Stand) -> None:
    headers = bearer()
    async with asyncio.timeout(60):
        before = stand.fast.passed
        while stand.fast.passed == before:
            # aiohttp sends head and body by themselves.
            async with stand.client.post("/v1/slow/x", headers=headers, data=b"x" * 60_000) as answer:
                assert (await answer.json())["size"] == 60_000


async def test_whom_a_trusted_proxy_names_is_who_asks(make_stand: MakeStand) -> None:
    stand = await make_stand(trusted_proxies=["127.0.0.1/32"])
    headers = {**bearer(), "X-Forwarded-For": "192.0.2.1, 198.51.100.7", "X-Forwarded-Proto": "https"}
    async with asyncio.timeout(60):
        while not stand.fast.passed:
            async with stand.client.get("/v1/orders", headers=headers) as answer:
                got = dict((await answer.json())["headers"])
    assert (got["x-forwarded-for"], got["x-forwarded-proto"]) == ("198.51.100.7", "https")
    assert stand.told.of[-1][1].address == "198.51.100.7"  # type: ignore[attr-defined]


async def test_the_setting_turns_it_off(make_stand: MakeStand) -> None:
    stand, headers = await make_stand(fast_path=False), bearer()
    for _ in range(4):
        async with stand.client.get("/v1/orders", headers=headers) as answer:
            assert answer.status == 200
    assert stand.fast.passed == 0


def test_the_moods_are_many() -> None:
    assert len(ANSWERS) > 15
