"""Whether books, shelves, orders and invoices are what the log of requests says: now, and at the end of some days of the month."""

from datetime import timedelta
from fractions import Fraction

from month.firms import V1, Firm, figures
from month.reckoning import MonthLedger, Place
from month.trading import Trading


async def check(month: Trading, days: int) -> int:
    """Returns how many figures agree. Raises AssertionError with the first that does not."""
    firm, ledger, looked = month.firm, MonthLedger(month.log, month.firm.kind.country), 0
    for ago in (days - 3, days // 2, 1, 0):
        day = (firm.today - timedelta(days=ago)).isoformat()
        said = ledger.as_of(day)
        assert await figures(firm, day) == said, f"{firm.kind.name} as of {day}"
        shelves = ledger.stock(day)
        assert await on_shelves(firm, day) == shelves, f"{firm.kind.name} as of {day}"
        aged = await firm.member.get(f"{V1}/receivables/ageing", day=day)
        owed = {each["currency"]: (each["open"], each["credit"]) for each in aged["totals"]}
        expected = said.get(("receivable", firm.kind.currency), 0), -said.get(("credit", firm.kind.currency), 0)
        assert owed.get(firm.kind.currency, (0, 0)) == expected, f"{firm.kind.name} as of {day}"
        looked += len(said) + 2 * len(shelves) + 2
    return looked + await _documents(month, ledger)


async def _documents(month: Trading, ledger: MonthLedger) -> int:
    """Orders, invoices, returns and customers, by now."""
    firm, looked = month.firm, 0
    for order in await firm.member.every("/v1/orders"):
        assert (order["net"], order["tax"]) == ledger.total(order["id"]), order["number"]
        looked += 2
    for invoice in await firm.member.every(f"{V1}/invoices"):
        if invoice["number"] is not None:
            assert invoice["open"] == ledger.open_of(invoice["id"]), invoice["number"]
            looked += 1
    for each in await firm.member.every("/v1/returns"):
        assert [each["credited_net"], each["credited_tax"]] == ledger.taken_back[each["id"]], each["number"]
        looked += 2
    for customer in firm.customers:
        stands = await firm.member.get(f"/v1/orders/credit/{customer}")
        sums = {name: each[name] for each in stands["sums"] for name in ("open_orders", "receivables", "paid_ahead")}
        expected = ledger.standing(customer)
        assert sums == expected or (not sums and not any(expected.values())), f"{firm.kind.name}, {customer}"
        looked += 3
    integrity = await firm.member.get(f"{V1}/integrity")
    assert integrity["intact"], integrity
    return looked


async def on_shelves(firm: Firm, day: str) -> dict[Place, tuple[Fraction, int]]:
    valued = await firm.member.every("/v1/inventory/valuation", effective=day)
    held = {
        (each["item_id"], each["warehouse_id"]): (Fraction(each["quantity"]), int(each["value"])) for each in valued
    }
    return {place: amounts for place, amounts in held.items() if amounts[0]}
