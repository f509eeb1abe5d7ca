"""Who waits for a password to be hashed: how many, how long, and in which order."""

import asyncio
from collections.abc import Hashable

import httpx2
import pytest

from identity import passwords
from identity.refusals import Busy
from identity.turns import Turns
from tailrace_testing import Harness
from tailrace_testing.gateway import eventually

from .conftest import Company


class Crowd:
    """Tasks that want a turn and keep it until they are let go."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.order: list[Hashable] = []
        self._let_go: dict[Hashable, asyncio.Event] = {}
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}

    async def come(self, key: Hashable, name: Hashable) -> asyncio.Task[None]:
        self._let_go[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._take(key, name))
        await asyncio.sleep(0)
        return self._tasks[name]

    async def finish(self, name: Hashable) -> None:
        self._let_go[name].set()
        await self._tasks[name]
        await asyncio.sleep(0)

    async def leave(self, name: Hashable) -> None:
        self._tasks[name].cancel()
        await asyncio.wait([self._tasks[name]])

    async def _take(self, key: Hashable, name: Hashable) -> None:
        async with self.turns.turn(key):
            self.order.append(name)
            await self._let_go[name].wait()


async def test_those_who_wait_take_turns_by_where_they_come_from() -> None:
    crowd = Crowd(Turns(at_once=1, waiting=10, share=6, within=600))
    for name in ("a1", "a2", "a3", "a4", "b1", "c1", "b2"):
        await crowd.come(name[0], name)
    for name in ("a1", "a2", "b1", "c1", "a3", "b2", "a4"):
        assert crowd.order[-1] == name
        await crowd.finish(name)
    assert (crowd.turns.waiting, len(crowd.turns._held), crowd.turns._free) == (0, 0, 1)


async def test_a_full_queue_and_a_full_share_are_refused_at_once() -> None:
    crowd = Crowd(Turns(at_once=1, waiting=3, share=3, within=600))
    for name in ("a1", "a2", "a3"):
        await crowd.come("a", name)
    with pytest.raises(Busy) as refused:
        await (await crowd.come("a", "a4"))
    assert refused.value.headers["Retry-After"] == "2"
    await crowd.come("b", "b1")
    with pytest.raises(Busy):
        await (await crowd.come("c", "c1"))
    for name in ("a1", "a2", "b1", "a3"):
        await crowd.finish(name)
    assert crowd.order == ["a1", "a2", "b1", "a3"]


async def test_who_has_waited_long_enough_is_told() -> None:
    crowd = Crowd(Turns(at_once=1, waiting=3, share=3, within=0.05))
    await crowd.come("a", "a1")
    late = await crowd.come("b", "b1")
    with pytest.raises(Busy):
        await late
    await crowd.finish("a1")
    await crowd.come("b", "b2")
    await crowd.finish("b2")
    assert crowd.order == ["a1", "b2"]


async def test_who_leaves_takes_no_turn_along() -> None:
    crowd = Crowd(Turns(at_once=1, waiting=9, share=9, within=600))
    for name in ("a1", "a2", "b1", "b2"):
        await crowd.come(name[0], name)
    await crowd.leave("a2")
    # Its turn comes in the very moment that it leaves.
    crowd._let_go["a1"].set()
    crowd._tasks["b1"].cancel()
    await asyncio.wait([crowd._tasks["a1"], crowd._tasks["b1"]])
    await asyncio.sleep(0)
    await crowd.finish("b2")
    assert (crowd.order, crowd.turns.waiting, crowd.turns._free) == (["a1", "b2"], 0, 1)


async def test_a_crowd_of_guesses_does_not_keep_others_from_logging_in(
    identity: Harness, acme: Company, globex: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate is shut until all have come, so that nothing depends on how fast the machine hashes."""
    turns, gate, asked = Turns(at_once=2, waiting=32, share=8, within=600), asyncio.Event(), []
    check = passwords.check

    async def slowly(password: str, stored: str | None) -> tuple[bool, str | None]:
        asked.append(password)
        await gate.wait()
        return await check(password, stored)

    monkeypatch.setattr(passwords, "turns", turns)
    monkeypatch.setattr(passwords, "check", slowly)

    async def log_in(company: Company, address: str, password: str) -> httpx2.Response:
        transport = httpx2.ASGITransport(identity.app, client=(address, 1))
        async with httpx2.AsyncClient(transport=transport, base_url="http://identity") as client:
            body = {"tenant": company.slug, "email": company.admin_email, "password": password}
            return await client.post("/v1/auth/login", json=body)

    guesses = [asyncio.create_task(log_in(acme, "203.0.113.7", f"guess {n}")) for n in range(20)]

    async def progress() -> tuple[int, int, int]:
        return sum(guess.done() for guess in guesses), len(asked), turns.waiting

    await eventually(progress, lambda seen: seen == (12, 2, 6), what="a full share")
    refused = [guess.result() for guess in guesses if guess.done()]
    assert {(answer.status_code, answer.headers["retry-after"]) for answer in refused} == {(503, "2")}
    assert refused[0].json()["type"] == "urn:tailrace:problem:busy"
    right = asyncio.create_task(log_in(globex, "203.0.113.8", globex.password))
    await eventually(progress, lambda seen: seen == (12, 2, 7), what="a log-in from elsewhere that waits")
    gate.set()
    assert (await right).status_code == 200
    # Two were being checked, and one more of the crowd may have had its turn before it.
    assert asked.index(globex.password) <= 3
    assert {(await guess).status_code for guess in guesses} <= {401, 429, 503}


async def test_passwords_that_a_tenant_writes_take_turns_with_log_ins(
    identity: Harness, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = Turns(at_once=1, waiting=4, share=2, within=600)
    monkeypatch.setattr(passwords, "turns", turns)
    crowd = Crowd(turns)
    for name in ("x1", "x2"):
        await crowd.come(acme.id, name)
    body = {"email": "bob@acme.example", "name": "Bob", "password": acme.password, "roles": ["viewer"]}
    client = identity.client_as(tenant=acme.id)
    answer = await client.post("/v1/auth/users", json=body)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:tailrace:problem:busy")
    for name in ("x1", "x2"):
        await crowd.finish(name)
    assert (await client.post("/v1/auth/users", json=body)).status_code == 201
