"""Whether books, shelves, orders and invoices are what the log of requests says: now, and at the end of some days of the month."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from month.carrying import MOVE_NOTHING, Ways
from month.firms import V1, Firm, figures
from month.reckoning import MonthLedger
from month.shelves import Place
from month.trading import Trading

_DID = {"received", "ordered", "cancelled", "shipped", "invoiced", "paid", "credited", "used", "counted"}
_DID |= {"asked_ahead", "charged", "returned", "exchanged", "signed", "carrier_said"}
_TALES = {"quoted", "reminded", "lost", "released", "decided by the deputy", "delivered in part"}
_PUT_RIGHT = {"undone", "assigned", "reversed", "allocated", "refunded"}


def ensure_all_of_it(months: Iterable[Trading]) -> None:
    """Raises AssertionError for months that lack what the check is of: parcels that arrive in part, are refused and get lost, returns, reminders."""
    done, tales = set[str](), set[str]()
    for month in months:
        done |= {each["did"] for each in month.log}
        tales |= month.tales
    assert not (lacking := (_DID - done) | (_TALES - tales)), f"nobody has {lacking}"
    assert done & _PUT_RIGHT, "something was put right"


async def check(month: Trading, days: int) -> int:
    """Returns how many figures agree. Raises AssertionError with the first that does not."""
    moved = [each for each in month.log if each["did"] not in MOVE_NOTHING]
    firm, ledger, looked = month.firm, MonthLedger(moved, month.firm.kind.country), 0
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
    return looked + await _documents(month, ledger) + await _parcels(month)


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


async def _parcels(month: Trading) -> int:
    """What has left, and where it is by now."""
    ways, looked = Ways(month.log), 0
    shown = {each["id"]: each for each in await month.firm.member.every("/v1/shipments")}
    for id in ways.left:
        now = shown[id]
        at = None if now["delivered_at"] is None else datetime.fromisoformat(now["delivered_at"])
        assert (now["status"], at) == (ways.status(id), ways.arrived.get(id)), now["number"]
        looked += 2
    for booking in await month.firm.member.every("/v1/bookings"):
        of, kept = booking["shipment_id"], sorted(_step(each) for each in booking["steps"])
        said = sorted(_step(each) for each in ways.steps[of].values())
        assert (booking["tracking"], kept) == (ways.tracking(of), said), booking["shipment_number"]
        looked += 1 + len(said)
    return looked


def _step(said: Mapping[str, Any]) -> tuple[str, datetime]:
    return said["state"], datetime.fromisoformat(said["at"])


async def on_shelves(firm: Firm, day: str) -> dict[Place, tuple[Fraction, int]]:
    valued = await firm.member.every("/v1/inventory/valuation", effective=day)
    held = {
        (each["item_id"], each["warehouse_id"]): (Fraction(each["quantity"]), int(each["value"])) for each in valued
    }
    return {place: amounts for place, amounts in held.items() if amounts[0]}
