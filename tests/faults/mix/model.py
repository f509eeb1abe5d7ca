"""What must be there at the end, computed from the log of requests alone. This module shares no code with the platform that it checks.

It reads what was accepted, in any order in which it could have been answered. Whatever the platform may decide by itself (which of two requests
was first) it takes from the answers; everything else it computes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import floor
from typing import Any

INVENTORY, RECEIVABLE, NOT_INVOICED, TAX, OPENING, REVENUE, COST, COUNTED = (
    "1400 1210 2110 2200 3900 4000 5000 5200".split()
)
Place = tuple[str, str]
Contents = frozenset[tuple[str, str]]
"""Of a shipment: (order line, quantity as plain text)."""


@dataclass
class Line:
    item: str
    warehouse: str
    quantity: Decimal
    net: int
    tax: int
    shipped: Decimal = Decimal(0)


@dataclass
class Order:
    status: str
    lines: dict[str, Line]
    shipments: dict[str, tuple[str, dict[str, Decimal]]] = field(default_factory=dict)
    """Those that are known by id, split ones: their state and what is in them. What is in none of them is in the first shipment."""
    first: str = "pending"

    @property
    def net(self) -> int:
        return sum(line.net for line in self.lines.values())

    @property
    def tax(self) -> int:
        return sum(line.tax for line in self.lines.values())

    @property
    def has_left(self) -> bool:
        """Whether everything has; a cancellation came too late then."""
        return all(line.shipped == line.quantity for line in self.lines.values())


@dataclass
class Figures:
    """What one company must find. Amounts in minor units; accounts as debit less credit."""

    orders: dict[str, tuple[str, str, str, int, int]]
    """By id: status, allocation, shipment, net, tax."""
    shipments: Counter[tuple[str, str, Contents]]
    """(order, state, contents) of all that were not cancelled."""
    stock: dict[Place, tuple[Decimal, Decimal, int]]
    """On hand, reserved, value."""
    accounts: dict[str, int]
    journals: int
    units_shipped: Decimal
    events: Counter[str]
    """How many events of each type, where the requests alone decide it."""


def predict(entries: Iterable[dict[str, Any]]) -> dict[str, Figures]:
    """By tenant, from the lines of the log."""
    books: dict[str, _Book] = defaultdict(_Book)
    for entry in entries:
        if entry["what"] == "answered" and entry["status"] < 300:
            books[entry["tenant"]].read(entry)
    return {tenant: book.figures() for tenant, book in books.items() if book.rates}


def unanswered(entries: Iterable[dict[str, Any]]) -> set[tuple[str, str]]:
    """(tenant, key) of requests of which nobody knows what became of them."""
    open_ones: set[tuple[str, str]] = set()
    for entry in entries:
        if entry["what"] == "asked":
            open_ones.add((entry["tenant"], entry["key"]))
        elif entry["what"] == "answered":
            open_ones.discard((entry["tenant"], entry["key"]))
    return open_ones


class _Book:
    """One company's requests, read one after another."""

    def __init__(self) -> None:
        self.rates: dict[str, Decimal] = {}
        self._prices: dict[tuple[str, str], list[tuple[Decimal, Decimal]]] = {}
        self._costs: dict[str, Fraction] = {}
        self._on_hand: dict[Place, Decimal] = defaultdict(Decimal)
        self._received: dict[Place, Decimal] = defaultdict(Decimal)
        self._held: dict[str, list[tuple[Place, Decimal]]] = {}
        self._orders: dict[str, Order] = {}
        self._order_of: dict[str, str] = {}
        self._accounts: Counter[str] = Counter()
        self._journals = 0
        self._units = Decimal(0)
        self._events: Counter[str] = Counter()

    def read(self, entry: dict[str, Any]) -> None:
        path, body, answer = entry["path"].split("/")[2:], entry["body"], entry["answer"]
        match [entry["method"], *path]:
            case ["POST", "items"]:
                self.rates[answer["id"]] = Decimal(body["tax_rate"])
                self._events["catalog.item.created"] += 1
            case ["PUT", "items", _]:
                self._events["catalog.item.updated"] += 1
            case ["POST", "price-lists"]:
                self._events["catalog.price_list.created"] += 1
                for price in body["prices"]:
                    breaks = self._prices.setdefault((answer["id"], price["item_id"]), [])
                    breaks.append((Decimal(price["min_quantity"]), Decimal(price["unit_price"])))
            case ["POST", "inventory", what, *rest]:
                self._inventory(what, rest, body, answer)
            case [method, "orders", *rest]:
                self._order(method, rest, body, answer)
            case ["POST", "shipments", shipment_id, step]:
                self._shipment(shipment_id, step, body, answer)

    # Stock.

    def _inventory(self, what: str, rest: list[str], body: dict[str, Any], answer: dict[str, Any]) -> None:
        match [what, *rest]:
            case ["receipts"]:
                place, quantity = (body["item_id"], body["warehouse_id"]), Decimal(body["quantity"])
                self._costs.setdefault(body["item_id"], Fraction(body["value"]) / Fraction(quantity))
                self._on_hand[place] += quantity
                self._received[place] += quantity
                self._post(INVENTORY, OPENING if body["reason"] == "opening" else NOT_INVOICED, body["value"])
            case ["adjustments"]:
                place, quantity = (body["item_id"], body["warehouse_id"]), Decimal(body["quantity"])
                self._on_hand[place] += quantity
                self._post(INVENTORY, COUNTED, self._worth(place, quantity))
                self._events["inventory.stock.adjusted"] += 1
            case ["transfers"]:
                quantity = Decimal(body["quantity"])
                self._on_hand[body["item_id"], body["from_warehouse_id"]] -= quantity
                self._on_hand[body["item_id"], body["to_warehouse_id"]] += quantity
                self._events["inventory.stock.transferred"] += 1
            case ["reservations"]:
                if body["expires_in_seconds"] is None:
                    lines = [((ln["item_id"], ln["warehouse_id"]), Decimal(ln["quantity"])) for ln in body["lines"]]
                    self._held[answer["id"]] = lines
                else:
                    # Nobody releases these, so each runs out, once.
                    self._events["inventory.reservation.expired"] += 1
            case ["reservations", reservation_id, "release"]:
                del self._held[reservation_id]

    def _worth(self, place: Place, quantity: Decimal) -> int:
        value = self._costs[place[0]] * Fraction(quantity)
        assert value.denominator == 1, "one unit of an item always costs the same whole amount"
        return int(value)

    def _post(self, debit: str, credit: str, amount: int) -> None:
        self._accounts[debit] += amount
        self._accounts[credit] -= amount
        self._journals += 1

    # Orders.

    def _order(self, method: str, rest: list[str], body: Any, answer: Any) -> None:
        match [method, *rest]:
            case ["POST"]:
                confirmed = bool(body.get("confirm"))
                self._orders[answer["id"]] = Order("confirmed" if confirmed else "draft", self._lines(body, answer))
                self._events["order.created"] += 1
                self._events["order.confirmed"] += confirmed
            case ["PUT", order_id]:
                self._orders[order_id].lines = self._lines(body, answer)
                self._events["order.changed"] += 1
            case ["DELETE", order_id]:
                self._move(order_id, "cancelled", "order.cancelled")
            case ["POST", order_id, "confirm"]:
                self._move(order_id, "confirmed", "order.confirmed")
            case ["POST", order_id, "hold"]:
                self._move(order_id, "on_hold", "order.held")
            case ["POST", order_id, "resume"]:
                self._move(order_id, "confirmed", "order.resumed")
            case ["POST", order_id, "cancel"]:
                self._move(order_id, "cancelled", "order.cancelled")
            case ["POST", _, "allocate"]:
                self._events["order.allocation_requested"] += 1

    def _move(self, order_id: str, status: str, event: str) -> None:
        self._orders[order_id].status = status
        self._events[event] += 1

    def _lines(self, body: dict[str, Any], answer: dict[str, Any]) -> dict[str, Line]:
        lines: dict[str, Line] = {}
        for sent, shown in zip(body["lines"], answer["lines"], strict=True):
            quantity = Decimal(sent["quantity"])
            price = Decimal(sent["unit_price"]) if "unit_price" in sent else self._listed(sent, quantity)
            lines[shown["id"]] = Line(sent["item_id"], sent["warehouse_id"], quantity, _round(quantity * price), 0)
        for rate in {self.rates[line.item] for line in lines.values()}:
            _give_tax([line for line in lines.values() if self.rates[line.item] == rate], rate)
        return lines

    def _listed(self, sent: dict[str, Any], quantity: Decimal) -> Decimal:
        breaks = self._prices[sent["price_list_id"], sent["item_id"]]
        return max(entry for entry in breaks if entry[0] <= quantity)[1]

    # Shipments.

    def _shipment(self, shipment_id: str, step: str, body: Any, answer: dict[str, Any]) -> None:
        order = self._orders[answer["order_id"]]
        if step == "split":
            contents = {line["line_id"]: Decimal(line["quantity"]) for line in body["lines"]}
            order.shipments[answer["id"]] = ("pending", contents)
            return
        state, event = _STEPS[step]
        self._events[event] += 1
        if shipment_id in order.shipments:
            contents = order.shipments[shipment_id][1]
            order.shipments[shipment_id] = (state, contents)
        else:
            contents = _rest(order)
            order.first = state
        if step == "dispatch":
            self._leave(order, contents)

    def _leave(self, order: Order, contents: dict[str, Decimal]) -> None:
        net = tax = 0
        for line_id, quantity in contents.items():
            line = order.lines[line_id]
            before, line.shipped = line.shipped, line.shipped + quantity
            net += _part(line.net, line.shipped, line.quantity) - _part(line.net, before, line.quantity)
            tax += _part(line.tax, line.shipped, line.quantity) - _part(line.tax, before, line.quantity)
            place = (line.item, line.warehouse)
            self._on_hand[place] -= quantity
            self._units += quantity
            self._events["inventory.stock.issued"] += 1
            self._post(COST, INVENTORY, self._worth(place, quantity))
        for account, amount in ((RECEIVABLE, net + tax), (REVENUE, -net), (TAX, -tax)):
            self._accounts[account] += amount
        self._journals += bool(net + tax)

    # The end.

    def figures(self) -> Figures:
        reserved: dict[Place, Decimal] = defaultdict(Decimal)
        for place, quantity in (held for lines in self._held.values() for held in lines):
            reserved[place] += quantity
        orders: dict[str, tuple[str, str, str, int, int]] = {}
        shipments: Counter[tuple[str, str, Contents]] = Counter()
        reinstated = [order for order in self._orders.values() if order.status == "cancelled" and order.has_left]
        for order in reinstated:
            order.status = "confirmed"
        for order_id, order in self._orders.items():
            holds = order.status in {"confirmed", "on_hold"} and not self._is_short(order)
            for line in order.lines.values():
                reserved[line.item, line.warehouse] += line.quantity - line.shipped if holds else 0
            orders[order_id] = (order.status, *_progress(order, holds), order.net, order.tax)
            shipments.update((order_id, state, contents) for state, contents in _shown(order, holds))
        stock = {p: (units, reserved[p], self._worth(p, units)) for p, units in self._on_hand.items()}
        accounts = {code: amount for code, amount in self._accounts.items() if amount}
        decided = {"accounting.journal.posted": self._journals, "order.reinstated": len(reinstated)}
        events = self._events + Counter(decided)
        return Figures(orders, shipments, stock, accounts, self._journals, self._units, events)

    def _is_short(self, order: Order) -> bool:
        """Whether one of its lines wants more than ever came in there."""
        return any(line.quantity > self._received[line.item, line.warehouse] for line in order.lines.values())


_STEPS = {
    "pick": ("picked", "shipment.picked"),
    "packages": ("packed", "shipment.packed"),
    "dispatch": ("dispatched", "shipment.dispatched"),
    "deliver": ("delivered", "shipment.delivered"),
}


def _rest(order: Order) -> dict[str, Decimal]:
    """What was not split off."""
    rest = {line_id: line.quantity for line_id, line in order.lines.items()}
    for _, contents in order.shipments.values():
        for line_id, quantity in contents.items():
            rest[line_id] -= quantity
    return {line_id: quantity for line_id, quantity in rest.items() if quantity}


def _shown(order: Order, holds: bool) -> Iterable[tuple[str, Contents]]:
    """The order's shipments that nobody cancelled: what has left, and what still may."""
    known = [*order.shipments.values(), (order.first, _rest(order))]
    for state, contents in known:
        if holds or state in {"dispatched", "delivered"}:
            yield state, frozenset((line_id, f"{quantity.normalize():f}") for line_id, quantity in contents.items())


def _progress(order: Order, holds: bool) -> tuple[str, str]:
    """Allocation and shipment: none, partial or full."""
    lines = order.lines.values()
    shipped = [(line.shipped, line.quantity) for line in lines]
    allocated = [(line.quantity if holds else line.shipped, line.quantity) for line in lines]
    return _word(allocated), _word(shipped)


def _word(pairs: list[tuple[Decimal, Decimal]]) -> str:
    if all(done >= wanted for done, wanted in pairs):
        return "full"
    return "partial" if any(done for done, _ in pairs) else "none"


def _give_tax(lines: list[Line], rate: Decimal) -> None:
    """The tax of a rate is rounded once for the order; each line has its whole units, and the largest fractions one more, as far as it goes."""
    exact = {at: line.net * Fraction(rate) for at, line in enumerate(lines)}
    for at, line in enumerate(lines):
        line.tax = floor(exact[at])
    over = _round(sum(line.net for line in lines) * rate) - sum(line.tax for line in lines)
    for at in sorted(exact, key=lambda at: (floor(exact[at]) - exact[at], at))[:over]:
        lines[at].tax += 1


def _part(amount: int, quantity: Decimal, whole: Decimal) -> int:
    return _round(amount * quantity / whole)


def _round(value: Decimal | int) -> int:
    return int(Decimal(value).quantize(Decimal(1), rounding=ROUND_HALF_UP))
