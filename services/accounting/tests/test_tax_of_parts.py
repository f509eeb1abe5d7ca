"""Tax is rounded once for each rate of an invoice, whatever the cuts of its orders: books, orders and receivables stay exact to the unit.

A thousand orders are cut at random. What must come out is computed here, from quantities, amounts and rates alone.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any
from uuid import UUID

import pytest

from accounting.invoices.buyers import Buyer
from accounting.invoices.copies import DeliveryCopy, OrderCopy
from accounting.invoices.credit import CreditNote, nets_of, taxes_of
from accounting.invoices.drafting import Billable, delivered_lines
from accounting.invoices.lines import InvoiceLine
from accounting.invoices.models import Invoice, Issue
from accounting.invoices.taxing import apply
from accounting.rules import shipment_dispatched
from accounting.sales_rules import credit_note_issued, invoice_issued
from contracts.invoices import CreditNoteIssued, InvoiceIssued
from contracts.shipments import DispatchedLine, ShipmentDispatched
from tailrace.core.ids import uuid7
from tailrace.core.values.days import ALWAYS, DEFAULT_ZONE, Calendar, Since

DAY, AT = date(2026, 11, 20), datetime(2026, 11, 20, 9, tzinfo=UTC)
DAYS = Calendar([Since(ALWAYS, DEFAULT_ZONE)])
RATES = ("0.1", "0.08", "0.19", "0")


def rounded(exact: Fraction, mode: str) -> int:
    if mode == "down":
        return floor(exact)
    low = floor(exact)
    if exact - low == Fraction(1, 2):
        return low + (1 if mode == "half_up" or low % 2 else 0)
    return low if exact - low < Fraction(1, 2) else ceil(exact)


@dataclass
class Sold:
    """An order, cut into shipments, cut into invoices."""

    dice: random.Random
    mode: str
    books: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self) -> None:
        dice = self.dice
        self.lines: list[dict[str, Any]] = []
        for _ in range(dice.randint(1, 5)):
            quantity = Decimal(dice.randint(1, 9_000)).scaleb(dice.choice([0, 0, -3]))
            rate, net = dice.choice(RATES), dice.choice([0, 1, 4, dice.randint(0, 99), dice.randint(0, 5_000_000)])
            said = {
                "line_id": str(uuid7()),
                "item_id": str(uuid7()),
                "quantity": quantity,
                "net": net,
                "tax_rate": rate,
            }
            self.lines.append({**said, "tax": 0, "tax_code": None, "unit_price": "1", "sku": "S", "name": "N"})
        for rate in RATES:
            alike = [line for line in self.lines if line["tax_rate"] == rate and line["net"]]
            for line in alike:
                line["tax"] = floor(Fraction(rate) * line["net"])
            rest = rounded(Fraction(rate) * sum(line["net"] for line in alike), self.mode) - sum(
                line["tax"] for line in alike
            )
            # Who of the lines bears the last units makes no difference to what is promised.
            for line in dice.sample(alike, rest):
                line["tax"] += 1
        self.net, self.tax = (sum(line[name] for line in self.lines) for name in ("net", "tax"))
        self.order = OrderCopy(
            id=uuid7(), number="SO-1", customer_id=None, lines=self.lines, net=self.net, tax=self.tax
        )

    def cuts(self) -> list[DeliveryCopy]:
        """Shipments that come to the whole order; each is booked as it leaves."""
        left = {line["line_id"]: line["quantity"] for line in self.lines}
        shipments = []
        while any(left.values()):
            parts = []
            for line in self.lines:
                rest = left[line["line_id"]]
                part = min(rest, self.dice.choice([Decimal(0), rest, line["quantity"] * self.dice.randint(1, 9) / 10]))
                if part:
                    about = {name: line[name] for name in ("line_id", "item_id", "sku", "name")}
                    sums = {"line_quantity": line["quantity"], "line_net": line["net"], "line_tax": line["tax"]}
                    before = line["quantity"] - rest
                    parts.append(
                        {**about, **sums, "warehouse_id": str(uuid7()), "quantity": part, "dispatched_before": before}
                    )
                    left[line["line_id"]] = rest - part
            if parts:
                said: dict[str, Any] = {
                    "order_id": self.order.id,
                    "number": "SH-1",
                    "currency": "EUR",
                    "dispatched_at": AT,
                }
                shipments.append(DeliveryCopy(id=uuid7(), lines=parts, **said))
                lines = [DispatchedLine.model_validate(part) for part in parts]
                self.post(
                    shipment_dispatched(
                        ShipmentDispatched(shipment_id=uuid7(), reservation_id=uuid7(), **{**said, "lines": lines})
                    )
                )
        return shipments

    def post(self, posting: Any) -> None:
        for move in posting.moves:
            self.books[move.role] += move.amount

    def invoice(self, shipments: Sequence[DeliveryCopy]) -> Invoice:
        buyer = Buyer(None, {"name": "Ada"}, 0, "EUR")
        lines: list[InvoiceLine] = delivered_lines(
            Billable(buyer, "EUR", shipments, {self.order.id: self.order}, {}), DAYS
        )
        apply(lines, {}, [{"valid_from": "2026-01-01", "level": "document", "mode": self.mode}], DAY)
        terms = {"customer_id": None, "customer": {"name": "Ada"}, "currency": "EUR", "payment_terms_days": 0}
        invoice = Invoice.drafted(
            {**terms, "customer_reference": None, "notes": None, "supplied_from": DAY, "supplied_until": DAY}, lines
        )
        invoice.issue(Issue("INV-1", DAY, DAY, AT, {}))
        return invoice


def said(document: Any, kind: type[Any]) -> Any:
    """An event that a document recorded while no session had it."""
    return next(event for _, event in document.__dict__["_unattached"] if isinstance(event, kind))


@pytest.mark.parametrize("seed", range(4))
def test_a_thousand_orders_in_parts_are_exact(seed: int) -> None:
    dice, differed = random.Random(seed), 0
    for _ in range(250):
        sold = Sold(dice, dice.choice(["half_up", "half_up", "down", "half_even"]))
        shipments, invoices = sold.cuts(), []
        while shipments:
            taken, shipments = shipments[: (cut := dice.randint(1, 3))], shipments[cut:]
            invoices.append(sold.invoice(taken))
        for invoice in invoices:
            for rate in RATES:
                alike = [line for line in invoice.lines if line.tax_rate == Decimal(rate)]
                exact = Fraction(rate) * sum(line.net for line in alike)
                assert sum(line.tax for line in alike) == rounded(exact, sold.mode)
                assert all(abs(line.tax - Fraction(rate) * line.net) < 1 for line in alike)
            sold.post(invoice_issued(said(invoice, InvoiceIssued)))
        taxes = sum(invoice.tax for invoice in invoices)
        differed += taxes != sold.tax
        assert sum(invoice.net for invoice in invoices) == sold.net
        amounts = [each for invoice in invoices for each in invoice.orders]
        assert (sum(each.net for each in amounts), sum(each.tax for each in amounts)) == (sold.net, sold.tax)
        left = {role: amount for role, amount in sold.books.items() if amount}
        owed = {"receivable": sold.net + taxes, "revenue": -sold.net, "output_tax": -taxes}
        assert left == {role: amount for role, amount in owed.items() if amount}
        take_back(sold, dice, invoices)
        assert not any(sold.books.values()), "all of it was taken back"
    assert differed > 15, "rounding each invoice made a difference"


def take_back(sold: Sold, dice: random.Random, invoices: Sequence[Invoice]) -> None:
    """In two credit notes each, after which the order is invoiced for nothing, but for invoices of nothing."""
    of_order = [each for invoice in invoices if invoice.total for each in invoice.orders]
    expected = (sum(each.net for each in of_order), sum(each.tax for each in of_order))
    back: dict[UUID, tuple[int, int]] = {}
    for invoice in invoices:
        for whole in (False, True):
            nets = nets_of(invoice, [])[0]
            if not whole:
                nets = {id: dice.randint(0, net) for id, net in nets.items()}
            taxes = taxes_of(invoice, nets)
            amounts = {id: (net, taxes[id]) for id, net in nets.items()}
            terms = {"number": "CN-1", "dated": DAY, "reason": "x", "seller": {}}
            note = CreditNote.issued(invoice, amounts, {}, terms, AT)
            event = said(note, CreditNoteIssued)
            invoice.credit(amounts, DAY)
            sold.post(credit_note_issued(event))
            for each in event.orders:
                net, tax = back.get(each.order_id, (0, 0))
                back[each.order_id] = (net + each.net, tax + each.tax)
            if invoice.status == "credited":
                break
            left = sum(
                line.booked_tax - rounded(Fraction(line.booked_tax * line.credited_net, line.net or 1), "half_up")
                for line in invoice.lines
            )
            assert sum(each.tax for each in invoice.orders) == left, "as much of the order's tax as of its net"
    assert back.get(sold.order.id, (0, 0)) == expected
