"""A saga's process dies twice at each of its steps: the saga ends all the same, each deadline fires once, and no money is lost or made."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
import pytest
from failpoints import Failpoint
from forkserver import ForkServer
from purse import Account, Transfer, service
from scenes import Play, Scene, playing

from tailrace.messaging.sagas import history
from tailrace_testing.databases import Databases
from tailrace_testing.gateway import eventually
from tailrace_testing.tokens import TestIssuer

OPENING, AMOUNT = 100, 30
_SAVED = "tailrace.messaging.sagas:Saga._save"


async def _step(
    point: Failpoint, steps: Sequence[str], scene: Scene, *, takes: bool = True, late: bool = False
) -> None:
    """One transfer; `steps` are the states it goes through. With `late`, the credit is requested only after the time-out."""
    transfer = await _ask(scene, takes)
    if late:
        scene.held.add("transfer.credit_requested")
    async with scene.pump(), _clock(scene, strikes=late):
        for _ in range(2):
            await scene.start(point).struck()
            await _check_rows(scene)
        scene.start()
        await eventually(partial(_state, scene), lambda state: state == steps[-1], what=f"the saga {steps[-1]}")
        await _quiet(scene)
    async with scene.harness.tx() as tx:
        taken = await history(tx, "purse.transfers", transfer.id)
    assert [(step.from_state, step.to_state) for step in taken] == list(zip(["begin", *steps], steps, strict=False))
    await _check_rows(scene)
    await _check_end(scene, steps)


async def _ask(scene: Scene, takes: bool) -> Transfer:
    async with scene.harness.tx() as tx:
        source, target = Account.open(OPENING), Account.open(0, takes=takes)
        tx.add_all([source, target])
        transfer = Transfer.ask(source.id, target.id, AMOUNT)
        tx.add(transfer)
    return transfer


@asynccontextmanager
async def _clock(scene: Scene, *, strikes: bool) -> AsyncIterator[None]:
    """Meanwhile each deadline comes as soon as it is set, and what is held is carried after the time-out."""

    async def strike() -> None:
        admin = await asyncpg.connect(scene.harness.admin_url)
        try:
            while scene.held:
                await admin.execute("UPDATE timer SET due_at = now() - interval '1 second' WHERE due_at > now()")
                if await admin.fetchval("SELECT state FROM saga") == "timed out":
                    scene.held.clear()
                await asyncio.sleep(0.05)
        finally:
            await admin.close()

    striking = asyncio.create_task(strike()) if strikes else None
    try:
        yield
    finally:
        if striking is not None:
            striking.cancel()
            await asyncio.gather(striking, return_exceptions=True)


async def _state(scene: Scene) -> str | None:
    state: str | None = await scene.harness.admin.fetchval("SELECT state FROM saga")
    return state


async def _check_rows(scene: Scene) -> None:
    """What the accounts hold is what the events say, at any moment."""
    admin = scene.harness.admin
    signs = {"account.debited": -1, "account.credited": 1, "account.refunded": 1, "account.reclaimed": -1}
    events = await admin.fetch("SELECT type FROM outbox WHERE topic <> 'tailrace.canary'")
    expected = OPENING + sum(AMOUNT * signs.get(row["type"], 0) for row in events)
    assert await admin.fetchval("SELECT sum(balance) FROM account") == expected


async def _quiet(scene: Scene) -> None:
    """Returns when every event has been carried, and everything on the topic was read."""
    events = await scene.harness.admin.fetchval("SELECT count(*) FROM outbox WHERE topic <> 'tailrace.canary'")

    def read_all(found: tuple[int, int]) -> bool:
        return found == (2 * events, 2 * events)

    await eventually(scene.read, read_all, what=f"each of {events} events read twice")


async def _check_end(scene: Scene, steps: Sequence[str]) -> None:
    admin = scene.harness.admin
    moved = AMOUNT if steps[-1] == "done" else 0
    balances = await admin.fetch("SELECT balance FROM account ORDER BY balance DESC")
    assert [row["balance"] for row in balances] == [OPENING - moved, moved]
    events = Counter(
        row["type"] for row in await admin.fetch("SELECT type FROM outbox WHERE topic <> 'tailrace.canary'")
    )
    expected = {"account.opened": 2, "transfer.asked": 1, "transfer.credit_requested": 1, "account.debited": 1}
    expected |= {"account.credited": 1} if steps[-1] in {"done", "undone"} else {"transfer.credit_refused": 1}
    expected |= {} if steps[-1] == "done" else {"account.refunded": 1}
    expected |= {"account.reclaimed": 1} if steps[-1] == "undone" else {}
    assert events == expected
    assert await admin.fetchval("SELECT count(*) FROM dead_letter") == 0
    assert await admin.fetchval("SELECT count(*) FROM timer") == 0


DONE, REFUSED, UNDONE = ["crediting", "done"], ["crediting", "refused"], ["crediting", "timed out", "undone"]
PLAYS: dict[str, Play] = {
    "request recorded": partial(_step, Failpoint(_SAVED, "after", having="transfer.asked"), DONE),
    "request committed, offset not": partial(_step, Failpoint("aiokafka:AIOKafkaConsumer.commit"), DONE),
    "request carried out": partial(_step, Failpoint("purse:crediting.handle", "after"), DONE),
    "answer arrives": partial(_step, Failpoint(_SAVED, "after", having="account.credited"), DONE),
    "compensation": partial(_step, Failpoint(_SAVED, "after", having="transfer.credit_refused"), REFUSED, takes=False),
    "time-out": partial(_step, Failpoint(_SAVED, "after", having="time-out in crediting"), UNDONE, late=True),
    "success after the time-out": partial(
        _step, Failpoint(_SAVED, "after", having="account.credited"), UNDONE, late=True
    ),
}


@pytest.fixture(scope="module")
async def under_way(
    request: pytest.FixtureRequest, databases: Databases, issuer: TestIssuer, forkserver: ForkServer, kafka: str
) -> AsyncIterator[dict[str, "asyncio.Task[None]"]]:
    async with playing(PLAYS, request, service, "purse.events", databases, issuer, forkserver, kafka) as tasks:
        yield tasks


@pytest.mark.parametrize("play", PLAYS)
async def test_a_saga_dies_twice(play: str, under_way: dict[str, "asyncio.Task[None]"]) -> None:
    await under_way[play]
