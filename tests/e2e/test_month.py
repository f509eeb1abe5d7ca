"""A month of two companies in two zones, with mistakes, returns, late payers and lost parcels: goods and money are what the requests say, now and at
the end of three days within it.
"""

import ast
import asyncio
import os
import random
import sys
from datetime import UTC
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import request_ledger
from company import dead_letters_of
from month import ahead, carrying, reckoning, shelves, sums
from month.carrying import Ways
from month.checks import check, ensure_all_of_it
from month.firms import found_both
from month.reckoning import MonthLedger
from month.trading import Trading
from quiescence import quiescent

from tailrace.stack.embedded import Stack
from tailrace.stack.layout import HOST
from tailrace_testing.gateway import Gateway

DAYS = int(os.environ.get("MONTH_DAYS", "7"))
"""Of trade; what is tried with a whole month's is no other thing, and takes longer."""
SEED = int(os.environ.get("MONTH_SEED", "5"))


async def test_goods_and_money_are_what_the_requests_say(fleet: Stack, gateway: Gateway) -> None:
    signs = fleet.environment["PARTNER_SECRET_CARRIER_CALLBACKS"]
    firms = await found_both(gateway, f"http://{HOST}:{fleet.plan.ports.services['stubs']}", signs)
    months = [Trading(firm, random.Random(seed)) for seed, firm in enumerate(firms, SEED)]
    await asyncio.gather(*[month.run(DAYS) for month in months])
    ensure_all_of_it(months)
    for month in months:
        await quiescent(fleet, month.firm.member.tenant_id)
        await check(month, DAYS)
        assert await dead_letters_of(fleet, month.firm.member.tenant_id) == []


def test_the_reckoning_imports_nothing_of_the_product() -> None:
    for module in (reckoning, ahead, carrying, shelves, sums, request_ledger):
        tree = list(ast.walk(ast.parse(Path(str(module.__file__)).read_text())))
        found = {name for node in tree if isinstance(node, ast.Import) for name in [each.name for each in node.names]}
        found |= {node.module or "" for node in tree if isinstance(node, ast.ImportFrom)}
        other = {name.partition(".")[0] for name in found} - sys.stdlib_module_names
        assert other <= {"month", "request_ledger"}, module.__name__


DAY: dict[str, Any] = {"day": "2026-11-03", "currency": "EUR"}
BOUGHT = {
    "did": "received",
    "day": "2026-11-02",
    "currency": "EUR",
    "item": "i",
    "warehouse": "w",
    "reason": "purchase",
}
LINE = {"item": "i", "warehouse": "w"}


def ordered(*lines: dict[str, str], **more: Any) -> dict[str, Any]:
    said = {"order": "o", "customer": "c", "lines": [{**LINE, **line} for line in lines]}
    return {"did": "ordered", "day": "2026-11-02", "currency": "EUR", **said, **more}


def test_the_check_sees_one_minor_unit() -> None:
    """The reckoning is no echo: another cost, another rate or another day makes other figures."""
    line = {"quantity": "2", "unit_price": "2.5", "rate": "0.1"}
    log = [
        {**BOUGHT, "quantity": "3", "value": 10},
        ordered(line, {**line, "quantity": "1"}),
        {**DAY, "did": "shipped", "order": "o", "shipment": "s", "quantities": ["2", "0"]},
    ]
    ledger = MonthLedger(log)
    assert ledger.total("o") == (8, 1)
    assert ledger.as_of("2026-11-02") == {("stock", "EUR"): 10, ("supplied", "EUR"): -10}
    assert ledger.as_of("2026-11-03") == {
        ("stock", "EUR"): 3,
        ("supplied", "EUR"): -10,
        ("cost", "EUR"): 7,
        ("unbilled", "EUR"): 6,
        ("revenue", "EUR"): -5,
        ("tax", "EUR"): -1,
    }
    assert ledger.stock("2026-11-03") == {("i", "w"): (Fraction(1), 3)}
    assert ledger.standing("c") == {"open_orders": 9, "receivables": 0, "paid_ahead": 0}
    with pytest.raises(IndexError):
        MonthLedger([*log, {**log[-1], "shipment": "t"}])


def test_what_comes_back_is_reckoned_at_its_share() -> None:
    """Three cost 10 and were sold for 25 and 3 of tax. One is sold again and one thrown away before they are invoiced, and one after."""
    back = {**DAY, "did": "returned", "return": "r"}

    def part(restock: int, scrap: int) -> list[dict[str, Any]]:
        return [{"shipment": "s", "at": 0, "restock": restock, "scrap": scrap}]

    log = [
        {**BOUGHT, "quantity": "3", "value": 10},
        ordered({"quantity": "3", "unit_price": "8.4", "rate": "0.1"}),
        {**DAY, "did": "shipped", "order": "o", "shipment": "s", "quantities": ["3"]},
        {**back, "parts": part(1, 1)},
    ]
    before = MonthLedger(log)
    # Two cost 7, of which the one on the shelf 3; two thirds of 25 are 17, and of 3 are 2.
    money = {what: amount for (what, _), amount in before.as_of("2026-11-03").items()}
    assert money == {
        "stock": 3,
        "supplied": -10,
        "cost": 3,
        "usage": 4,
        "unbilled": 28 - 19,
        "revenue": 17 - 25,
        "tax": 2 - 3,
    }
    assert before.stock("2026-11-03") == {("i", "w"): (Fraction(1), 3)}
    assert before.standing("c")["open_orders"] == 28 - 19
    invoiced = {**DAY, "did": "invoiced", "invoice": "v", "shipments": ["s"]}
    after = MonthLedger([*log, invoiced, {**back, "parts": part(1, 0)}])
    assert (after.open_of("v"), after.taken_back["r"]) == (0, [25, 3])
    assert after.as_of("2026-11-03") == {("stock", "EUR"): 6, ("supplied", "EUR"): -10, ("usage", "EUR"): 4}


def test_what_is_paid_ahead_is_taxed_where_the_law_says() -> None:
    """Half of 100 and 10 of tax is asked for ahead and paid; then all leaves and is invoiced, and the invoice is taken back."""
    log = [
        {**BOUGHT, "quantity": "1", "value": 40},
        ordered({"quantity": "1", "unit_price": "100", "rate": "0.1"}),
        {**DAY, "did": "asked_ahead", "invoice": "a", "order": "o", "share": "0.5"},
        {**DAY, "did": "paid", "payment": "p", "amount": 60, "known": True, "customer": "c", "invoices": ["a"]},
    ]

    def figures(log: list[dict[str, Any]], country: str) -> dict[str, int]:
        return {what: amount for (what, _), amount in MonthLedger(log, country).as_of("2026-11-03").items()}

    there = {"stock": 40, "supplied": -40, "cash": 60, "credit": -5}
    assert figures(log, "DE") == {**there, "ahead": -50, "tax": -5}
    assert figures(log, "JP") == {**there, "ahead": -55}
    shipped = {**DAY, "did": "shipped", "order": "o", "shipment": "s", "quantities": ["1"]}
    log += [shipped, {**DAY, "did": "invoiced", "invoice": "v", "shipments": ["s"]}]
    sold = {"supplied": -40, "cost": 40, "cash": 60, "credit": -5, "revenue": -100, "tax": -10, "receivable": 55}
    assert figures(log, "DE") == figures(log, "JP") == sold
    assert MonthLedger(log).standing("c") == {"open_orders": 0, "receivables": 55, "paid_ahead": 5}
    log += [{**DAY, "did": "credited", "invoice": "v", "nets": {}}]
    none = {"supplied": -40, "cost": 40, "cash": 60, "credit": -5}
    assert figures(log, "DE") == {**none, "ahead": -50, "tax": -5}
    assert MonthLedger(log).standing("c")["receivables"] == -55


def test_what_carriers_say_counts_once_and_ends_with_the_way() -> None:
    def left(shipment: str) -> dict[str, Any]:
        return {**DAY, "did": "shipped", "shipment": shipment, "at": "2026-11-03T09:30:00+09:00"}

    def said(shipment: str, *steps: tuple[str, str, int]) -> dict[str, Any]:
        kept = [{"reference": r, "state": state, "at": f"2026-11-03T0{hour}:00:00+00:00"} for r, state, hour in steps]
        return {**DAY, "did": "carrier_said", "shipment": shipment, "steps": kept}

    log = [
        left("s"),
        left("t"),
        said("s", ("b", "in_transit", 2)),
        said("s", ("b", "lost", 2), ("a", "picked_up", 1)),
        left("u"),
        {**DAY, "did": "signed", "shipment": "u", "at": "2026-11-03T12:00:00+09:00"},
    ]
    before = Ways(log)
    assert [before.tracking(each) for each in "stu"] == ["in_transit", None, None]
    assert [before.status(each) for each in "stu"] == ["dispatched", "dispatched", "delivered"]
    after = Ways([*log, said("s", ("c", "delivered", 1)), said("s", ("d", "lost", 4)), said("t", ("e", "returned", 3))])
    assert [after.tracking(each) for each in "stu"] == ["delivered", "returned", None]
    assert {id: at.astimezone(UTC).hour for id, at in after.arrived.items()} == {"s": 1, "u": 3}
    assert set(after.steps["s"]) == {"a", "b", "c"}
    late = Ways([left("s"), {**said("s", ("a", "delivered", 0)), "day": "2026-11-04"}])
    assert late.arrived == late.left, "nothing arrives before it left"
