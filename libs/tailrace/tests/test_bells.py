"""A bell is heard at the commit and not before, by who waits for it and by nobody else, over one connection that goes when nobody waits."""

import asyncio
from dataclasses import replace

import pytest
from toy import service

from tailrace.db.bells import Bell, Ear
from tailrace_testing import Harness, MakeHarness
from tailrace_testing.gateway import eventually

bell = Bell("toy")


@pytest.fixture
async def toy(make_harness: MakeHarness) -> Harness:
    return await make_harness(replace(service, subscribers=[], routers=[]))


async def _in_use(toy: Harness) -> int:
    return toy.database.in_use


async def test_it_is_heard_at_the_commit_by_who_waits_for_it(toy: Harness) -> None:
    ear = Ear(bell, toy.database)
    with ear.waiting("ada") as ada, ear.waiting("bo") as bo:
        # The ear listens from here on: what may have been missed before rings once.
        await asyncio.wait_for(ada.wait(), 60)
        ada.clear()
        bo.clear()
        with pytest.raises(ZeroDivisionError):
            async with toy.tx() as tx:
                await bell.ring(tx, "ada")
                raise ZeroDivisionError
        async with toy.tx() as tx:
            await bell.ring(tx, "bo")
            assert not bo.is_set()
        await asyncio.wait_for(bo.wait(), 60)
        assert not ada.is_set(), "what is undone rings nowhere, and nobody hears another's"
        assert await _in_use(toy) == 1
    assert len(ear) == 0
    await eventually(lambda: _in_use(toy), lambda used: used == 0, within=60, what="no connection")


async def test_who_waits_after_all_others_went_hears(toy: Harness) -> None:
    ear = Ear(bell, toy.database)
    for _ in range(2):
        with ear.waiting("ada") as ada:
            await asyncio.wait_for(ada.wait(), 60)
            ada.clear()
            async with toy.tx() as tx:
                await bell.ring(tx, "ada")
            await asyncio.wait_for(ada.wait(), 60)
