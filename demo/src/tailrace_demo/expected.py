"""What the books must say, computed from the log of requests alone. This module shares no code with the platform it checks."""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import floor
from typing import Any

from tailrace_demo.collected import Collected, Part
from tailrace_demo.decided import Decided


@dataclass
class Expected:
    """One company's figures; amounts in minor units of its currency."""

    orders: dict[str, int]
    net_ordered: int
    nets: dict[str, int]
    """What each order comes to, by its id, or by that of the quote that it was made of."""
    units_shipped: Decimal
    opening_units: Decimal
    shipped: int
    """The net of all that left, whatever came back."""
    revenue: int
    tax: int
    opening_value: int
    """What there was to sell: opening stock, and what was bought and not sent back."""
    spent: int
    """What was bought, less what suppliers owe for what went back."""
    quotes: dict[str, int]
    approvals: dict[str, int]
    decisions: dict[str, int]
    """How often each person decided, by the name before the @."""
    rent: int
    invoices: dict[str, int]
    money: dict[str, int]
    """By what it is: see `Collected.figures`."""


@dataclass
class _Line:
    order_id: str
    rate: Decimal
    quantity: Decimal
    net: int
    tax: int
    shipped: Decimal = Decimal(0)


def expected(
    entries: Iterable[dict[str, Any]], tenant: str, tax_rates: dict[str, Decimal], prices: dict[str, Decimal]
) -> Expected:
    """Replay the accepted requests of one company. `tax_rates` and `prices` are what the job itself sent for each item id."""
    book = _Book(tax_rates, prices)
    for entry in entries:
        if entry["tenant"] == tenant:
            book.read(entry)
    return book.figures()


class _Book:
    def __init__(self, tax_rates: dict[str, Decimal], prices: dict[str, Decimal]) -> None:
        self._tax_rates, self._prices = tax_rates, prices
        self._orders: dict[str, str] = {}
        self._lines: dict[str, _Line] = {}
        self._shipments: dict[str, dict[str, Decimal]] = defaultdict(dict)
        self._revenue = self._tax = self._opening = 0
        self._opening_units = Decimal(0)
        self._spent = 0
        self._bought: dict[str, tuple[Decimal, int]] = {}
        self._decided = Decided(prices)
        self._collected = Collected()

    def read(self, entry: dict[str, Any]) -> None:
        path, body, answer = entry["path"].split("/")[2:], entry["body"], entry["answer"]
        match path:
            case ["orders"]:
                self._order(body, answer)
            case ["orders", order_id, "cancel"]:
                self._orders[order_id] = "cancelled"
            case ["orders", order_id, "hold"]:
                self._orders[order_id] = "on_hold"
            case ["orders", order_id, "resume"]:
                self._orders[order_id] = "confirmed"
            case ["shipments", shipment_id, "split"]:
                self._split(shipment_id, answer["id"], body)
            case ["shipments", shipment_id, "dispatch"]:
                self._dispatch(shipment_id, answer)
            case ["quotes", quote_id, "accept"]:
                self._decided.read(entry)
                made = self._decided.order_of(quote_id)
                lines = [{"id": f"{quote_id}/{number}"} for number, _ in enumerate(made["lines"])]
                self._order(made, {"id": quote_id, "lines": lines})
            case ["import", what]:
                self._file(what, body, answer)
            case ["inventory", what]:
                self._goods(what, body, answer)
            case _:
                self._decided.read(entry)
                self._collected.read(entry)

    def figures(self) -> Expected:
        states: dict[str, int] = defaultdict(int)
        waiting, money = self._collected.waiting(), self._collected
        for id, state in self._orders.items():
            states["credit_hold" if id in waiting else state] += 1
        lines, nets = self._lines.values(), Counter[str]()
        for line in lines:
            nets[line.order_id] += line.net
        return Expected(
            orders=dict(states),
            net_ordered=nets.total(),
            nets=dict(nets),
            units_shipped=sum((line.shipped for line in lines), Decimal(0)) - money.back,
            opening_units=self._opening_units,
            shipped=self._revenue,
            revenue=self._revenue - money.credited_net + money.fees,
            tax=self._tax + money.tax,
            opening_value=self._opening,
            spent=self._spent,
            quotes=self._decided.quotes(),
            approvals=self._approvals(len(waiting)),
            decisions=dict(self._decided.decisions),
            rent=self._decided.rent,
            invoices=money.invoices(),
            money=money.figures(),
        )

    def _approvals(self, waiting: int) -> dict[str, int]:
        """Of those that were asked for, and of orders that went on before anybody had answered."""
        states = Counter(self._decided.approvals())
        states["pending"] += waiting
        states["voided"] += self._collected.freed
        return dict(+states)

    def _goods(self, what: str, body: dict[str, Any], answer: dict[str, Any]) -> None:
        """What came in; and what goes back to whom it was bought of, at its part of the price."""
        quantity = Decimal(body["quantity"])
        if what == "receipts":
            self._open(quantity, body["value"])
            if body["reason"] == "purchase":
                self._spent += body["value"]
                self._bought[answer["id"]] = quantity, body["value"]
        elif what == "issues":
            whole, value = self._bought[body["receipt_id"]]
            owed = _part(value, quantity, whole)
            self._open(-quantity, -owed)
            self._spent -= owed

    def _open(self, quantity: Decimal, value: int) -> None:
        self._opening += value
        self._opening_units += quantity

    def _file(self, what: str, text: str, found: dict[str, str] | None) -> None:
        """`found` has the ids of orders by their references."""
        for row in csv.DictReader(io.StringIO(text)):
            if what == "stock":
                self._open(Decimal(row["Quantity"]), int(row["Value"]))
            elif what == "orders" and found is not None:
                id = found[row["Customer reference"]]
                self._order(self._from_file(row), {"id": id, "lines": [{"id": id}]})

    def _from_file(self, row: dict[str, str]) -> dict[str, Any]:
        """The same as a request. Who sells by file sells one thing alone."""
        (item,) = self._tax_rates
        line = {"item_id": item, "quantity": row["Quantity"], "net": int(row["Net"])}
        return {"confirm": row["Confirm"] == "yes", "lines": [line]}

    def _order(self, body: dict[str, Any], answer: dict[str, Any]) -> None:
        self._orders[answer["id"]] = "confirmed" if body["confirm"] else "draft"
        by_rate: dict[Decimal, list[_Line]] = defaultdict(list)
        for sent, shown in zip(body["lines"], answer["lines"], strict=True):
            quantity = Decimal(sent["quantity"])
            price = Decimal(sent["unit_price"]) if "unit_price" in sent else self._prices[sent["item_id"]]
            net = sent["net"] if "net" in sent else _round(quantity * price)
            rate = self._tax_rates[sent["item_id"]]
            line = self._lines[shown["id"]] = _Line(answer["id"], rate, quantity, net, 0)
            by_rate[rate].append(line)
        for rate, lines in by_rate.items():
            _give_tax(lines, rate)
        if body["confirm"]:
            worth = sum(line.net + line.tax for lines in by_rate.values() for line in lines)
            self._collected.ordered(answer["id"], body.get("customer_id"), worth)

    def _split(self, shipment_id: str, part_id: str, body: dict[str, Any]) -> None:
        for line in body["lines"]:
            self._shipments[part_id][line["line_id"]] = Decimal(line["quantity"])
            self._shipments[shipment_id][line["line_id"]] = -Decimal(line["quantity"])

    def _dispatch(self, shipment_id: str, answer: dict[str, Any]) -> None:
        """A part goes out with what was split off; the rest with the order's lines less that."""
        changes = self._shipments[shipment_id]
        is_part = any(quantity > 0 for quantity in changes.values())
        for shown in answer["lines"]:
            known = shown["line_id"] in self._lines  # of an order from a file, only the order is known
            line = self._lines[shown["line_id"] if known else answer["order_id"]]
            out = changes[shown["line_id"]] if is_part else line.quantity + changes.get(shown["line_id"], Decimal(0))
            before, after = line.shipped, line.shipped + out
            net, tax = [
                _part(amount, after, line.quantity) - _part(amount, before, line.quantity)
                for amount in (line.net, line.tax)
            ]
            self._revenue += net
            self._tax += tax
            self._collected.left(Part(line.order_id, shown["line_id"], out, line.rate, net, tax))
            line.shipped = after


def _give_tax(lines: list[_Line], rate: Decimal) -> None:
    """The tax of a rate is rounded once for the order; each line has its whole units, and the largest fractions one more, as far as it goes."""
    exact = [line.net * Fraction(rate) for line in lines]
    for line, tax in zip(lines, exact, strict=True):
        line.tax = floor(tax)
    over = _round(sum(line.net for line in lines) * rate) - sum(line.tax for line in lines)
    for at in sorted(range(len(lines)), key=lambda at: (floor(exact[at]) - exact[at], at))[:over]:
        lines[at].tax += 1


def _part(amount: int, quantity: Decimal, whole: Decimal) -> int:
    return _round(amount * quantity / whole)


def _round(value: Decimal | int) -> int:
    return int(Decimal(value).quantize(Decimal(1), rounding=ROUND_HALF_UP))
