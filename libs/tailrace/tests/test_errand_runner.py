"""Runners of errands share them and their targets: each errand runs once, nobody waits for another's, and a target that is down is left alone."""

import asyncio

import pytest
from errand_toy import GOOD, Errands
from partner import DROP, HANG, PartnerListener
from toy import Note

from tailrace.db.database import Tx
from tailrace.db.lookout import Lookout
from tailrace.errands.errands import Outcome
from tailrace_testing import MakeHarness
from tailrace_testing.gateway import eventually


@pytest.fixture
async def toy(make_harness: MakeHarness) -> Errands:
    toy = Errands()
    await toy.start(make_harness)
    return toy


async def test_whoever_was_late_applies_nothing(toy: Errands) -> None:
    """The first takes longer than its lease; the second has applied the outcome by the time the first hears."""
    async with PartnerListener([HANG, GOOD]) as partner:
        slow, quick = toy.runner(partner), toy.runner(partner)
        await toy.send(partner)
        going = asyncio.create_task(slow.run_due())
        await eventually(lambda: _now(len(partner.asked)), bool, what="the first call")
        await toy.come(quick)
        assert await toy.notes() == ["sure: yes"]
        partner.answers[0] = GOOD
        partner.release()
        await going
    assert (await toy.notes(), await toy.left()) == (["sure: yes"], (0, 0))


async def test_two_that_apply_at_once_apply_it_once(toy: Errands) -> None:
    """The fence is the last statement: the handler of the one that was late has run, and is undone."""
    together = asyncio.Barrier(2)

    @toy.ask.outcome
    async def both(tx: Tx, outcome: Outcome) -> None:
        tx.add(Note.write("once"))
        await tx.flush()
        await asyncio.wait_for(together.wait(), 60)

    async with PartnerListener([GOOD]) as partner:
        await toy.send(partner)
        first, second = toy.runner(partner), toy.runner(partner)
        going = asyncio.create_task(first.run_due())
        await eventually(lambda: _now(together.n_waiting), bool, what="the first to apply")
        await toy.come(second)
        await going
    assert (await toy.notes(), await toy.left()) == (["once"], (0, 0))


async def test_many_runners_run_each_once(toy: Errands) -> None:
    async with PartnerListener([GOOD]) as partner:
        for number in range(12):
            await toy.send(partner, str(number))
        await asyncio.gather(*[toy.runner(partner).run_due() for _ in range(4)])
        assert partner.connections == 12
    assert sorted(await toy.notes()) == sorted(f"{number}: yes" for number in range(12))


async def test_a_target_has_a_few_at_once(toy: Errands) -> None:
    async with PartnerListener([GOOD], pause=0.05) as partner:
        for number in range(12):
            await toy.send(partner, str(number), tenant=toy.h.tenant if number % 2 else toy.h.other_tenant)
        await toy.runner(partner).run_due()
        assert (partner.connections, partner.most_at_once) == (12, 4)


async def test_who_asks_for_much_delays_nobody(toy: Errands) -> None:
    """One tenant has forty waiting at one target; the other's single one is called among the first."""
    async with PartnerListener([GOOD], pause=0.02) as partner:
        for number in range(40):
            await toy.send(partner, f"much {number}")
        await toy.send(partner, "little", tenant=toy.h.other_tenant)
        await toy.runner(partner).run_due()
        place = [asked.body for asked in partner.asked].index(b'{"word": "little"}')
        assert place < 4


async def test_a_slow_target_of_one_tenant_leaves_room_for_others(make_harness: MakeHarness) -> None:
    toy = Errands()
    await toy.start(make_harness, errands_at_once=4)
    async with PartnerListener([HANG]) as slow, PartnerListener([HANG]) as slow_too, PartnerListener([GOOD]) as partner:
        for number in range(4):
            await toy.send(slow, f"slow {number}")
            await toy.send(slow_too, f"slow too {number}")
        runner = toy.runner(slow, slow_too, partner)
        going = asyncio.create_task(runner.run_due())
        await eventually(lambda: _now(slow.connections + slow_too.connections), lambda n: n == 2, what="half of all")
        await toy.send(partner, "quick", tenant=toy.h.other_tenant)
        turns = await runner.take()
        assert [turn.target for turn in turns] == [partner.target]
        slow.release()
        slow_too.release()
        going.cancel()


async def test_a_target_that_is_down_is_left_alone_and_its_errands_wait(toy: Errands) -> None:
    async with PartnerListener([DROP]) as partner, PartnerListener([GOOD]) as other:
        runner = toy.runner(partner, other)
        for number in range(8):
            await toy.send(partner, str(number))
        await runner.run_due()
        assert 5 <= partner.connections < 8
        before = partner.connections
        await toy.send(other, "other")
        await toy.come(runner)
        assert (partner.connections, await toy.notes()) == (before, ["other: yes"])
        tried = await toy.h.admin.fetch("SELECT tries FROM errand_turn")
        assert sum(row["tries"] for row in tried) == before
        # One whose time is over ends nevertheless, uncalled.
        await toy.h.admin.execute("UPDATE errand SET deadline = now()")
        await toy.come(runner)
        assert partner.connections == before
    assert len([each for each in toy.outcomes if each.failure == "deadline"]) == 8


async def test_it_stops_when_it_is_told_and_finishes_what_is_under_way(toy: Errands) -> None:
    stop = asyncio.Event()
    async with PartnerListener([GOOD], pause=0.3) as partner:
        lookout = Lookout(toy.h.database, every=5)
        running_on = asyncio.gather(toy.runner(partner).run(stop, lookout), lookout.run(stop))
        await toy.send(partner)
        await eventually(lambda: _now(len(partner.asked)), bool, what="the call")
        stop.set()
        await asyncio.wait_for(running_on, 60)
    assert await toy.notes() == ["sure: yes"]


async def _now(value: int) -> int:
    return value
