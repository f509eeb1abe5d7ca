"""What was revoked stays revoked whoever dies: a gateway that starts anew, and one that has lost Kafka."""

import os
import signal
from typing import Any

import httpx2
import pytest

from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import Gateway, Member, eventually


async def _ask(gateway: Gateway, token: str) -> int:
    """The status; 0 when nobody listens."""
    try:
        answer = await gateway.client.get("/v1/items", headers={"Authorization": f"Bearer {token}"})
    except httpx2.TransportError:
        return 0
    return answer.status_code


async def _health(gateway: Gateway) -> dict[str, Any]:
    return dict((await gateway.client.get("/health/ready")).json())


async def _end(gateway: Gateway, session: Member) -> None:
    answer = await gateway.client.post("/v1/auth/logout", json={"refresh_token": session.refresh_token})
    assert answer.status_code == 204


async def test_a_gateway_that_restarts_lets_no_request_in_before_it_has_read(fleet: Stack, gateway: Gateway) -> None:
    stays = await gateway.new_tenant()
    leaves = await gateway.log_in(stays.slug, stays.email)
    await _end(gateway, leaves)
    await eventually(lambda: _ask(gateway, leaves.token), lambda status: status == 401, what="the refusal")
    os.kill(fleet.pids()["gateway"], signal.SIGKILL)
    seen = set()

    async def both() -> tuple[int, int]:
        seen.add(await _ask(gateway, leaves.token))
        return await _ask(gateway, stays.token), await _ask(gateway, leaves.token)

    await eventually(both, lambda now: now == (200, 401), what="the gateway")
    assert 200 not in seen
    assert 0 in seen, "it was away"


@pytest.mark.embedded("pauses or kills PostgreSQL, Kafka or Connect")
async def test_without_kafka_the_gateway_keeps_what_it_knows_and_says_so(fleet: Stack, gateway: Gateway) -> None:
    stays = await gateway.new_tenant()
    known, unknown = [await gateway.log_in(stays.slug, stays.email) for _ in range(2)]
    await _end(gateway, known)
    await eventually(lambda: _ask(gateway, known.token), lambda status: status == 401, what="the refusal")
    assert (await _health(gateway)) == {"status": "ready", "revocations": "current"}
    pid = fleet.pids()["kafka"]
    os.kill(pid, signal.SIGSTOP)
    try:
        late = await eventually(
            lambda: _health(gateway), lambda health: health["revocations"] != "current", what="the notice"
        )
        assert late["status"] == "ready"
        await _end(gateway, unknown)
        assert [await _ask(gateway, member.token) for member in (stays, known, unknown)] == [200, 401, 200]
    finally:
        os.kill(pid, signal.SIGKILL)
    await eventually(lambda: _ask(gateway, unknown.token), lambda status: status == 401, what="the refusal")
    await eventually(
        lambda: _health(gateway), lambda health: health["revocations"] == "current", what="a fresh reading"
    )
    assert await _ask(gateway, stays.token) == 200
