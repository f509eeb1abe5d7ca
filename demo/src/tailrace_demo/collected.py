"""What must have come of invoices, payments, credit and returns, from the log of requests alone."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any


@dataclass
class Part:
    """What left of a line of an order with one shipment; amounts in minor units, `rate` a share of one."""

    order_id: str
    line_id: str
    quantity: Decimal
    rate: Decimal
    net: int
    tax: int
    invoiced: bool = False


@dataclass
class _Invoice:
    customer: str
    parts: list[Part]
    total: int
    due: date
    number: str | None = None
    paid: int = 0
    credited: int = 0

    @property
    def open(self) -> int:
        return self.total - self.paid - self.credited if self.number else 0

    @property
    def status(self) -> str:
        if self.open:
            return "partly_paid" if self.paid else "issued"
        return "paid"


@dataclass
class _Order:
    customer: str | None
    worth: int
    waits: bool


@dataclass
class Collected:
    """One company's; amounts in minor units of its currency."""

    cash: int = 0
    credited_net: int = 0
    """What was sold and came back."""
    fees: int = 0
    tax: int = 0
    """By how much the tax of invoices and credit notes differs from that of what left."""
    back: Decimal = Decimal(0)
    """Units that are in stock again."""
    freed: int = 0
    """Orders that went on because money came in."""
    _parts: list[Part] = field(default_factory=list)
    _orders: dict[str, _Order] = field(default_factory=dict)
    _invoices: dict[str, _Invoice] = field(default_factory=dict)
    _limits: dict[str, int] = field(default_factory=dict)
    _terms: dict[str, int] = field(default_factory=dict)
    _credit: Counter[str] = field(default_factory=Counter)
    _expected: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By line of a return, its shipment's order and line."""
    _levels: list[dict[str, Any]] = field(default_factory=list)
    _overdue: int = 0
    _currency: str = ""
    _today: date = field(default_factory=lambda: datetime.now(UTC).date())
    """Whichever it is: what is overdue has been so for months, and all else is due in weeks."""

    def ordered(self, order_id: str, customer: str | None, worth: int) -> None:
        """A confirmed order of so much, tax included. It waits when its customer would owe too much, or owes for too long."""
        waits = customer is not None and (self._is_late(customer) or self._exceeds(customer, worth))
        self._orders[order_id] = _Order(customer, worth, waits)

    def left(self, part: Part) -> None:
        """Something was dispatched."""
        self._parts.append(part)

    def waiting(self) -> set[str]:
        """The orders that wait for credit."""
        return {id for id, order in self._orders.items() if order.waits}

    def read(self, entry: dict[str, Any]) -> None:
        """The next accepted request, of those that are about money."""
        body, answer = entry["body"], entry["answer"]
        match entry["path"].split("/")[2:]:
            case ["customers"]:
                self._terms[answer["id"]] = body.get("payment_terms_days", 30)
            case ["customers", customer, "credit"]:
                self._limits[customer] = body["credit_limit"]
            case ["orders", "credit-policy"]:
                self._overdue = body["overdue_days"]
            case ["approvals", _, "approve"] if answer["document_id"] in self._orders:
                self._orders[answer["document_id"]].waits = False
            case ["returns"]:
                for sent, shown in zip(body["lines"], answer["lines"], strict=True):
                    self._expected[shown["id"]] = body["order_id"], sent["line_id"]
            case ["return-shipments", _, "inspect"]:
                for line in body["lines"]:
                    self._take_back(*self._expected[line["return_line_id"]], Decimal(line["quantity"]))
            case ["accounting", *rest]:
                self._account(rest, body, answer)

    def figures(self) -> dict[str, int]:
        """What the accounts of receivables, of what is not invoiced, of customers' credit and of the bank must say, by these names."""
        return {
            "owed by customers": sum(each.open for each in self._invoices.values()),
            "left, not invoiced": sum(part.net + part.tax for part in self._parts if not part.invoiced),
            "customers' credit": sum(self._credit.values()),
            "received less paid back": self.cash,
        }

    def invoices(self) -> dict[str, int]:
        """How many there are in each state."""
        return dict(Counter(each.status for each in self._invoices.values()))

    def _account(self, path: list[str], body: Any, answer: Any) -> None:
        match path:
            case ["bank-accounts"]:
                self._currency = body["currency"]
            case ["dunning-policy"]:
                self._levels = body["levels"]
            case ["invoices"]:
                self._draft(answer["id"], body["order_id"])
            case ["invoices", id, "issue"]:
                self._issue(self._invoices[id], answer["number"], body.get("dated"))
            case ["dunning-notices"]:
                self._remind(self._invoices[body["invoice_id"]], answer["fee_invoice_id"])
            case ["payments"]:
                self._receive(
                    body["customer_id"],
                    body["amount"],
                    [self._invoices[each["invoice_id"]] for each in body["allocations"]],
                )
            case ["bank-statements"]:
                self._statement(body["content"])
            case ["refunds"]:
                self.cash -= self._credit.pop(body["customer_id"])

    # Orders.

    def _is_late(self, customer: str) -> bool:
        latest = self._today - timedelta(days=self._overdue)
        return any(each.customer == customer and each.open and each.due < latest for each in self._invoices.values())

    def _exceeds(self, customer: str, worth: int) -> bool:
        """What was invoiced of an order is owed, or paid."""
        limit = self._limits.get(customer)
        if limit is None:
            return False
        bound = sum(each.worth for each in self._orders.values() if each.customer == customer and not each.waits)
        return bound + worth > limit

    # Invoices.

    def _draft(self, id: str, order_id: str) -> None:
        parts = [part for part in self._parts if part.order_id == order_id and not part.invoiced]
        by_rate: dict[Decimal, int] = defaultdict(int)
        for part in parts:
            part.invoiced = True
            by_rate[part.rate] += part.net
        tax = sum(_round(net * rate) for rate, net in by_rate.items())
        self.tax += tax - sum(part.tax for part in parts)
        customer = self._orders[order_id].customer
        assert customer is not None
        self._invoices[id] = _Invoice(customer, parts, sum(by_rate.values()) + tax, date.max)

    def _issue(self, invoice: _Invoice, number: str, dated: str | None) -> None:
        day = self._today if dated is None else date.fromisoformat(dated)
        invoice.number, invoice.due = number, day + timedelta(days=self._terms[invoice.customer])

    def _remind(self, invoice: _Invoice, fee_invoice: str | None) -> None:
        late = (self._today - invoice.due).days
        fee = [level.get("fee", 0) for level in self._levels if late >= level["days"]][-1]
        if fee_invoice is not None:
            self._invoices[fee_invoice] = _Invoice(invoice.customer, [], fee, self._today, "the fee's")
            self.fees += fee

    # Money.

    def _receive(self, customer: str, amount: int, invoices: Iterable[_Invoice]) -> None:
        self.cash += amount
        for invoice in invoices:
            part = min(amount, invoice.open)
            invoice.paid += part
            amount -= part
        if amount:
            self._credit[customer] += amount
        if not self._is_late(customer) and customer not in self._limits:
            for order in self._orders.values():
                if order.waits and order.customer == customer:
                    order.waits = False
                    self.freed += 1

    def _statement(self, content: str) -> None:
        """Each line names one invoice, and pays it."""
        digits = 0 if self._currency == "JPY" else 2
        for row in content.splitlines()[1:]:
            _, amount, _, reference = row.split(",")
            (invoice,) = [each for each in self._invoices.values() if each.number == reference.removeprefix("Invoice ")]
            self._receive(invoice.customer, int(Decimal(amount).scaleb(digits)), [invoice])

    # What comes back, all of it to be sold again.

    def _take_back(self, order_id: str, line_id: str, quantity: Decimal) -> None:
        """It is credited; what was paid for it is the customer's."""
        (part,) = [each for each in self._parts if (each.order_id, each.line_id) == (order_id, line_id)]
        (invoice,) = [each for each in self._invoices.values() if part in each.parts]
        net = _round(part.net * quantity / part.quantity)
        whole = sum(each.net for each in invoice.parts if each.rate == part.rate)
        tax = _round(_round(whole * part.rate) * Decimal(net) / whole)
        self.credited_net += net
        self.tax -= tax
        self.back += quantity
        over = max(net + tax - invoice.open, 0)
        invoice.credited += net + tax
        invoice.paid -= over
        if over:
            self._credit[invoice.customer] += over


def _round(value: Decimal | int) -> int:
    return int(Decimal(value).quantize(Decimal(1), rounding=ROUND_HALF_UP))
