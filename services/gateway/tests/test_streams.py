"""A stream of events goes through as it comes, counts by itself, takes nobody's connection, and ends with the token or the session that opened it."""

import time
from contextlib import AsyncExitStack
from uuid import UUID, uuid4

import aiohttp
from gateway_stand import MakeStand, Stand, bearer, claims, signed, tell, token

from contracts.users import UserLoggedOut
from tailrace_testing.gateway import eventually

LIVE = "/v1/orders/live"
FIRST = b"data: first\n\n"


async def _opened(stand: Stand, stack: AsyncExitStack, headers: dict[str, str]) -> aiohttp.ClientResponse:
    """A stream, after its first event."""
    answer = await stack.enter_async_context(stand.client.get(LIVE, headers={**headers, "Accept-Encoding": "gzip"}))
    assert (answer.status, answer.content_type) == (200, "text/event-stream")
    assert await answer.content.readany() == FIRST
    return answer


async def _open_upstream(stand: Stand) -> int:
    return stand.orders.streams


async def test_events_come_while_the_stream_is_open(stand: Stand) -> None:
    async with AsyncExitStack() as stack:
        answer = await _opened(stand, stack, bearer())
        stand.orders.release.set()
        assert await answer.content.read() == b"data: second\n\n"


async def test_it_ends_with_its_session_and_no_other_does(stand: Stand) -> None:
    content = claims()
    session = UUID(content["sid"])
    async with AsyncExitStack() as stack:
        mine = await _opened(stand, stack, bearer(signed(content)))
        other = await _opened(stand, stack, bearer(signed({**content, "sid": str(uuid4())})))
        ended = UserLoggedOut(user_id=uuid4(), session_id=session)
        tell(stand.feed.revocations, ended, session, 2, at=content["iat"])
        assert await mine.content.read() == b""
        await eventually(lambda: _open_upstream(stand), lambda streams: streams == 1, what="the service let go")
        stand.orders.release.set()
        assert await other.content.read() == b"data: second\n\n"


async def test_it_ends_with_its_token(stand: Stand) -> None:
    async with AsyncExitStack() as stack:
        answer = await _opened(stand, stack, bearer(token(exp=int(time.time()) + 2)))
        assert await answer.content.read() == b""


async def test_it_counts_by_itself(make_stand: MakeStand) -> None:
    stand = await make_stand(tenant_streams=1, tenant_requests=1)
    tenant = str(uuid4())
    mine = bearer(token(tenant=tenant))
    async with AsyncExitStack() as stack:
        await _opened(stand, stack, mine)
        async with stand.client.get(LIVE, headers=mine) as answer:
            assert (answer.status, (await answer.json())["type"]) == (429, "urn:tailrace:problem:too-many-at-once")
        async with stand.client.get("/v1/orders", headers=mine) as answer:
            assert answer.status == 200
        await _opened(stand, stack, bearer())


async def test_more_of_them_than_a_service_has_connections_leave_it_all_of_those(make_stand: MakeStand) -> None:
    stand = await make_stand(tenant_streams=300, tenant_rate=1000.0, tenant_burst=1000, address_connections=400)
    headers = bearer()
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            aiohttp.ClientSession(stand.url, connector=aiohttp.TCPConnector(limit=0))
        )
        for _ in range(270):
            answer = await stack.enter_async_context(client.get(LIVE, headers=headers))
            assert answer.status == 200
        async with stand.client.get("/v1/orders", headers=headers) as answer:
            assert answer.status == 200
