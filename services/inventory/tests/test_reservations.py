"""Stock that is held: for orders by their events, for people by their requests; never more than there is."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from depot import Depot, reserved
from sqlalchemy import event

from contracts.orders import ReservationReleaseRequested, ReservationRequested
from tailrace.core.ids import uuid7

TABLES = ("inventory_event", "stock_level", "movement", "reservation", "timer", "outbox", "stream_snapshot")


async def rows(depot: Depot) -> dict[str, Any]:
    """Everything that the service keeps, marks and copies aside."""
    return {table: [tuple(r) for r in await depot.h.admin.fetch(f"SELECT * FROM {table}")] for table in TABLES}


async def test_an_order_gets_all_its_lines_or_none(depot: Depot) -> None:
    await depot.receive("5", 500)
    await depot.receive("5", 500, warehouse_id=depot.south)
    filled = await depot.order(depot.line("3"), depot.line("5", warehouse=depot.south))
    (made,) = await depot.told("reservation.made")
    assert (made.reservation_id, made.order_id, made.complete) == (filled.reservation_id, filled.order_id, True)
    assert reserved(made.lines) == [3, 5]
    assert [event.quantity for event in await depot.told("stock.reserved")] in ([3, 5], [5, 3])

    short = await depot.order(depot.line("1"), depot.line("2"), depot.line("1", warehouse=depot.south))
    (rejected,) = await depot.told("reservation.rejected")
    assert (rejected.order_id, reserved(rejected.lines)) == (short.order_id, [1, 1, 0])
    assert "2 are wanted and 1 are free, and 1 more lines are short" in rejected.reason
    assert await depot.figures() == ("5", "3", 500)
    shown = await depot.reservation(short.reservation_id)
    assert (shown["status"], [line["held"] for line in shown["lines"]]) == ("rejected", ["0", "0", "0"])
    assert len((await depot.get("reservations", status="made"))["items"]) == 1


async def test_a_part_is_held_when_that_is_allowed(depot: Depot) -> None:
    await depot.receive("5", 500)
    request = await depot.order(depot.line("3"), depot.line("4"), depot.line("1"), partial=True)
    (made,) = await depot.told("reservation.made")
    assert (made.complete, reserved(made.lines)) == (False, [3, 2, 0])
    shown = await depot.reservation(request.reservation_id)
    assert (shown["complete"], [line["held"] for line in shown["lines"]]) == (False, ["3", "2", "0"])
    await depot.order(depot.line("1"), partial=True)
    assert len(await depot.told("reservation.rejected")) == 1


async def test_an_item_nobody_ever_had_is_rejected_not_dead_lettered(depot: Depot) -> None:
    await depot.order(depot.line("1", item=uuid7()))
    (rejected,) = await depot.told("reservation.rejected")
    assert reserved(rejected.lines) == [0]
    await depot.order()
    assert (await depot.told("reservation.rejected"))[1].reason == "Nothing was asked for."
    assert await depot.h.admin.fetchval("SELECT count(*) FROM stock_level") == 0


async def test_what_is_dispatched_uses_the_reservation_up(depot: Depot) -> None:
    await depot.receive("3", 100)
    await depot.receive("7", 700)
    request = await depot.order(depot.line("4"), depot.line("2"))
    await depot.dispatch(request, "1", "2")
    assert await depot.figures() == ("7", "3", 700)
    (drawn,) = await depot.told("reservation.drawn")
    assert [line.quantity for line in drawn.lines] == [1, 2]
    assert [line["held"] for line in (await depot.reservation(request.reservation_id))["lines"]] == ["3", "0"]

    assert await depot.told("reservation.consumed") == []
    event = depot.shipment(request, "3", "1")
    alone = event.model_copy(update={"lines": event.lines[:1]})
    await depot.h.deliver(alone, aggregate_id=event.shipment_id)
    assert await depot.figures() == ("4", "0", 400)
    (consumed,) = await depot.told("reservation.consumed")
    assert (consumed.reservation_id, consumed.order_id) == (request.reservation_id, request.order_id)
    issued = await depot.told("stock.issued")
    assert [(one.quantity, one.value, one.line_id) for one in issued] == [
        (1, 33, request.lines[0].line_id),
        (2, 67, request.lines[1].line_id),
        (3, 300, request.lines[0].line_id),
    ]
    assert {(one.reason, one.order_id, one.reservation_id) for one in issued} == {
        ("shipment", request.order_id, request.reservation_id)
    }
    (moved,) = (await depot.get("movements", shipment_id=event.shipment_id))["items"]
    assert (moved["quantity"], moved["value"], moved["reference"]) == ("-3", -300, "SH-1")
    assert (await depot.reservation(request.reservation_id))["status"] == "consumed"


async def test_each_event_and_each_request_counts_once(depot: Depot) -> None:
    await depot.receive("9", 900)
    request = await depot.order(depot.line("4"))
    shipment = depot.shipment(request, "1")
    record = await depot.h.deliver(shipment, aggregate_id=shipment.shipment_id)
    before = await rows(depot)
    await depot.h.redeliver(record)
    await depot.h.deliver(request, aggregate_id=request.order_id)
    assert await rows(depot) == before
    assert await depot.figures() == ("8", "3", 800)


async def test_a_release_frees_what_is_left_and_is_always_answered(depot: Depot) -> None:
    await depot.receive("9", 900)
    request = await depot.order(depot.line("4"), depot.line("1"))
    await depot.dispatch(request, "1", "1")
    await depot.ask_release(request)
    assert await depot.figures() == ("7", "0", 700)
    (freed,) = await depot.told("stock.released")
    assert (freed.quantity, freed.line_id) == (3, request.lines[0].line_id)
    await depot.ask_release(request)
    assert [event.reason for event in await depot.told("reservation.released")] == ["cancelled", "cancelled"]
    assert len(await depot.told("stock.released")) == 1

    refused = await depot.order(depot.line("100"))
    await depot.ask_release(refused)
    assert (await depot.told("reservation.released"))[-1].order_id == refused.order_id
    shown = await depot.reservation(refused.reservation_id)
    assert shown["status"] == "rejected"
    assert shown["reason"].startswith("Not enough stock")


async def test_a_request_that_follows_its_own_release_holds_nothing(depot: Depot) -> None:
    await depot.receive("9", 900)
    order_id, reservation_id = uuid7(), uuid7()
    early = ReservationReleaseRequested(order_id=order_id, reservation_id=reservation_id, reason="too late")
    await depot.h.deliver(early, aggregate_id=order_id)
    request = await depot.order(depot.line("4"))
    late = request.model_copy(update={"order_id": order_id, "reservation_id": reservation_id})
    await depot.h.deliver(late, aggregate_id=order_id)
    assert await depot.figures() == ("9", "4", 900)
    assert len(await depot.told("reservation.made")) == 1
    assert (await depot.reservation(reservation_id))["status"] == "released"


async def test_time_ends_a_reservation_once(depot: Depot) -> None:
    await depot.receive("9", 900)
    soon = datetime.now(UTC) + timedelta(hours=1)
    line = {"item_id": str(depot.bolt), "warehouse_id": str(depot.north), "quantity": "4"}
    held = await depot.post("reservations", lines=[line], expires_in_seconds=60)
    used = await depot.order(depot.line("2"), expires_at=soon)
    await depot.dispatch(used)
    assert await depot.h.fire_timers() == 0
    await depot.h.make_timers_due()
    assert await depot.h.fire_timers() == 1
    assert await depot.figures() == ("7", "0", 700)
    (expired,) = await depot.told("reservation.expired")
    assert (str(expired.reservation_id), expired.order_id, expired.kept) == (held["id"], None, [])
    assert (await depot.reservation(held["id"]))["status"] == "expired"
    assert (await depot.reservation(used.reservation_id))["status"] == "consumed"


async def test_what_an_order_holds_beyond_its_time_is_freed_when_the_order_says_what_left(depot: Depot) -> None:
    await depot.receive("9", 900)
    request = await depot.order(depot.line("4"), depot.line("2"), expires_at=datetime.now(UTC) + timedelta(hours=1))
    heard, unheard = depot.shipment(request, "1", "1"), depot.shipment(request, "2", "1")
    await depot.h.deliver(heard, aggregate_id=heard.shipment_id)
    await depot.h.make_timers_due()
    assert await depot.h.fire_timers() == 1
    (expired,) = await depot.told("reservation.expired")
    assert [line.quantity for line in expired.kept] == [3, 1]
    assert await depot.figures() == ("7", "4", 700)
    await depot.ask_release(request, heard, unheard)
    (released,) = await depot.told("reservation.released")
    assert [line.quantity for line in released.kept] == [2, 1]
    assert [event.quantity for event in await depot.told("stock.released")] == [1]
    assert await depot.figures() == ("7", "3", 700)
    await depot.order(depot.line("4"))
    await depot.h.deliver(unheard, aggregate_id=unheard.shipment_id)
    assert await depot.figures() == ("4", "4", 400)
    assert {event.reservation_id for event in await depot.told("stock.issued")} == {request.reservation_id}
    shown = await depot.reservation(request.reservation_id)
    assert (shown["status"], [line["held"] for line in shown["lines"]]) == ("expired", ["0", "0"])
    assert len(await depot.told("reservation.consumed")) == 1


async def _ended_while_leaving(depot: Depot, how: str) -> ReservationRequested:
    """Four are held for an order, and somebody or the clock ends that while they leave."""
    await depot.receive("9", 900)
    request = await depot.order(depot.line("4"), expires_at=datetime.now(UTC) + timedelta(hours=1))
    if how == "expired":
        await depot.h.make_timers_due()
        assert await depot.h.fire_timers() == 1
    else:
        path = f"/v1/inventory/reservations/{request.reservation_id}/release"
        assert (await depot.h.client.post(path, json={"reason": "needed elsewhere"})).status_code == 200
    assert (await depot.reservation(request.reservation_id))["status"] == how
    return request


@pytest.mark.parametrize("how", ["expired", "released"])
@pytest.mark.parametrize("asked", [False, True])
async def test_what_ended_while_all_of_it_left_was_consumed(depot: Depot, how: str, asked: bool) -> None:
    """Whether or not the order asks for the release before the departure is heard of."""
    request = await _ended_while_leaving(depot, how)
    first, last = depot.shipment(request, "1"), depot.shipment(request, "3")
    if asked:
        await depot.ask_release(request, first, last)
    await depot.h.deliver(first, aggregate_id=first.shipment_id)
    assert (await depot.reservation(request.reservation_id))["status"] == how
    await depot.h.deliver(last, aggregate_id=last.shipment_id)
    assert (await depot.reservation(request.reservation_id))["status"] == "consumed"
    if not asked:
        await depot.ask_release(request, first, last)
    assert (await depot.reservation(request.reservation_id))["status"] == "consumed"
    assert await depot.figures() == ("5", "0", 500)
    assert (await depot.h.prove()).proven


@pytest.mark.parametrize("how", ["expired", "released"])
async def test_what_ended_while_a_part_of_it_left_stays_ended(depot: Depot, how: str) -> None:
    request = await _ended_while_leaving(depot, how)
    left = depot.shipment(request, "1")
    await depot.ask_release(request, left)
    await depot.h.deliver(left, aggregate_id=left.shipment_id)
    assert len(await depot.told("reservation.consumed")) == 1
    assert (await depot.reservation(request.reservation_id))["status"] == how
    assert (await depot.h.prove()).proven


async def test_people_end_what_an_order_holds_and_do_not_take_it(depot: Depot) -> None:
    await depot.receive("9", 900)
    request = await depot.order(depot.line("4"))
    of_line = {"reservation_id": request.reservation_id, "line_id": request.lines[0].line_id, "reason": "scrap"}
    assert (await depot.post("issues", 409, quantity="1", **of_line))["type"].endswith("held-for-order")
    path = f"/v1/inventory/reservations/{request.reservation_id}/release"
    shown = (await depot.h.client.post(path, json={"reason": "needed elsewhere"})).json()
    assert (shown["status"], shown["lines"][0]["held"]) == ("released", "4")
    assert await depot.figures() == ("9", "4", 900)
    await depot.ask_release(request)
    assert await depot.figures() == ("9", "0", 900)
    assert [[line.quantity for line in event.kept] for event in await depot.told("reservation.released")] == [[4], []]


async def test_the_clock_and_a_dispatch_at_the_same_moment_do_not_wait_for_each_other(depot: Depot) -> None:
    await depot.receive("90", 900)
    for _ in range(8):
        request = await depot.order(depot.line("4"), expires_at=datetime.now(UTC) + timedelta(hours=1))
        await depot.h.make_timers_due()
        # A deadlock would be broken by failing one of the two.
        await asyncio.gather(depot.dispatch(request), depot.h.fire_timers())
        assert (await depot.reservation(request.reservation_id))["lines"][0]["held"] == "0"
    assert await depot.figures() == ("58", "0", 580)


async def test_goods_that_left_without_a_reservation_take_what_is_free(depot: Depot) -> None:
    await depot.receive("5", 500)
    gone = await depot.order(depot.line("3"))
    await depot.ask_release(gone)
    await depot.order(depot.line("1"))
    await depot.dispatch(gone)
    (issued,) = await depot.told("stock.issued")
    assert (issued.quantity, issued.reservation_id, issued.order_id) == (3, None, gone.order_id)
    assert await depot.figures() == ("2", "1", 200)
    assert await depot.told("reservation.consumed") == []


async def test_goods_that_the_books_do_not_have_wait_for_a_correction(depot: Depot) -> None:
    await depot.receive("5", 500)
    gone = await depot.order(depot.line("3"))
    await depot.ask_release(gone)
    await depot.order(depot.line("4"))
    event = depot.shipment(gone)
    before = await rows(depot)
    await depot.h.deliver(event, aggregate_id=event.shipment_id, may_dead_letter=True)
    row = await depot.h.admin.fetchrow("SELECT kind, reason FROM dead_letter")
    assert row is not None
    assert row["kind"] == "not_yet"
    assert "3 are wanted and 1 are free" in row["reason"]
    after = await rows(depot)
    assert {table for table in TABLES if after[table] != before[table]} <= {"outbox"}
    assert await depot.told("stock.issued") == []


async def test_twenty_at_once_never_oversell(depot: Depot) -> None:
    await depot.receive("10", 1000)
    body = {"lines": [{"item_id": str(depot.bolt), "warehouse_id": str(depot.north), "quantity": "1"}]}
    answers = await asyncio.gather(*[depot.h.client.post("/v1/inventory/reservations", json=body) for _ in range(20)])
    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [409] * 10
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    assert (refused["type"], refused["errors"][0]["field"]) == ("urn:tailrace:problem:stock-short", "/lines/0/quantity")
    assert await depot.figures() == ("10", "10", 1000)
    assert len(await depot.told("stock.reserved")) == len(await depot.told("reservation.made")) == 10
    assert (await depot.get(f"stock/{depot.bolt}/{depot.north}/replay"))["equal"] is True


async def test_many_that_want_the_same_two_stocks_all_come_through(depot: Depot) -> None:
    await depot.receive("100", 1000)
    await depot.receive("100", 1000, warehouse_id=depot.south)
    there, back = (depot.north, depot.south), (depot.south, depot.north)

    async def move(pair: tuple[Any, Any]) -> None:
        await depot.post("transfers", from_warehouse_id=pair[0], to_warehouse_id=pair[1], quantity="1")

    await asyncio.gather(*[move(pair) for pair in (there, back) * 6])
    assert [(await depot.stock(warehouse=w))["on_hand"] for w in there] == ["100", "100"]


async def test_an_order_of_many_items_needs_no_more_statements_than_one_of_two(depot: Depot) -> None:
    items = [uuid7() for _ in range(60)]
    for number, item in enumerate(items):
        await depot.item(item, f"ITEM-{number}")
        await depot.receive("9", 90, item_id=item)
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        statements.append(statement)

    engine = depot.h.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    counts: list[list[int]] = []
    for lines in ([depot.line("4", item=item) for item in some] for some in (items[:2], items[2:])):
        request = await depot.order(*lines)
        shipped = depot.shipment(request, *["1"] * len(lines))
        counts.append([len(statements)])
        await depot.h.deliver(shipped, aggregate_id=shipped.shipment_id)
        counts[-1].append(len(statements))
        await depot.ask_release(request)
        counts[-1].append(len(statements))
        statements.clear()
    event.remove(engine, "before_cursor_execute", note)
    assert counts[0] == counts[1]
    for item in (items[0], items[-1]):
        stock = await depot.stock(item)
        assert (stock["on_hand"], stock["reserved"]) == ("8", "0")


async def test_people_hold_use_and_give_back(depot: Depot) -> None:
    await depot.receive("9", 900)
    line = {"item_id": str(depot.bolt), "warehouse_id": str(depot.north), "quantity": "3"}
    held = await depot.post("reservations", lines=[line, line], expires_in_seconds=60)
    assert (held["status"], held["complete"], held["version"]) == ("made", True, 1)
    of_line = {"reservation_id": held["id"], "line_id": held["lines"][0]["line_id"], "reason": "consumption"}
    assert (await depot.post("issues", 409, quantity="4", **of_line))["type"].endswith("not-held")
    await depot.post("issues", quantity="2", **of_line)
    assert await depot.figures() == ("7", "4", 700)
    path = f"/v1/inventory/reservations/{held['id']}/release"
    assert (await depot.h.client.post(path, headers={"If-Match": '"1"'})).status_code == 412
    freed = await depot.h.client.post(path, json={"reason": "not needed"}, headers={"If-Match": '"2"'})
    assert freed.status_code == 200
    assert (freed.json()["status"], freed.json()["reason"], freed.headers["etag"]) == ("released", "not needed", '"3"')
    assert await depot.figures() == ("7", "0", 700)
    assert (await depot.h.client.post(path)).json()["type"].endswith("reservation-ended")
    assert (await depot.post("issues", 409, quantity="1", **of_line))["type"].endswith("reservation-ended")
    await depot.h.make_timers_due()
    assert await depot.h.fire_timers() == 0
    unknown = f"/v1/inventory/reservations/{uuid7()}/release"
    assert (await depot.h.client.post(unknown)).status_code == 404
