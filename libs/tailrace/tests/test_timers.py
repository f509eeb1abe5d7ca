"""A deadline is met once, moved by whoever sets it last, and one that fails is tried again without holding up the others."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest
from sqlalchemy import RowMapping, func, select
from toy import Asked, Note, service, talk

from tailrace.core.ids import uuid7
from tailrace.core.payload import LARGEST, Payload
from tailrace.db.tables import saga, timer_payload
from tailrace.http.routing import Tx
from tailrace.messaging.timers import Timer, TimerRunner
from tailrace_testing import Harness, MakeHarness
from tailrace_testing.gateway import eventually

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
    assert (note.tenant_id, note.actor_id) == (toy.tenant, "timer:toy.reminder")


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


async def test_one_that_fails_and_was_set_again_keeps_its_new_time(
    toy: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _set(toy, FAILS, datetime.now(UTC) - timedelta(seconds=1))
    push_back = TimerRunner._push_back

    async def too_late(runner: TimerRunner, due: RowMapping) -> None:
        await _set(toy, FAILS, TOMORROW)
        await push_back(runner, due)

    monkeypatch.setattr(TimerRunner, "_push_back", too_late)
    await toy.fire_timers()
    assert await toy.admin.fetchval("SELECT due_at FROM timer") == TOMORROW


@pytest.mark.parametrize("act", ["moved", "cleared"])
async def test_one_that_fires_while_it_is_moved_or_cleared_waits_its_turn(toy: Harness, act: str) -> None:
    """Both hold what the other wants in the order that used to end in a deadlock: the process first, then its deadline."""
    key = uuid7()
    await toy.deliver(Asked(key=key, text="ready?"), aggregate_id=uuid7())
    await toy.make_timers_due()
    async with toy.tx() as tx:
        await tx.execute(select(saga).where(saga.c.key == key).with_for_update())
        firing = asyncio.create_task(toy.fire_timers())
        blocked = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        await eventually(lambda: toy.admin.fetchval(blocked), bool, what="a deadline that waits for the process")
        if act == "moved":
            await talk.timer.set(tx, key, TOMORROW)
        else:
            await talk.timer.clear(tx, key)
    assert await asyncio.wait_for(firing, 300) == 0
    assert [note.event.text for note in await toy.published("note.written")] == ["ready?"]  # type: ignore[attr-defined]
    left = await toy.admin.fetch("SELECT due_at FROM timer WHERE key = $1", key)
    assert [row["due_at"] for row in left] == ([TOMORROW] if act == "moved" else [])


async def test_a_handler_may_set_its_own_deadline_again(toy: Harness) -> None:
    again = Timer("toy.again")

    @again.due
    async def repeat(tx: Tx, key: UUID) -> None:
        await again.set(tx, key, TOMORROW)

    async with toy.tx() as tx:
        await again.set(tx, uuid7(), datetime.now(UTC) - timedelta(seconds=1))
    runner = TimerRunner(toy.database, [again])
    assert (await runner.fire_due(), await runner.fire_due()) == (1, 0)
    assert await toy.admin.fetchval("SELECT due_at FROM timer") == TOMORROW


class Page(Payload):
    version: ClassVar[int] = 2
    text: str
    times: int = 1

    @classmethod
    def upcast(cls, version: int, payload: dict[str, Any]) -> dict[str, Any]:
        return {"text": payload["words"]}


pages = Timer("toy.pages", carries=Page)


@pages.due
async def turn(tx: Tx, key: UUID, page: Page) -> None:
    tx.add(Note.write(page.text))
    if page.times > 1:
        await pages.set(tx, key, datetime.now(UTC), Page(text=page.text, times=page.times - 1))


@pytest.fixture
async def paged(make_harness: MakeHarness) -> Harness:
    return await make_harness(replace(service, timers=[pages]))


async def _turned(toy: Harness) -> list[str]:
    return [note.event.text for note in await toy.published("note.written")]  # type: ignore[attr-defined]


async def _payloads(toy: Harness) -> int:
    return int(await toy.admin.fetchval("SELECT count(*) FROM timer_payload"))


async def test_a_timer_hands_over_what_it_carries_the_later_word_and_leaves_nothing(paged: Harness) -> None:
    key, past = uuid7(), datetime.now(UTC) - timedelta(seconds=1)
    for text in ("first", "second"):
        async with paged.tx() as tx:
            await pages.set(tx, key, past, Page(text=text))
    assert (await paged.fire_timers(), await paged.fire_timers()) == (1, 0)
    assert (await _turned(paged), await _payloads(paged)) == (["second"], 0)


async def test_a_handler_may_set_it_again_with_another_payload(paged: Harness) -> None:
    async with paged.tx() as tx:
        await pages.set(tx, uuid7(), datetime.now(UTC), Page(text="on", times=3))
    assert await paged.fire_timers() == 3
    assert (await _turned(paged), await _payloads(paged)) == (["on"] * 3, 0)


async def test_one_that_is_cleared_takes_its_payload_along(paged: Harness) -> None:
    key = uuid7()
    async with paged.tx() as tx:
        await pages.set(tx, key, TOMORROW, Page(text="never"))
    async with paged.tx() as tx:
        await pages.clear(tx, key)
    assert await _payloads(paged) == 0


async def test_what_an_older_version_stored_is_read_and_a_newer_one_waits(paged: Harness) -> None:
    old, new = uuid7(), uuid7()
    async with paged.tx() as tx:
        for key in (old, new):
            await pages.set(tx, key, datetime.now(UTC), Page(text="now"))
    await paged.admin.execute(
        'UPDATE timer_payload SET version = 1, payload = \'{"words": "then"}\' WHERE key = $1', old
    )
    await paged.admin.execute("UPDATE timer_payload SET version = 3 WHERE key = $1", new)
    await paged.fire_timers()
    assert await _turned(paged) == ["then"]
    assert await paged.admin.fetchval("SELECT key FROM timer_payload") == new


async def test_set_again_to_the_same_moment_while_it_fires_the_later_payload_counts(paged: Harness) -> None:
    key, past = uuid7(), datetime.now(UTC) - timedelta(seconds=1)
    again = Timer("toy.pages", carries=Page)

    @again.due
    async def overtaken(tx: Tx, key: UUID, page: Page) -> None:
        tx.add(Note.write(page.text))
        if page.text == "early":
            async with paged.tx() as other:
                await pages.set(other, key, past, Page(text="late"))

    async with paged.tx() as tx:
        await again.set(tx, key, past, Page(text="early"))
    runner = TimerRunner(paged.database, [again])
    while await paged.admin.fetchval("SELECT count(*) FROM timer"):
        await runner.fire_due()
    assert (await _turned(paged), await _payloads(paged)) == (["late"], 0)


async def test_a_payload_is_small_and_of_its_kind(paged: Harness) -> None:
    async with paged.tx() as tx:
        with pytest.raises(ValueError, match="larger"):
            await pages.set(tx, uuid7(), TOMORROW, Page(text="x" * LARGEST))
        with pytest.raises(TypeError, match="carries"):
            await pages.set(tx, uuid7(), TOMORROW)
        with pytest.raises(TypeError, match="carries"):
            await reminder.set(tx, uuid7(), TOMORROW, Page(text="x"))


async def test_what_a_timer_carries_is_its_tenants_alone(paged: Harness) -> None:
    async with paged.tx() as tx:
        await pages.set(tx, uuid7(), TOMORROW, Page(text="mine"))
    for tenant, seen in ((paged.tenant, 1), (paged.other_tenant, 0)):
        async with paged.tx(tenant) as tx:
            assert await tx.scalar(select(func.count()).select_from(timer_payload)) == seen
