"""Whoever leaves looks after nobody: whoever takes over does, a batch at a time and once each; or nobody, and that is told."""

from typing import Any
from uuid import UUID

import pytest

from contracts.users import UserCreated, UserDeleted
from customers import commands
from tailrace.core.ids import uuid7

from .conftest import AT, Sales


async def all_fired(sales: Sales) -> int:
    fired = 0
    while some := await sales.h.fire_timers():
        fired += some
    return fired


async def leaves(sales: Sales, user: UUID, to: UUID | None) -> None:
    await sales.h.deliver(UserDeleted(user_id=user, successor_id=to), aggregate_id=user)


async def told(sales: Sales, type: str) -> list[Any]:
    return [one.event for one in await sales.h.published(type)]


async def test_the_customers_of_a_leaver_are_left_without_anybody(
    sales: Sales, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands.handover, "at_once", 2)
    theirs = [await sales.create(f"Theirs {number}") for number in range(5)]
    others, gone = await sales.create("Others"), await sales.create("Gone")
    for customer in [*theirs, gone]:
        await sales.assigned(customer, sales.bo)
    await sales.assigned(others, sales.cy)
    await sales.act(theirs[4], "merge", into_customer_id=others["id"], reason="The same")
    assert (await sales.h.client.delete(f"{AT}/{gone['id']}")).status_code == 204
    before = len(await sales.h.published("customer.assigned"))

    await sales.leaves(sales.bo)
    assert await all_fired(sales) == 3, "two, two, and the last one"
    assert [(await sales.read(customer))["sales_rep_id"] for customer in theirs] == [None] * 5
    assert (await sales.read(others))["sales_rep_id"] == str(sales.cy)
    assigned = (await told(sales, "customer.assigned"))[before:]
    assert sorted(str(one.customer_id) for one in assigned) == sorted(one["id"] for one in theirs)
    assert {one.previous_sales_rep_id for one in assigned} == {sales.bo}
    lost = await told(sales, "customer.unassigned")
    assert sorted(str(one.customer_id) for one in lost) == sorted(one["id"] for one in theirs)
    assert {(one.previous_sales_rep_id, "nobody takes over" in one.reason) for one in lost} == {(sales.bo, True)}


async def test_a_user_who_is_still_there_in_the_copy_is_looked_for_again(sales: Sales) -> None:
    async with sales.h.tx() as tx:
        await commands.handover.hand_over(tx, sales.bo)
    waiting = await sales.h.admin.fetchval("SELECT count(*) FROM timer WHERE key = $1", sales.bo)
    assert waiting == 1


async def test_whoever_takes_over_looks_after_the_customers(sales: Sales) -> None:
    customer, deleted = await sales.create(), await sales.create("Deleted")
    for each in (customer, deleted):
        await sales.assigned(each, sales.bo)
    assert (await sales.h.client.delete(f"{AT}/{deleted['id']}")).status_code == 204
    await leaves(sales, sales.bo, sales.cy)
    await all_fired(sales)
    assert (await sales.read(customer))["sales_rep_id"] == str(sales.cy)
    assert (await sales.act(deleted, "restore"))["sales_rep_id"] == str(sales.cy)
    newest = (await told(sales, "customer.assigned"))[-1]
    assert (newest.sales_rep_id, newest.previous_sales_rep_id) == (sales.cy, sales.bo)
    assert await told(sales, "customer.unassigned") == []


@pytest.mark.parametrize("first", ["bo", "cy"])
async def test_who_takes_over_may_have_left_too(sales: Sales, first: str) -> None:
    """In whichever order that is heard."""
    customer = await sales.assigned(await sales.create(), sales.bo)
    di = uuid7()
    await sales.h.deliver(UserCreated(user_id=di, email="d@a.example", name="Di", roles=[]), aggregate_id=di)
    heirs = {"bo": (sales.bo, sales.cy), "cy": (sales.cy, di)}
    for name in (first, "cy" if first == "bo" else "bo"):
        await leaves(sales, *heirs[name])
    await all_fired(sales)
    assert (await sales.read(customer))["sales_rep_id"] == str(di)


async def test_who_takes_over_is_waited_for(sales: Sales, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their own event may come later than that of whoever left, and for a minute nobody is told that nobody looks after the customer."""
    customer = await sales.assigned(await sales.create(), sales.bo)
    di = uuid7()
    await leaves(sales, sales.bo, di)
    await all_fired(sales)
    assert (await sales.read(customer))["sales_rep_id"] == str(sales.bo)
    await sales.h.deliver(UserCreated(user_id=di, email="d@a.example", name="Di", roles=[]), aggregate_id=di)
    await sales.h.make_timers_due()
    await all_fired(sales)
    assert (await sales.read(customer))["sales_rep_id"] == str(di)
    await leaves(sales, di, uuid7())
    await sales.h.admin.execute("UPDATE leaver SET left_at = now() - interval '2 minutes'")
    await sales.h.make_timers_due()
    await all_fired(sales)
    assert (await sales.read(customer))["sales_rep_id"] is None
    assert len(await told(sales, "customer.unassigned")) == 1


async def test_a_customer_given_to_somebody_who_leaves_meanwhile_goes_on_too(sales: Sales) -> None:
    """The copy of whoever is given a customer is held: either that is seen by the handover, or refused."""
    customer = await sales.create()
    await sales.h.deliver(UserDeleted(user_id=sales.bo, successor_id=sales.cy), aggregate_id=sales.bo)
    await sales.assigned(customer, sales.bo, 422)
    await sales.h.admin.execute("UPDATE user_copy SET active = true WHERE id = $1", sales.bo)
    await all_fired(sales)
    await sales.assigned(customer, sales.bo)
    await sales.h.admin.execute("UPDATE user_copy SET active = false WHERE id = $1", sales.bo)
    await sales.h.make_timers_due()
    await all_fired(sales)
    assert (await sales.read(customer))["sales_rep_id"] == str(sales.cy)
