"""What could not be had waits, and is given out by turn: priority, requested date, confirmation; exactly, whoever comes at the same moment."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from depot import Depot, reserved

from contracts import orders
from tailrace.core.ids import uuid7

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)


def turn(priority: int = 5, wanted: str | None = None, minute: int = 0) -> dict[str, Any]:
    """Waits in that turn; `minute` is when it was confirmed."""
    day = None if wanted is None else date.fromisoformat(wanted)
    at = BEGAN + timedelta(minutes=minute)
    return {"waits": True, "rank": orders.Rank(priority=priority, requested_date=day, confirmed_at=at)}


async def give_out(depot: Depot) -> int:
    """Let what became free be given to those who wait; how many timers fired."""
    await depot.h.make_timers_due()
    return await depot.h.fire_timers()


async def fills(depot: Depot) -> list[tuple[Any, list[int]]]:
    """Which requests have been filled so far, and by how much of each line."""
    return [(one.fills, reserved(one.lines)) for one in await depot.told("reservation.made") if one.fills]


async def waiting(depot: Depot, request: orders.ReservationRequested) -> tuple[str, list[str]]:
    (one,) = (await depot.get("backorders", order_id=str(request.order_id)))["items"]
    return one["status"], [line["quantity"] for line in one["lines"]]


async def test_goods_go_to_whose_turn_it_is_and_the_rest_waits_on(depot: Depot) -> None:
    await depot.receive("2", 200)
    last = await depot.order(depot.line("4"), partial=True, **turn(minute=1))
    later = await depot.order(depot.line("3"), partial=True, **turn(minute=2))
    dated = await depot.order(depot.line("3"), partial=True, **turn(wanted="2026-04-02", minute=3))
    sooner = await depot.order(depot.line("3"), partial=True, **turn(wanted="2026-04-01", minute=4))
    urgent = await depot.order(depot.line("3"), partial=True, **turn(priority=1, minute=5))
    (made,) = await depot.told("reservation.made")
    assert (made.reservation_id, made.waiting, made.complete, reserved(made.lines)) == (
        last.reservation_id,
        True,
        False,
        [2],
    )
    assert {one.waiting for one in await depot.told("reservation.rejected")} == {True}
    assert await waiting(depot, last) == ("open", ["2"])

    await depot.receive("7", 700)
    assert await fills(depot) == []
    assert await give_out(depot) == 1
    by_turn = [urgent, sooner, dated, last, later]
    assert await fills(depot) == [(one.reservation_id, [n]) for one, n in zip(by_turn, (3, 3, 1), strict=False)]
    assert await depot.figures() == ("9", "9", 900)
    assert [await waiting(depot, one) for one in by_turn] == [
        ("filled", []),
        ("filled", []),
        ("open", ["2"]),
        ("open", ["2"]),
        ("open", ["3"]),
    ]
    # Nothing is free: nobody is woken, and a timer that comes all the same changes nothing.
    assert await give_out(depot) == 0

    await depot.ask_release(urgent)
    await depot.ask_release(last)
    assert await give_out(depot) == 1
    assert (await fills(depot))[3:] == [(dated.reservation_id, [2])]
    assert (await depot.get("stock"))["items"][0]["available"] == "0"
    proof = await depot.h.prove()
    assert proof.proven, proof.differences


async def test_all_or_nothing_waits_for_the_last_piece_and_holds_nothing_meanwhile(depot: Depot) -> None:
    await depot.receive("5", 500)
    both = (depot.line("4"), depot.line("2", warehouse=depot.south))
    whole = await depot.order(*both, **turn(priority=1), hold_seconds=60)
    assert (await depot.told("reservation.rejected"))[0].waiting
    assert await depot.figures() == ("5", "0", 500)
    await depot.receive("1", 100, warehouse_id=depot.south)
    await give_out(depot)
    assert await fills(depot) == []
    # What it does not hold, another may have; then it lacks that.
    other = await depot.order(depot.line("2"), **turn(priority=9))
    assert (await depot.reservation(other.reservation_id))["status"] == "made"
    await depot.receive("1", 100, warehouse_id=depot.south)
    await give_out(depot)
    assert await fills(depot) == []
    await depot.receive("1", 100)
    assert await give_out(depot) == 1
    assert await fills(depot) == [(whole.reservation_id, [4, 2])]
    (made,) = [one for one in await depot.told("reservation.made") if one.fills]
    assert (made.complete, made.waiting) == (True, False)
    assert made.expires_at is not None
    # It ends by itself, as any reservation with a time does.
    assert await give_out(depot) == 1
    assert (await depot.reservation(made.reservation_id))["status"] == "expired"
    proof = await depot.h.prove()
    assert proof.proven, proof.differences


async def test_who_comes_now_does_not_pass_those_who_wait(depot: Depot) -> None:
    first = await depot.order(depot.line("4"), partial=True, **turn(minute=1))
    await depot.receive("5", 500)
    # The goods are there and not given out yet, when somebody asks who comes later, and a person who has no turn at all.
    line = {"item_id": str(depot.bolt), "warehouse_id": str(depot.north), "quantity": "2"}
    assert (await depot.post("reservations", 409, lines=[line]))["type"].endswith("stock-short")
    late = await depot.order(depot.line("4"), partial=True, **turn(minute=9))
    assert await fills(depot) == [(first.reservation_id, [4])]
    assert [reserved(one.lines) for one in await depot.told("reservation.made") if not one.fills] == [[1]]
    assert await waiting(depot, late) == ("open", ["3"])
    # Who comes before those who wait has it first.
    await depot.receive("3", 300)
    rush = await depot.order(depot.line("2"), **turn(priority=1, minute=10))
    assert (await depot.reservation(rush.reservation_id))["status"] == "made"
    assert (await fills(depot))[1:] == [(late.reservation_id, [1])]


async def test_who_does_not_wait_any_more_gets_nothing(depot: Depot) -> None:
    gone = await depot.order(depot.line("4"), partial=True, **turn(minute=1))
    stays = await depot.order(depot.line("4"), partial=True, **turn(minute=2))
    said = orders.BackorderCancellationRequested(
        order_id=gone.order_id, reservation_id=gone.reservation_id, reason="on hold"
    )
    for _ in range(2):
        await depot.h.deliver(said, aggregate_id=gone.order_id)
    assert len(await depot.told("backorder.closed")) == 1
    assert await waiting(depot, gone) == ("closed", ["4"])
    never = said.model_copy(update={"reservation_id": uuid7()})
    await depot.h.deliver(never, aggregate_id=gone.order_id)
    await depot.receive("6", 600)
    await give_out(depot)
    assert await fills(depot) == [(stays.reservation_id, [4])]
    assert len((await depot.get("backorders", status="open"))["items"]) == 0


async def test_two_receipts_and_a_cancellation_at_once_give_each_piece_once(depot: Depot) -> None:
    wanted = [await depot.order(depot.line("3"), partial=True, **turn(minute=n)) for n in range(6)]
    gone = wanted[2]
    said = orders.BackorderCancellationRequested(order_id=gone.order_id, reservation_id=gone.reservation_id, reason="-")
    await depot.h.make_timers_due()

    async def come() -> None:
        await depot.receive("4", 400)
        await depot.h.fire_timers()

    await asyncio.gather(*[come() for _ in range(3)], depot.h.deliver(said, aggregate_id=gone.order_id))
    while await give_out(depot):
        pass
    given = await fills(depot)
    by_request: dict[Any, int] = {}
    for request, (quantity,) in given:
        by_request[request] = by_request.get(request, 0) + quantity
    assert sum(by_request.values()) == 12
    assert await depot.figures() == ("12", "12", 1200)
    left = by_request.pop(gone.reservation_id, 0)
    others = [one.reservation_id for one in wanted if one is not gone]
    # By turn among those who stayed, after what the one that went had before it did.
    due = 12 - left
    for id in others:
        part = min(3, due)
        assert by_request.get(id, 0) == part
        due -= part
    assert (await depot.get(f"stock/{depot.bolt}/{depot.north}/replay"))["equal"] is True
    proof = await depot.h.prove()
    assert proof.proven, proof.differences


async def test_a_request_heard_twice_waits_once_and_one_that_may_not_wait_does_not(depot: Depot) -> None:
    request = await depot.order(depot.line("3"), **turn())
    await depot.h.deliver(request, aggregate_id=request.order_id)
    assert len(await depot.told("backorder.opened")) == 1
    stops = await depot.order(depot.line("3"), **{**turn(), "waits": False})
    assert (await depot.get("backorders", order_id=str(stops.order_id)))["items"] == []
    # Filled by a count that finds more, and by goods from elsewhere.
    await depot.post("adjustments", quantity="2", reason="count", value=20, currency="EUR")
    await depot.receive("1", 10, warehouse_id=depot.south)
    await depot.post("transfers", from_warehouse_id=depot.south, to_warehouse_id=depot.north, quantity="1")
    assert await give_out(depot) == 1
    assert await fills(depot) == [(request.reservation_id, [3])]
    assert (await depot.stock())["reserved"] == str(Decimal(3))
