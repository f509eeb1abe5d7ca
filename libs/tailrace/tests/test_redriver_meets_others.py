"""Dead letters are applied in sequence, once, whatever else is at work: other redrives, consumers, a rebalance."""

import asyncio
import random
from collections.abc import Awaitable
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from sqlalchemy import exists, select
from toy.redriving import ECHO, HEARD, ask, dead_letters, echoed, event, hear, mark, nobody_hears, stand_still, times

from tailrace.core.ids import uuid7
from tailrace.db import tables
from tailrace.db.error_classes import is_transient
from tailrace.messaging.inbox import MarkMoved
from tailrace_testing import Harness


async def test_redrives_of_one_aggregate_take_turns(toy: Harness) -> None:
    cure, key = uuid7(), uuid7()
    texts = [f"poison {cure}", *map(str, range(2, 12))]
    await ask(toy, key, *texts)
    await hear(toy, cure)
    async with nobody_hears(toy):
        redrives = [asyncio.create_task(toy.redriver.redrive((ECHO, key))) for _ in range(4)]
        await stand_still(toy, 4)
    outcomes = await asyncio.gather(*redrives)
    assert sum(outcome.applied for outcome in outcomes) == sum(outcome.progress for outcome in outcomes) == 11
    assert {outcome.stopped for outcome in outcomes} == {None}
    assert (await echoed(toy), await mark(toy, (ECHO, key))) == (texts, 11)


async def test_of_redrives_that_fail_at_once_one_counts(toy: Harness) -> None:
    key = uuid7()
    await ask(toy, key, f"after {uuid7()}")
    async with nobody_hears(toy):
        redrives = [asyncio.create_task(toy.redriver.redrive((HEARD, key))) for _ in range(3)]
        await stand_still(toy, 3)
    outcomes = await asyncio.gather(*redrives)
    attempts = await toy.admin.fetchval("SELECT attempts FROM dead_letter WHERE subscriber = $1", HEARD)
    assert attempts == max(outcome.stopped.attempts for outcome in outcomes if outcome.stopped)
    assert 1 <= attempts <= 3


@pytest.mark.parametrize("begun", [False, True], ids=["at the first event", "later on"])
async def test_an_event_that_comes_while_the_last_dead_letter_is_applied_follows_it(toy: Harness, begun: bool) -> None:
    cure, key = uuid7(), uuid7()
    texts = (["zero"] if begun else []) + [f"poison {cure}"]
    await ask(toy, key, *texts)
    await hear(toy, cure)
    following = event(toy, key, len(texts) + 1, "next")
    async with nobody_hears(toy):
        redrive = asyncio.create_task(toy.redriver.redrive((HEARD, key)))
        await stand_still(toy, 1)
        live = asyncio.create_task(toy.dispatcher.deliver([following]))
        await stand_still(toy, 2)
    await asyncio.gather(redrive, live)
    assert await dead_letters(toy, (HEARD, key)) == []
    assert (await times(toy, key), await mark(toy, (HEARD, key))) == (len(texts) + 1, len(texts) + 1)


@pytest.mark.parametrize("begun", [False, True], ids=["at the first event", "later on"])
async def test_an_event_dead_lettered_behind_while_a_redrive_begins_is_redriven_too(toy: Harness, begun: bool) -> None:
    cure, key, other = uuid7(), uuid7(), uuid7()
    texts = (["zero"] if begun else []) + [f"poison {cure}"]
    await ask(toy, key, *texts)
    await hear(toy, cure)
    behind, slow = event(toy, key, len(texts) + 1, "next"), event(toy, other, 1, "slow")
    async with nobody_hears(toy):
        live = asyncio.create_task(toy.dispatcher.deliver([behind, slow]))
        await stand_still(toy, 1)
        redrive = asyncio.create_task(toy.redriver.redrive((HEARD, key)))
        await stand_still(toy, 2)
    await live
    assert (await redrive).applied == 2
    assert (await dead_letters(toy, (HEARD, key)), await times(toy, key)) == ([], len(texts) + 1)
    assert await times(toy, other) == 1


async def test_an_aggregates_first_events_are_not_applied_again_behind_the_first_of_them(toy: Harness) -> None:
    """While one consumer applies two first events in one transaction, another one, in a rebalance, has applied the first and gone."""
    key = uuid7()
    events = [event(toy, key, number, text) for number, text in ((1, "one"), (2, "two"))]
    async with nobody_hears(toy):
        both = asyncio.create_task(toy.dispatcher.deliver(events))
        await stand_still(toy, 1)
        for subscriber in (HEARD, ECHO, "toy.talk"):
            await toy.admin.execute("INSERT INTO inbox VALUES ($1, $2, 1, 1)", subscriber, key)
    with pytest.raises(MarkMoved):
        await both
    assert (await times(toy, key), await echoed(toy)) == (0, [])
    await toy.dispatcher.deliver(events)
    assert (await times(toy, key), await echoed(toy), await mark(toy, (ECHO, key))) == (1, ["two"], 2)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_exact_while_consumers_and_redrives_meet(toy: Harness, seed: int) -> None:
    """Two consumers (a rebalance) and three redrives over events of which some wait for others: each has one effect, in sequence."""
    chance = random.Random(seed)
    keys, cures = [uuid7() for _ in range(4)], [uuid7() for _ in range(4)]
    words = ["plain", *(f"{word} {cure}" for word in ("after", "poison") for cure in cures[:2])]
    events = [event(toy, key, n, chance.choice(words)) for n in range(1, 16) for key in keys]
    delivered = asyncio.Event()

    async def consume() -> None:
        for start in range(0, len(events), 5):
            while not await _came_through(toy.dispatcher.deliver(events[start : start + 5])):
                continue
            await asyncio.sleep(chance.random() / 50)

    async def redrive() -> None:
        while not delivered.is_set() or await _any_dead_letter(toy):
            await _came_through(toy.redriver.redrive((chance.choice([HEARD, ECHO]), chance.choice(keys))))
            await asyncio.sleep(0.005)

    async def cure() -> None:
        for key in cures:
            await asyncio.sleep(0.2)
            await hear(toy, key)

    redrives = [asyncio.create_task(redrive()) for _ in range(3)]
    await asyncio.gather(consume(), consume(), cure())
    delivered.set()
    await asyncio.wait_for(asyncio.gather(*redrives), 300)
    assert {await times(toy, key) for key in keys} == {15}
    places = {
        headers["ce_id"]: (headers["ce_subject"], int(headers["ce_sequence"])) for headers in map(_headers, events)
    }
    echoed: dict[str, list[int]] = {str(key): [] for key in keys}
    for note in await toy.published("note.written"):
        aggregate, sequence = places[str(note.causation_id)]
        echoed[aggregate].append(sequence)
    assert echoed == {str(key): list(range(1, 16)) for key in keys}


async def _came_through(work: Awaitable[Any]) -> bool:
    """Whether it did, or met with something that passes; anything else is raised."""
    try:
        await work
    except Exception as error:
        if is_transient(error):
            return False
        raise
    return True


async def _any_dead_letter(toy: Harness) -> bool:
    async with toy.tx() as tx:
        return bool(await tx.scalar(select(exists().select_from(tables.dead_letter))))


def _headers(record: ConsumerRecord) -> dict[str, str]:
    return {name: value.decode() for name, value in record.headers}
