"""Document numbers: no gap and no number twice, however many ask at once."""

import asyncio
from collections.abc import Collection

import pytest

from tailrace.core.context import Context
from tailrace.db.numbers import Numbers
from tailrace_testing import Harness
from tailrace_testing.gateway import eventually

NUMBERS = Numbers("note", "N-{number:04}")
PARTS = Numbers("part", "{series}-{number}")


async def somebody_waits(toy: Harness) -> None:
    """Returns when a transaction waits for the lock of another one."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    await eventually(lambda: toy.admin.fetchval(waiting), bool, what="somebody who waits for a lock")


async def test_who_asks_at_once_gets_consecutive_numbers(toy: Harness) -> None:
    async def one() -> str:
        async with toy.tx() as tx:
            return await NUMBERS.next(tx)

    given = await asyncio.gather(*(one() for _ in range(12)))
    assert sorted(given) == [f"N-{number:04}" for number in range(1, 13)]


async def test_a_number_of_what_was_rolled_back_is_given_again(toy: Harness) -> None:
    async with toy.tx() as tx:
        assert await NUMBERS.next(tx) == "N-0001"
    taken = asyncio.Event()

    async def give_up() -> None:
        async with toy.tx() as tx:
            assert await NUMBERS.next(tx) == "N-0002"
            taken.set()
            await somebody_waits(toy)
            raise LookupError

    async def wait_for_it() -> str:
        await taken.wait()
        async with toy.tx() as tx:
            return await NUMBERS.next(tx)

    gone, given = await asyncio.gather(give_up(), wait_for_it(), return_exceptions=True)
    assert isinstance(gone, LookupError)
    assert given == "N-0002"


async def test_tenants_kinds_and_series_count_each_from_one(toy: Harness) -> None:
    async with toy.tx() as tx:
        given = [
            await PARTS.next(tx, "A"),
            await PARTS.next(tx, "A"),
            await PARTS.next(tx, "B"),
            await NUMBERS.next(tx),
        ]
    assert given == ["A-1", "A-2", "B-1", "N-0001"]
    async with toy.tx(toy.other_tenant) as tx:
        assert await PARTS.next(tx, "A") == "A-1"


async def test_numbers_that_another_form_wrote_are_passed_over_however_many(toy: Harness) -> None:
    asked: list[int] = []

    async def taken(numbers: Collection[str]) -> Collection[str]:
        asked.append(len(numbers))
        return [each for each in numbers if int(each[2:]) <= 2_500]

    async with toy.tx(toy.other_tenant) as tx:
        assert await NUMBERS.next(tx) == "N-0001"
    async with toy.tx() as tx:
        assert await NUMBERS.next_free(tx, "", taken) == "N-2501"
    assert len(asked) == 4, "not one by one"
    async with toy.tx() as tx:
        assert await NUMBERS.next_free(tx, "", taken) == "N-2502"
        assert await NUMBERS.next(tx) == "N-2503"
        assert await PARTS.next_free(tx, "A", taken=_none) == "A-1"
    async with toy.tx(toy.other_tenant) as tx:
        assert await NUMBERS.next(tx) == "N-0002", "another tenant's count stays"


async def _none(numbers: Collection[str]) -> Collection[str]:
    return ()


async def test_without_a_tenant_there_is_no_number(toy: Harness) -> None:
    assert await toy.admin.fetchval("SELECT relforcerowsecurity FROM pg_class WHERE relname = 'document_number'")
    with pytest.raises(RuntimeError, match="no tenant"):
        async with toy.database.transaction(Context(tenant_id=None)) as tx:
            await NUMBERS.next(tx)
