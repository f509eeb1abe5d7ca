"""The whole business flow over the real services, whatever happens in whatever order: in the end goods, promises and books agree.

What is checked is computed here, from the requests that were accepted and from rules written down a second time.
"""

import asyncio
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any
from uuid import UUID

import pytest
from trade import TAX, Trade

from accounting.service import service as accounting
from contracts.inventory import StockAdjusted, StockCostSettled, StockIssued, StockReceived, StockTransferred
from inventory.service import service as inventory
from orders.service import service as orders
from shipping.service import service as shipping
from tailrace_testing import Harness, MakeHarness

SEEDS = range(4)
WITHIN = 600
"""Seconds for one seed, so that what hangs is seen; it takes some three."""
Moved = StockReceived | StockIssued | StockAdjusted | StockTransferred | StockCostSettled
Store = dict[UUID, tuple[Fraction, int]]


@pytest.fixture
async def services(make_harness: MakeHarness) -> dict[str, Harness]:
    return {s.name: await make_harness(s) for s in (orders, inventory, shipping, accounting)}


async def test_goods_promises_and_books_agree_in_the_end(services: dict[str, Harness]) -> None:
    settled = returned = reopened = 0
    for seed in SEEDS:
        async with asyncio.timeout(WITHIN):
            trade = await Trade.open(services, seed)
            await trade.run(steps=100)
            await check(trade, f"seed {seed}")
        settled += len(await services["inventory"].published("inventory.stock.cost_settled"))
        gone = await services["inventory"].published("inventory.stock.issued")
        returned += sum(isinstance(one.event, StockIssued) and one.event.receipt_id is not None for one in gone)
        reopened += len(await services["orders"].published("order.reopened"))
    assert settled, "nothing ever left before it came"
    assert returned, "nothing ever went back"
    assert reopened, "nothing was ever changed after it was confirmed"


async def check(trade: Trade, when: str) -> None:
    assert await trade.wire.dead_letters() == [], when
    promised = await check_orders(trade, when)
    await check_stock(trade, promised, when)
    await check_books(trade, when)
    for name in ("inventory", "accounting"):
        proof = await trade.services[name].prove()
        assert proof.proven, (when, proof.differences)
        assert proof.events == await trade.services[name].admin.fetchval(
            f"SELECT count(*) FROM {name}_event WHERE tenant_id = $1", trade.services[name].tenant
        )


async def check_orders(trade: Trade, when: str) -> dict[tuple[str, str], Decimal]:
    """Returns what is held for orders, by place."""
    held = await held_lines(trade)
    to_leave: dict[str, Decimal] = defaultdict(Decimal)
    for shipment in await trade.shipments("pending", "picking", "picked", "packed"):
        for line in shipment["lines"]:
            to_leave[line["line_id"]] += Decimal(line["quantity"])
    promised: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for order_id in trade.orders:
        order = await trade.get("orders", f"/v1/orders/{order_id}")
        said = f"{when}, order {order_id} {order['status']}"
        waiting = Decimal(0)
        for line in order["lines"]:
            shipped, allocated = Decimal(line["shipped"]), Decimal(line["allocated"])
            assert shipped == trade.left[line["id"]] <= Decimal(line["quantity"]), said
            assert allocated - shipped == held[line["id"]] == to_leave[line["id"]], said
            waiting += held[line["id"]]
            promised[line["item_id"], line["warehouse_id"]] += held[line["id"]]
        state = (await trade.get("orders", f"/v1/orders/{order_id}/history"))["state"]
        assert state in final_states(order, waiting), f"{said}: {state}"
        assert not order["allocating"], said
        assert order["allocation"] == progress(order["lines"], "allocated"), said
        assert order["shipment"] == progress(order["lines"], "shipped"), said
    return promised


def final_states(order: dict[str, Any], waiting: Decimal) -> set[str | None]:
    if order["status"] == "draft":
        return {None, "reopened"}
    assert order["status"] == "confirmed" or order["shipment"] != "full"
    if order["status"] == "cancelled":
        assert not waiting
        return {None, "compensated"}
    if order["shipment"] == "full":
        return {"done"}
    return {"shipping"} if waiting else {"short"}


def progress(lines: list[dict[str, Any]], what: str) -> str:
    if all(Decimal(line[what]) == Decimal(line["quantity"]) for line in lines):
        return "full"
    return "partial" if any(Decimal(line[what]) for line in lines) else "none"


async def held_lines(trade: Trade) -> dict[str, Decimal]:
    held: dict[str, Decimal] = defaultdict(Decimal)
    for reservation in await trade.every("inventory", "/v1/inventory/reservations"):
        for line in reservation["lines"]:
            held[line["line_id"]] += Decimal(line["held"])
    return held


async def check_stock(trade: Trade, promised: dict[tuple[str, str], Decimal], when: str) -> None:
    for id in trade.taken:
        for line in (await trade.get("inventory", f"/v1/inventory/reservations/{id}"))["lines"]:
            promised[line["item_id"], line["warehouse_id"]] += Decimal(line["held"])
    for stock in await trade.every("inventory", "/v1/inventory/stock"):
        place = (stock["item_id"], stock["warehouse_id"])
        said = f"{when}, stock {place}"
        assert Decimal(stock["on_hand"]) == trade.moved[place], said
        assert not Decimal(stock["provisional"]) or not Decimal(stock["available"]), said
        assert Decimal(stock["reserved"]) == promised[place], said
        assert Decimal(stock["available"]) >= 0, said
        replay = await trade.get("inventory", f"/v1/inventory/stock/{place[0]}/{place[1]}/replay")
        assert replay["equal"], f"{said}: {replay}"


async def check_books(trade: Trade, when: str) -> None:
    trial = await trade.get("accounting", "/v1/accounting/trial-balance")
    balances = {(row["account"], row["currency"]): row["balance"] for row in trial["rows"] if row["balance"]}
    expected = {key: amount for key, amount in (await expected_balances(trade)).items() if amount}
    sold = {"1210", "4000", "2200", "1400", "5000", "5100"}
    kept = {key: amount for key, amount in balances.items() if key[0] in sold | {code for code, _ in expected}}
    assert kept == expected, when
    assert all(total["difference"] == 0 for total in trial["totals"]), when
    integrity = await trade.get("accounting", "/v1/accounting/integrity")
    assert integrity["intact"], f"{when}: {integrity}"


async def expected_balances(trade: Trade) -> dict[tuple[str, str], int]:
    expected: dict[tuple[str, str], int] = defaultdict(int)
    for order in trade.orders.values():
        nets = [half_up(Fraction(line["quantity"]) * Fraction(line["unit_price"])) for line in order["lines"]]
        for line_id, line, net, whole_tax in zip(order["line_ids"], order["lines"], nets, taxes(nets), strict=True):
            share = Fraction(trade.left[line_id]) / Fraction(line["quantity"])
            revenue, tax = half_up(net * share), half_up(whole_tax * share)
            expected["4000", order["currency"]] -= revenue
            expected["2200", order["currency"]] -= tax
            expected["1210", order["currency"]] += revenue + tax
    for stock in await trade.every("inventory", "/v1/inventory/stock"):
        expected["1400", stock["currency"]] += stock["value"]
    for (account, item), cost in (await costs(trade)).items():
        expected[account, trade.items[item]] += cost
    for receipt, credit in await purchases(trade):
        expected["2110", receipt["currency"]] -= receipt["value"] - credit
        expected["5300", receipt["currency"]] -= credit
    return expected


async def purchases(trade: Trade) -> list[tuple[dict[str, Any], int]]:
    """What was bought, each with what its supplier owes for the part of it that went back."""
    moved = await trade.every("inventory", "/v1/inventory/movements")
    back: dict[str, Fraction] = defaultdict(Fraction)
    for movement in (one for one in moved if one["receipt_id"]):
        back[movement["receipt_id"]] -= Fraction(movement["quantity"])
    found = []
    for receipt in (one for one in moved if one["reason"] == "purchase"):
        part = back[receipt["id"]] / Fraction(receipt["quantity"])
        assert part <= 1, receipt
        found.append((receipt, half_up(receipt["value"] * part)))
    return found


async def costs(trade: Trade) -> dict[tuple[str, str], int]:
    """What the goods cost that left with shipments, were used up or went back, by account and item.

    First in, first out, computed again from what moved, stock by stock; what was not there at the last cost, until something comes in for it.
    """
    cost: dict[tuple[str, str], int] = defaultdict(int)
    moves: dict[UUID, list[Any]] = defaultdict(list)
    for published in await trade.services["inventory"].published():
        if isinstance(published.event, Moved):
            moves[published.aggregate_id].append((published.sequence, published.event))
    for events in moves.values():
        layers: Store = {}
        missing: Store = {}
        last = (Fraction(1), 0)
        for _, event in sorted(events, key=lambda pair: int(pair[0])):
            layer = getattr(event, "layer_id", None)
            if layer is not None:
                quantity, value = layers.get(layer, (Fraction(0), 0))
                last = layers[layer] = (quantity + Fraction(event.quantity), value + event.value)
                continue
            wanted, estimate = Fraction(abs(event.quantity)), 0
            if isinstance(event, StockIssued) and event.provisional is not None:
                part = Fraction(event.provisional.quantity)
                wanted, estimate = wanted - part, half_up(last[1] * part / last[0])
                missing[event.provisional.shortfall_id] = (part, estimate)
            taken = take(layers, wanted) + estimate
            assert taken == abs(event.value), event
            if isinstance(event, StockCostSettled):
                assert event.shortfall_id == next(iter(missing)), event
                booked = take(missing, wanted)
                assert booked == event.provisional, event
                taken -= booked
            if isinstance(event, StockIssued | StockCostSettled):
                account = {"shipment": "5000", "return_to_supplier": "5300"}.get(event.reason, "5100")
                cost[account, str(event.item_id)] += taken
    return cost


def take(layers: Store, wanted: Fraction) -> int:
    """What so much costs, oldest layer first; the last of a layer takes what is left of its value."""
    cost = 0
    for layer, (quantity, value) in list(layers.items()):
        part = min(wanted, quantity)
        share = half_up(value * part / quantity)
        layers[layer] = (quantity - part, value - share)
        if part == quantity:
            del layers[layer]
        cost, wanted = cost + share, wanted - part
        if not wanted:
            break
    assert not wanted
    return cost


def taxes(nets: list[int]) -> list[int]:
    """The tax of an order's lines, all of one rate: rounded once, and what the whole numbers leave goes to the largest fractions first."""
    exact = [net * Fraction(TAX) for net in nets]
    whole = [floor(tax) for tax in exact]
    by_fraction = sorted(range(len(nets)), key=lambda at: (whole[at] - exact[at], at))
    for at in by_fraction[: half_up(sum(exact, Fraction(0))) - sum(whole)]:
        whole[at] += 1
    return whole


def half_up(amount: Fraction) -> int:
    """Of an amount that is not below zero."""
    return floor(amount + Fraction(1, 2))
