"""What a month of invoices and payments must come to, computed from the log of accepted requests alone: it imports nothing of the product.

Each request is a dictionary, in the order in which it was accepted. Figures are movements with a day, so that any day can be added up.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

Log = Sequence[Mapping[str, Any]]
Movement = tuple[str, str, str, int]
"""The day (ISO 8601), what it is (receivable, unbilled, revenue, tax, credit, unknown, cash), the currency, and debits less credits."""


def half_up(value: Fraction) -> int:
    """To the nearest, ties away from zero."""
    sign = -1 if value < 0 else 1
    return sign * ((2 * abs(value).numerator + abs(value).denominator) // (2 * abs(value).denominator))


class RequestLedger:
    """Reads the log from its beginning to its end."""

    def __init__(self, log: Log) -> None:
        self.movements: list[Movement] = []
        self._orders: dict[str, Mapping[str, Any]] = {}
        self._left: dict[tuple[str, int], Fraction] = defaultdict(Fraction)
        self._shipments: dict[str, tuple[str, list[tuple[str, int, int]]]] = {}
        self._invoices: dict[str, dict[str, Any]] = {}
        self._payments: dict[str, dict[str, Any]] = {}
        self._allocations: list[dict[str, Any]] = []
        for each in log:
            getattr(self, f"_{each['did']}")(each)

    def as_of(self, day: str) -> dict[tuple[str, str], int]:
        """By figure and currency, what it came to at the end of a day; zeros are left out."""
        sums: dict[tuple[str, str], int] = defaultdict(int)
        for at, what, currency, amount in self.movements:
            if at <= day:
                sums[what, currency] += amount
        return {key: amount for key, amount in sums.items() if amount}

    def open_of(self, invoice: str) -> int:
        of = self._invoices[invoice]
        return int(of["total"] - of["paid"] - of["credited"])

    def _move(self, day: str, currency: str, **amounts: int) -> None:
        self.movements += [(day, what, currency, amount) for what, amount in amounts.items() if amount]

    def _ordered(self, said: Mapping[str, Any]) -> None:
        self._orders[said["order"]] = said

    def _shipped(self, said: Mapping[str, Any]) -> None:
        order = self._orders[said["order"]]
        parts = []
        for at, quantity in enumerate(said["quantities"]):
            line = order["lines"][at]
            whole, part, before = Fraction(line["quantity"]), Fraction(quantity), self._left[said["order"], at]
            if not part:
                continue
            net, tax = (
                half_up(line[name] * (before + part) / whole) - half_up(line[name] * before / whole)
                for name in ("net", "tax")
            )
            self._left[said["order"], at] = before + part
            parts.append((line["rate"], net, tax))
        self._shipments[said["shipment"]] = (order["currency"], parts)
        net, tax = sum(part[1] for part in parts), sum(part[2] for part in parts)
        self._move(said["day"], order["currency"], unbilled=net + tax, revenue=-net, tax=-tax)

    def _invoiced(self, said: Mapping[str, Any]) -> None:
        found = [self._shipments[shipment] for shipment in said["shipments"]]
        currency, lines = found[0][0], [line for _, parts in found for line in parts]
        shipped = sum(net + tax for _, net, tax in lines)
        kept: list[dict[str, Any]] = [{"rate": rate, "net": net, "tax": 0, "credited": 0} for rate, net, _ in lines]
        for rate in {rate for rate, _, _ in lines}:
            # Once for each rate of the invoice; who of its lines bears it does not matter here.
            alike = [line for line in kept if line["rate"] == rate]
            alike[0]["tax"] = half_up(Fraction(rate) * sum(line["net"] for line in alike))
        total = sum(line["net"] + line["tax"] for line in kept)
        self._invoices[said["invoice"]] = {
            "currency": currency,
            "total": total,
            "lines": kept,
            "day": said["day"],
            "paid": 0,
            "credited": 0,
            "credited_tax": defaultdict(int),
        }
        self._move(said["day"], currency, receivable=total, unbilled=-shipped, tax=shipped - total)

    def _paid(self, said: Mapping[str, Any]) -> None:
        owner = "credit" if said["known"] else "unknown"
        currency = said["currency"]
        self._payments[said["payment"]] = {"left": said["amount"], "owner": owner, "currency": currency}
        self._move(said["day"], currency, cash=said["amount"], **{owner: -said["amount"]})
        for invoice in sorted(said["invoices"]):
            if owner == "unknown":
                self._payments[said["payment"]]["owner"] = owner = "credit"
                self._move(said["day"], currency, unknown=said["amount"], credit=-said["amount"])
            self._allocate(said["payment"], invoice, max(said["day"], self._invoices[invoice]["day"]))

    def _allocated(self, said: Mapping[str, Any]) -> None:
        self._allocate(said["payment"], said["invoice"], said["day"])

    def _allocate(self, payment: str, invoice: str, day: str, amount: int | None = None) -> None:
        held = self._payments[payment]
        amount = min(held["left"], self.open_of(invoice)) if amount is None else amount
        held["left"] -= amount
        self._invoices[invoice]["paid"] += amount
        self._allocations.append({"payment": payment, "invoice": invoice, "amount": amount})
        self._move(day, held["currency"], credit=amount, receivable=-amount)

    def _undone(self, said: Mapping[str, Any]) -> None:
        (found,) = [
            each
            for each in self._allocations
            if (each["payment"], each["invoice"]) == (said["payment"], said["invoice"])
        ]
        self._free(found, said["day"])

    def _free(self, allocation: dict[str, Any], day: str) -> None:
        self._allocations.remove(allocation)
        held, amount = self._payments[allocation["payment"]], allocation["amount"]
        held["left"] += amount
        self._invoices[allocation["invoice"]]["paid"] -= amount
        self._move(day, held["currency"], credit=-amount, receivable=amount)

    def _assigned(self, said: Mapping[str, Any]) -> None:
        held = self._payments[said["payment"]]
        held["owner"] = "credit"
        self._move(said["day"], held["currency"], unknown=held["left"], credit=-held["left"])

    def _reversed(self, said: Mapping[str, Any]) -> None:
        held = self._payments[said["payment"]]
        self._move(said["day"], held["currency"], cash=-held["left"], **{held["owner"]: held["left"]})
        held["left"] = 0

    def _credited(self, said: Mapping[str, Any]) -> None:
        """`nets` by the place of the line; all that is left without them."""
        of = self._invoices[said["invoice"]]
        lines = of["lines"]
        nets = said["nets"] or {at: line["net"] - line["credited"] for at, line in enumerate(lines)}
        net = tax = 0
        for rate in sorted({line["rate"] for line in lines}):
            alike = [(at, line) for at, line in enumerate(lines) if line["rate"] == rate]
            whole, all_tax = sum(line["net"] for _, line in alike), sum(line["tax"] for _, line in alike)
            part = sum(nets.get(at, 0) for at, _ in alike)
            after = sum(line["credited"] for _, line in alike) + part
            due = all_tax if after == whole else half_up(Fraction(all_tax * after, whole))
            if any(at in nets for at, _ in alike):
                tax += due - of["credited_tax"][rate]
                of["credited_tax"][rate] = due
            net += part
        for at, amount in nets.items():
            lines[at]["credited"] += amount
        total = net + tax
        excess = max(total - self.open_of(said["invoice"]), 0)
        for allocation in [each for each in reversed(self._allocations) if each["invoice"] == said["invoice"]]:
            if excess <= 0:
                break
            amount = allocation["amount"]
            self._free(allocation, said["day"])
            if amount > excess:
                self._allocate(allocation["payment"], said["invoice"], said["day"], amount - excess)
            excess -= amount
        of["credited"] += total
        self._move(said["day"], of["currency"], revenue=net, tax=tax, receivable=-total)
