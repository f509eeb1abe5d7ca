"""A month of two companies in two zones, with mistakes: goods and money are what the requests say, now and at the end of three days within it."""

import asyncio
import random
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from company import dead_letters_of
from month.firms import V1, Firm, figures, found_both
from month.reckoning import MonthLedger, Place
from month.trading import Trading
from quiescence import quiescent

from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import Gateway

DAYS = 12
"""Of trade; what is tried with a whole month's is no other thing, and takes longer."""


async def test_goods_and_money_are_what_the_requests_say(fleet: Stack, gateway: Gateway) -> None:
    firms = await found_both(gateway)
    months = [Trading(firm, random.Random(seed)) for seed, firm in enumerate(firms, 5)]
    await asyncio.gather(*[month.run(DAYS) for month in months])
    done = {each["did"] for month in months for each in month.log}
    assert done >= {"received", "ordered", "cancelled", "shipped", "invoiced", "paid", "credited", "used", "counted"}
    assert done & {"undone", "assigned", "reversed", "allocated"}, "something was put right"
    for month in months:
        await quiescent(fleet, month.firm.member.tenant_id)
        await check(month)
        assert await dead_letters_of(fleet, month.firm.member.tenant_id) == []


async def check(month: Trading) -> None:
    firm, ledger = month.firm, MonthLedger(month.log)
    for ago in (DAYS - 3, DAYS // 2, 1, 0):
        day = (firm.today - timedelta(days=ago)).isoformat()
        assert await figures(firm, day) == ledger.as_of(day), f"{firm.kind.name} as of {day}"
        assert await on_shelves(firm, day) == ledger.stock(day), f"{firm.kind.name} as of {day}"
        aged = await firm.member.get(f"{V1}/receivables/ageing", day=day)
        owed = {each["currency"]: (each["open"], each["credit"]) for each in aged["totals"]}
        said = ledger.as_of(day)
        expected = said.get(("receivable", firm.kind.currency), 0), -said.get(("credit", firm.kind.currency), 0)
        assert owed.get(firm.kind.currency, (0, 0)) == expected, f"{firm.kind.name} as of {day}"
    for order in await firm.member.every("/v1/orders"):
        assert (order["net"], order["tax"]) == ledger.total(order["id"]), order["number"]
    for invoice in await firm.member.every(f"{V1}/invoices"):
        if invoice["number"] is not None:
            assert invoice["open"] == ledger.open_of(invoice["id"]), invoice["number"]
    integrity = await firm.member.get(f"{V1}/integrity")
    assert integrity["intact"], integrity


async def on_shelves(firm: Firm, day: str) -> dict[Place, tuple[Fraction, int]]:
    valued = await firm.member.every("/v1/inventory/valuation", effective=day)
    held = {
        (each["item_id"], each["warehouse_id"]): (Fraction(each["quantity"]), int(each["value"])) for each in valued
    }
    return {place: amounts for place, amounts in held.items() if amounts[0]}


def test_the_check_sees_one_minor_unit() -> None:
    """The reckoning is no echo: another cost, another rate or another day makes other figures."""
    received: dict[str, Any] = {
        "did": "received",
        "day": "2026-11-02",
        "currency": "EUR",
        "item": "i",
        "warehouse": "w",
        "quantity": "3",
    }
    line: dict[str, Any] = {"item": "i", "warehouse": "w", "quantity": "2", "unit_price": "2.5", "rate": "0.1"}
    log: list[dict[str, Any]] = [
        {**received, "value": 10, "reason": "purchase"},
        {
            "did": "ordered",
            "day": "2026-11-02",
            "currency": "EUR",
            "order": "o",
            "lines": [line, {**line, "quantity": "1"}],
        },
        {
            "did": "shipped",
            "day": "2026-11-03",
            "currency": "EUR",
            "order": "o",
            "shipment": "s",
            "quantities": ["2", "0"],
        },
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
    with pytest.raises(IndexError):
        MonthLedger([*log, {**log[-1], "shipment": "t"}])
