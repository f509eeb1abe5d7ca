"""A deadline is met once, moved by whoever sets it last, and one that fails is tried again without holding up the others."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import RowMapping
from toy import Note, service

from tailrace.ids import uuid7
from tailrace.routing import Tx
from tailrace.timers import Clockwork, Timer
from tailrace_testing import Harness, MakeHarness

reminder = Timer("toy.reminder")
FAILS = uuid7()
TOMORROW = datetime(2126, 1, 1, tzinfo=UTC)


@reminder.due
async def remind(tx: Tx, key: UUID) -> None:
    if key == FAILS:
        raise ValueError("cannot remind")
    tx.add(Note.write(f"remember {key}"))


@pytest.fixture
async def toy(make_harness: MakeHarness) -> Harness:
    return await make_harness(replace(service, timers=[reminder]))


async def _set(toy: Harness, key: UUID, at: datetime) -> None:
    async with toy.tx() as tx:
        await reminder.set(tx, key, at)


async def test_set_twice_is_one_deadline_the_later_word(toy: Harness) -> None:
    key, past = uuid7(), datetime.now(UTC) - timedelta(seconds=1)
    await _set(toy, key, past)
    await _set(toy, key, TOMORROW)
    assert await toy.fire_timers() == 0
    await _set(toy, key, past)
    assert (await toy.fire_timers(), await toy.fire_timers()) == (1, 0)
    (note,) = await toy.published("note.written")
    assert note.tenant_id == toy.tenant


async def test_a_deadline_that_is_cleared_does_not_fire(toy: Harness) -> None:
    key = uuid7()
    await _set(toy, key, datetime.now(UTC))
    async with toy.tx() as tx:
        await reminder.clear(tx, key)
    assert await toy.fire_timers() == 0


async def test_one_that_fails_is_pushed_back_and_the_others_fire(toy: Harness) -> None:
    past = datetime.now(UTC) - timedelta(seconds=5)
    await _set(toy, FAILS, past)
    await _set(toy, uuid7(), past + timedelta(seconds=1))
    await toy.fire_timers()
    assert len(await toy.published("note.written")) == 1
    left = await toy.admin.fetch("SELECT key, due_at > now() + interval '50 seconds' AS later FROM timer")
    assert [(row["key"], row["later"]) for row in left] == [(FAILS, True)]


async def test_one_that_fails_and_was_set_anew_keeps_its_new_time(
    toy: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _set(toy, FAILS, datetime.now(UTC) - timedelta(seconds=1))
    push_back = Clockwork._push_back

    async def too_late(clockwork: Clockwork, due: RowMapping) -> None:
        await _set(toy, FAILS, TOMORROW)
        await push_back(clockwork, due)

    monkeypatch.setattr(Clockwork, "_push_back", too_late)
    await toy.fire_timers()
    assert await toy.admin.fetchval("SELECT due_at FROM timer") == TOMORROW
