"""Lots and serial numbers: every movement of a tracked item says which, what expires first leaves first, and what quality stops does not leave."""

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from depot import TODAY, Depot

from contracts import orders, shipments
from contracts.inventory import StockIssued
from contracts.lots import LotQuantity
from contracts.users import DateBounds, TenantDatePolicyChanged
from tailrace.core.ids import uuid7

from .test_backorders import fills, give_out, turn, waiting


def lot(number: str, quantity: str, in_days: int | None = None, **given: Any) -> dict[str, Any]:
    last = {} if in_days is None else {"expires_on": (TODAY + timedelta(days=in_days)).isoformat()}
    return {"number": number, "quantity": quantity, **last, **given}


async def take_in(depot: Depot, *lots: dict[str, Any], status: int = 201, **given: Any) -> dict[str, Any]:
    quantity = str(sum(Decimal(one["quantity"]) for one in lots))
    return await depot.receive(quantity, 100, status, lots=list(lots), **given)


async def lot_of(depot: Depot, number: str) -> dict[str, Any]:
    (found,) = (await depot.get("lots", number=number))["items"]
    return await depot.get(f"lots/{found['id']}")


async def say(depot: Depot, number: str, status: str, code: int = 200) -> dict[str, Any]:
    at = f"/v1/inventory/lots/{(await lot_of(depot, number))['id']}/status"
    answer = await depot.h.client.post(at, json={"status": status, "reason": "a sample"})
    assert answer.status_code == code, answer.text
    return dict(answer.json())


def held(lots: Sequence[LotQuantity]) -> list[tuple[str, int]]:
    return [(one.number, int(one.quantity)) for one in lots]


async def refused(depot: Depot, path: str, status: int, problem: str, field: str, **body: Any) -> None:
    answer = await depot.post(path, status, **body)
    assert answer["type"].endswith(problem), answer
    assert [one["field"] for one in answer["errors"]] == [field], answer


async def test_each_movement_says_which_lots_or_is_refused(dairy: Depot) -> None:
    bought = {"quantity": "5", "value": 50, "currency": "EUR", "reason": "purchase"}
    for lots, field in (
        (None, "/lots"),
        ([lot("A", "4", 9)], "/lots"),
        ([lot("A", "5")], "/lots/0/expires_on"),
        ([lot("A", "2", 9), lot("A", "3", 9)], "/lots/1/number"),
    ):
        await refused(dairy, "receipts", 422, "invalid", field, **bought, lots=lots)
    for days in (-40_000, 60_000):
        far_off = [lot("A", "5", days)]
        await refused(dairy, "receipts", 422, "implausible-date", "/lots/0/expires_on", **bought, lots=far_off)
    policy = TenantDatePolicyChanged(
        tenant_id=dairy.h.tenant, bounds=[DateBounds(kind="expiry", days_back=30, days_ahead=60)]
    )
    await dairy.h.deliver(policy, aggregate_id=dairy.h.tenant)
    for days in (-40, 70):
        far_off = [lot("A", "5", days)]
        await refused(dairy, "receipts", 422, "implausible-date", "/lots/0/expires_on", **bought, lots=far_off)
    await take_in(dairy, lot("A", "5", 9), lot("B", "3", 5))
    await refused(dairy, "receipts", 409, "lot-differs", "/lots/0/expires_on", **bought, lots=[lot("A", "5", 8)])
    await refused(
        dairy, "receipts", 409, "lot-differs", "/lots/0/status", **bought, lots=[lot("A", "5", status="on_hold")]
    )
    used = {"quantity": "4", "reason": "consumption"}
    for lots, status, problem, field in (
        (None, 422, "invalid", "/lots"),
        ([lot("C", "4")], 422, "invalid", "/lots/0/number"),
        ([lot("B", "4")], 409, "stock-short", "/lots"),
    ):
        await refused(dairy, "issues", status, problem, field, **used, lots=lots)
    await dairy.post("issues", **used, lots=[lot("A", "3"), lot("B", "1")])
    await dairy.post("adjustments", quantity="-1", reason="count", lots=[lot("B", "1")])
    await dairy.post("adjustments", quantity="2", reason="count", lots=[lot("A", "2")])
    there = {"from_warehouse_id": dairy.north, "to_warehouse_id": dairy.south}
    await dairy.post("transfers", quantity="2", **there, lots=[lot("A", "1"), lot("B", "1")])
    shown = await lot_of(dairy, "A")
    assert (shown["on_hand"], {one["warehouse_id"]: one["quantity"] for one in shown["places"]}) == (
        "4",
        {str(dairy.north): "3", str(dairy.south): "1"},
    )
    assert (await lot_of(dairy, "Ａ"))["id"] == shown["id"]
    assert [(one["kind"], one["quantity"]) for one in shown["came_from"]] == [("adjusted", "2"), ("received", "5")]
    assert [(one["reason"], one["quantity"]) for one in shown["went_to"]] == [("consumption", "-3")]
    # What is not tracked has none.
    plain = uuid7()
    await dairy.item(plain, "NAIL")
    await refused(dairy, "receipts", 422, "invalid", "/lots", **bought, item_id=plain, lots=[lot("A", "5")])
    assert await dairy.h.admin.fetchval("SELECT count(*) FROM lot_stock") == 3
    proof = await dairy.h.prove()
    assert proof.proven, proof.differences


async def test_a_serial_number_is_one_piece_for_ever(dairy: Depot) -> None:
    pump = {"item_id": dairy.flour}
    bought = {**pump, "quantity": "2", "value": 50, "currency": "EUR", "reason": "purchase"}
    await refused(dairy, "receipts", 422, "invalid", "/lots/0/quantity", **bought, lots=[lot("S1", "2")])
    await dairy.post("receipts", **bought, lots=[lot("S1", "1"), lot("S2", "1")])
    again = {**bought, "quantity": "1", "lots": [lot("S1", "1")]}
    await refused(dairy, "receipts", 409, "serial-known", "/lots/0/number", **again)
    await dairy.post("issues", **pump, quantity="1", reason="consumption", lots=[lot("S1", "1")])
    await refused(dairy, "receipts", 409, "serial-known", "/lots/0/number", **again)
    await refused(dairy, "receipts", 409, "serial-known", "/lots/0/number", **{**again, "warehouse_id": dairy.south})
    # It comes back, and is looked at before it is promised again.
    await dairy.post("receipts", **{**again, "reason": "return"})
    assert (await lot_of(dairy, "S1"))["status"] == "on_hold"
    request = await dairy.order(dairy.line("2", item=dairy.flour), partial=True)
    (made,) = await dairy.told("reservation.made")
    assert (made.reservation_id, held(made.lines[0].lots)) == (request.reservation_id, [("S2", 1)])


async def test_first_expired_first_out_and_only_what_may_leave(dairy: Depot) -> None:
    await take_in(dairy, lot("LATE", "5", 90), lot("SOON", "3", 10), lot("OVER", "4", -1), lot("LAST", "1", 0))
    await take_in(dairy, lot("HELD", "2", 5, status="on_hold"), lot("BAD", "2", 6))
    await say(dairy, "BAD", "blocked")
    assert (await say(dairy, "BAD", "blocked", 409))["type"].endswith("lot-status-unchanged")
    request = await dairy.order(
        dairy.line("2"),
        dairy.line("9", lot="LATE"),
        dairy.line("9", remaining_days=60),
        dairy.line("9", remaining_days=10),
        dairy.line("9"),
        dairy.line("1", lot="NONE"),
        partial=True,
        **turn(),
    )
    (made,) = await dairy.told("reservation.made")
    assert [held(line.lots) for line in made.lines] == [
        [("LAST", 1), ("SOON", 1)],
        [("LATE", 5)],
        [],
        [("SOON", 2)],
        [],
        [],
    ]
    assert [[line.quantity for line in event.lines] for event in await dairy.told("backorder.opened")] == [
        [4, 9, 7, 9, 1]
    ]
    for number, why in (("HELD", "on hold"), ("BAD", "blocked"), ("OVER", "expired")):
        use = {"quantity": "1", "reason": "consumption", "lots": [lot(number, "1")]}
        answer = await dairy.post("issues", 409, **use)
        assert answer["type"].endswith("lot-not-usable")
        assert why in answer["detail"]
        await dairy.post("issues", **{**use, "reason": "scrap"})
    back = {"quantity": "1", "reason": "return_to_supplier", "value": 5, "lots": [lot("BAD", "1")]}
    await dairy.post("issues", **back)
    # What quality releases goes to who waits for it.
    assert await give_out(dairy) == 0
    await say(dairy, "HELD", "released")
    assert await give_out(dairy) == 1
    assert await fills(dairy) == [(request.reservation_id, [1])]
    assert held((await dairy.told("reservation.made"))[-1].lines[0].lots) == [("HELD", 1)]
    assert await waiting(dairy, request) == ("open", ["4", "9", "7", "8", "1"])
    told = (await dairy.told("lot.status_changed"))[-1]
    assert (told.number, told.previous, told.status, told.reason) == ("HELD", "on_hold", "released", "a sample")
    assert told.decided_by is not None
    proof = await dairy.h.prove()
    assert proof.proven, proof.differences


async def test_a_shipment_says_which_lots_left_and_the_recall_finds_its_customer(dairy: Depot) -> None:
    await take_in(dairy, lot("A", "3", 9), lot("B", "5", 20), reference="GRN-7")
    request = await dairy.order(dairy.line("6"))
    (made,) = await dairy.told("reservation.made")
    assert held(made.lines[0].lots) == [("A", 3), ("B", 3)]
    customer = uuid7()
    first, rest = made.lines[0].lots[0], made.lines[0].lots[1]
    parts = (
        [first, rest.model_copy(update={"quantity": Decimal(1)})],
        [rest.model_copy(update={"quantity": Decimal(2)})],
    )
    gone: list[shipments.ShipmentDispatched] = []
    for lots in parts:
        event = dairy.shipment(request, str(sum(one.quantity for one in lots)))
        line = event.lines[0].model_copy(update={"lots": lots})
        gone.append(event.model_copy(update={"lines": [line], "customer_id": customer}))
    # The release is asked for when both have left, and only the first has been heard of.
    await dairy.h.deliver(gone[0], aggregate_id=gone[0].shipment_id)
    left = [
        orders.Departure(
            shipment_id=one.shipment_id,
            lines=[
                orders.LineQuantity(line_id=line.line_id, quantity=line.quantity, lots=line.lots) for line in one.lines
            ],
        )
        for one in gone
    ]
    asked = orders.ReservationReleaseRequested(
        order_id=request.order_id, reservation_id=request.reservation_id, reason="cancelled", departed=left
    )
    await dairy.h.deliver(asked, aggregate_id=request.order_id)
    (released,) = await dairy.told("reservation.released")
    assert [held(line.lots) for line in released.kept] == [[("B", 2)]]
    await dairy.h.deliver(gone[1], aggregate_id=gone[1].shipment_id)
    issued = [one for one in await dairy.told("stock.issued") if isinstance(one, StockIssued)]
    assert [held(one.lots) for one in issued] == [[("A", 3), ("B", 1)], [("B", 2)]]
    shown = await lot_of(dairy, "B")
    assert (shown["on_hand"], shown["places"][0]["reserved"]) == ("2", "0")
    assert {(one["shipment_id"], one["customer_id"], one["quantity"]) for one in shown["went_to"]} == {
        (str(gone[0].shipment_id), str(customer), "-1"),
        (str(gone[1].shipment_id), str(customer), "-2"),
    }
    assert [(one["reason"], one["reference"]) for one in shown["came_from"]] == [("purchase", "GRN-7")]
    (moved,) = (await dairy.get(f"lots/{shown['id']}/movements", shipment_id=str(gone[1].shipment_id)))["items"]
    assert (moved["kind"], moved["quantity"]) == ("issued", "-2")
    proof = await dairy.h.prove()
    assert proof.proven, proof.differences


async def test_a_reservation_is_used_and_given_back_by_lot(dairy: Depot) -> None:
    await take_in(dairy, lot("A", "3", 9), lot("B", "5", 20))
    line = {"item_id": str(dairy.bolt), "warehouse_id": str(dairy.north), "quantity": "4"}
    made = await dairy.post("reservations", lines=[line])
    of_line = {"reservation_id": made["id"], "line_id": made["lines"][0]["line_id"], "reason": "consumption"}
    await refused(dairy, "issues", 409, "not-held", "/lots/0/quantity", quantity="2", **of_line, lots=[lot("B", "2")])
    await refused(dairy, "issues", 409, "stock-short", "/lots", quantity="1", reason="scrap", lots=[lot("A", "1")])
    await dairy.post("issues", quantity="2", **of_line, lots=[lot("A", "1"), lot("B", "1")])
    assert (await lot_of(dairy, "A"))["places"][0]["reserved"] == "2"
    answer = await dairy.h.client.post(f"/v1/inventory/reservations/{made['id']}/release", json={})
    assert answer.status_code == 200
    assert [(await lot_of(dairy, number))["places"][0]["reserved"] for number in "AB"] == ["0", "0"]


class Hands:
    """What people, orders and quality do to the milk, by chance."""

    def __init__(self, depot: Depot, seed: int) -> None:
        self.depot, self.dice = depot, random.Random(seed)
        self.asked: list[orders.ReservationRequested] = []

    def some(self) -> tuple[str, str]:
        return self.dice.choice("ABCD"), str(self.dice.randint(1, 9))

    async def take_in(self, step: int) -> None:
        number, quantity = self.some()
        place = {"warehouse_id": str(self.dice.choice([self.depot.north, self.depot.south]))}
        bought = {"value": step, "currency": "EUR", "reason": "purchase", "quantity": quantity}
        lots = [lot(number, quantity, 10 * ord(number))]
        await anyhow(self.depot, "receipts", **bought, lots=lots, **place)

    async def scrap(self, step: int) -> None:
        number, quantity = self.some()
        await anyhow(self.depot, "issues", quantity=quantity, reason="scrap", lots=[lot(number, quantity)])

    async def count(self, step: int) -> None:
        number, quantity = self.some()
        lots = [lot(number, quantity)]
        await anyhow(self.depot, "adjustments", quantity=f"-{quantity}", reason="count", lots=lots)

    async def move(self, step: int) -> None:
        number, quantity = self.some()
        there = {"from_warehouse_id": str(self.depot.north), "to_warehouse_id": str(self.depot.south)}
        await anyhow(self.depot, "transfers", quantity=quantity, lots=[lot(number, quantity)], **there)

    async def order(self, step: int) -> None:
        line, part = self.depot.line(self.some()[1]), self.dice.random() < 0.7
        self.asked.append(await self.depot.order(line, partial=part, **turn(minute=step)))

    async def ship(self, step: int) -> None:
        if self.asked:
            await ship(self.depot, self.dice.choice(self.asked).reservation_id)

    async def release(self, step: int) -> None:
        if self.asked:
            await self.depot.ask_release(self.asked.pop(self.dice.randrange(len(self.asked))))

    async def judge(self, step: int) -> None:
        if known := (await self.depot.get("lots"))["items"]:
            status = self.dice.choice(["released", "released", "on_hold", "blocked"])
            at = f"/v1/inventory/lots/{self.dice.choice(known)['id']}/status"
            await self.depot.h.client.post(at, json={"status": status, "reason": "a sample"})

    async def give(self, step: int) -> None:
        await give_out(self.depot)


@pytest.mark.parametrize("seed", range(2))
async def test_lots_always_add_up_to_the_stock(dairy: Depot, seed: int) -> None:
    """Whatever is done in whatever order: by lot, by layer and by level there is as much, and a replay says so again."""
    hands = Hands(dairy, seed)
    ways = [hands.take_in] * 3 + [hands.order] * 3 + [hands.ship] * 2
    ways += [hands.scrap, hands.count, hands.move, hands.release, hands.judge, hands.give]
    for step in range(60):
        await hands.dice.choice(ways)(step)
    by_place: dict[UUID, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in await dairy.h.admin.fetch("SELECT stock_id, quantity, reserved FROM lot_stock"):
        assert 0 <= row["reserved"] <= row["quantity"]
        by_place[row["stock_id"]][0] += row["quantity"]
        by_place[row["stock_id"]][1] += row["reserved"]
    levels = await dairy.h.admin.fetch("SELECT id, item_id, warehouse_id, on_hand, reserved FROM stock_level")
    assert any(level["on_hand"] for level in levels)
    for level in levels:
        assert by_place[level["id"]] == [level["on_hand"], level["reserved"]]
        moved = "SELECT coalesce(sum(quantity), 0) FROM lot_movement WHERE stock_id = $1"
        assert await dairy.h.admin.fetchval(moved, level["id"]) == level["on_hand"]
        replayed = await dairy.get(f"stock/{level['item_id']}/{level['warehouse_id']}/replay")
        assert replayed["equal"] is True
    proof = await dairy.h.prove()
    assert proof.proven, proof.differences


async def anyhow(depot: Depot, path: str, **body: Any) -> None:
    """Done or refused, by whatever there is."""
    where = {"item_id": str(depot.bolt), "warehouse_id": str(depot.north)}
    if path == "transfers":
        del where["warehouse_id"]
    answer = await depot.h.client.post(f"/v1/inventory/{path}", json={**where, **body})
    assert answer.status_code in {201, 409, 422}, answer.text


async def ship(depot: Depot, reservation_id: UUID) -> None:
    """What a reservation holds leaves, a piece of it at least, by the lots that it holds."""
    for made in await depot.told("reservation.made"):
        row = await depot.reservation(made.reservation_id)
        if reservation_id not in {made.reservation_id, made.fills} or row["status"] != "made":
            continue
        (line,) = [one for one in made.lines if one.reserved] or [None]
        if line is None or row["lines"][0]["held"] != str(line.reserved):
            continue
        request = orders.ReservationRequested(
            order_id=made.order_id,
            reservation_id=made.reservation_id,
            lines=[depot.line(str(line.reserved)).model_copy(update={"line_id": line.line_id})],
            partial_allowed=True,
        )
        event = depot.shipment(request)
        left = event.lines[0].model_copy(update={"lots": line.lots})
        await depot.h.deliver(event.model_copy(update={"lines": [left]}), aggregate_id=event.shipment_id)


async def test_no_more_of_a_lot_goes_back_to_its_supplier_than_its_receipt_brought(dairy: Depot) -> None:
    dear = await take_in(dairy, lot("A", "2", 9), lot("B", "1", 9))
    await take_in(dairy, lot("A", "5"), lot("C", "4", 9))
    back = {"reason": "return_to_supplier", "receipt_id": dear["id"]}
    for lots, status, problem, field in (
        ([lot("C", "1")], 422, "invalid", "/lots/0/number"),
        ([lot("B", "1"), lot("A", "3")], 409, "more-than-received", "/quantity"),
        ([lot("A", "3")], 409, "more-than-received", "/lots/0/quantity"),
    ):
        quantity = str(sum(Decimal(one["quantity"]) for one in lots))
        await refused(dairy, "issues", status, problem, field, **back, quantity=quantity, lots=lots)
    gone = await dairy.post("issues", **back, quantity="2", lots=[lot("A", "1"), lot("B", "1")])
    assert gone["credited"] == 67
    await refused(
        dairy, "issues", 409, "more-than-received", "/lots/0/quantity", **back, quantity="1", lots=[lot("B", "1")]
    )
    rest = await dairy.post("issues", **back, quantity="1", lots=[lot("A", "1")])
    assert gone["credited"] + rest["credited"] == 100
