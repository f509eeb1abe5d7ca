"""A thousand orders at random that have goods, receipts and payments in common: each one's trace is what belongs to it, from either end.

What belongs to an order is worked out along causes, as the demo does it (`tailrace_demo.traces`); the platform goes along requests. TRACES=5000 takes
more of them.
"""

import os
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any
from uuid import UUID

from aiokafka import ConsumerRecord
from scribe import Scribe

from audit.graphs import Trace
from audit.service import service
from audit.trace import trace
from tailrace.core.ids import uuid7
from tailrace_demo.topics import Event, event_of
from tailrace_demo.traces import Topics, wrong
from tailrace_testing import MakeHarness

ORDERS = int(os.environ.get("TRACES", "1000"))
TOGETHER = 20
"""Orders that may have something in common. All of a company's in one trace would be no trace of an order."""
BATCH = 500


class Shop:
    """Orders that are created, changed, confirmed, held up, shipped in parts, invoiced, paid, sent back and cancelled, each step a request."""

    def __init__(self, scribe: Scribe, seed: int) -> None:
        self.scribe, self.dice = scribe, Random(seed)
        self.stock = [uuid7() for _ in range(12)]
        self.said: list[ConsumerRecord] = []
        self.asked: dict[UUID, Counter[str]] = defaultdict(Counter)
        self.journals: dict[UUID, UUID] = {}
        """The last journal that an order led to."""
        self._request, self._receipts, self._invoices = uuid7(), list[UUID](), list[UUID]()
        for each in self.stock:
            self.request("PUT /v1/inventory/items/{item_id}")
            self.say("inventory.item.created", each, "inventory")

    def request(self, what: str, *orders: UUID) -> None:
        """Somebody asks for something, of these orders or of their shipments."""
        self._request = uuid7()
        method, path = what.split()
        for order in orders:
            self.asked[order][f"{method} {path.replace('{id}', '*')}"] += 1
        data = {"method": method, "path": path, "status": 200}
        self.say("gateway.accessed", uuid7(), "gateway", topic="gateway.access", data=data)

    def say(
        self, type: str, document: UUID, context: str, cause: ConsumerRecord | None = None, **more: Any
    ) -> ConsumerRecord:
        """The next event of a document: because of another, else because of the request."""
        given = {"topic": f"{context}.events", "correlation": None if cause is not None else self._request} | more
        record = self.scribe.event(type, document, cause=cause, **given)
        self.said.append(record)
        return record

    def post(self, order: UUID, cause: ConsumerRecord) -> None:
        self.journals[order] = uuid7()
        self.say("accounting.journal.posted", self.journals[order], "accounting", cause)

    def some(self) -> None:
        """Some orders, of which now one and now another goes on."""
        self._receipts, self._invoices = [], []
        ways = [self.order() for _ in range(TOGETHER)]
        while ways:
            way = self.dice.choice(ways)
            if next(way, None) is None:
                ways.remove(way)

    def order(self) -> Iterator[int]:
        """One order's way; it stops between two requests."""
        order, chance = uuid7(), self.dice.random
        self.request("POST /v1/orders", order)
        self.say("order.created", order, "order")
        yield 1
        while chance() < 0.3:
            self.request("PATCH /v1/orders/{id}", order)
            self.say("order.updated", order, "order")
            yield 1
        if chance() < 0.1:
            self.request("POST /v1/orders/{id}/cancel", order)
            self.say("order.cancelled", order, "order")
            return
        self.request("POST /v1/orders/{id}/confirm", order)
        wanted = self.say("order.reservation_requested", order, "order", self.say("order.confirmed", order, "order"))
        reservation = uuid7()
        if chance() < 0.25:
            self.say("inventory.reservation.waits", reservation, "inventory", wanted)
            yield 1
            made = self.say("order.backorder_filled", order, "order", self.goods_come(reservation))
        else:
            made = self.say("inventory.reservation.made", reservation, "inventory", wanted)
            for each in self.dice.sample(self.stock, self.dice.randint(1, 3)):
                self.say("inventory.stock.reserved", each, "inventory", wanted)
        yield 1
        asked = self.say("order.shipment_requested", order, "order", made)
        shipments = [uuid7()]
        self.say("shipment.created", shipments[0], "shipment", asked)
        yield 1
        while chance() < 0.3:
            self.request("POST /v1/shipments/{id}/split", order)
            self.say("shipment.split", shipments[-1], "shipment")
            shipments.append(uuid7())
            self.say("shipment.created", shipments[-1], "shipment")
            yield 1
        self.dice.shuffle(shipments)
        for shipment in shipments:
            yield from self.ship(order, shipment)
        if chance() < 0.15:
            back = uuid7()
            self.request("POST /v1/orders/{id}/returns", order)
            agreed = self.say("order.return_agreed", order, "order")
            self.say("shipment.return_expected", back, "shipment", agreed)
            yield 1
            self.request("POST /v1/returns/{id}/receive")
            sent = self.say("shipment.return_received", back, "shipment")
            self.say("inventory.stock.received", self.dice.choice(self.stock), "inventory", sent)
            self.say("order.goods_returned", order, "order", sent)
            self.post(order, sent)
            yield 1

    def goods_come(self, reservation: UUID) -> ConsumerRecord:
        """They are for this reservation, or were for another one and are enough for this too."""
        if not self._receipts or self.dice.random() < 0.8:
            self.request("POST /v1/inventory/receipts")
            self._receipts.append(self._request)
            came = self.say("inventory.receipt.posted", uuid7(), "inventory")
            self.say("inventory.stock.received", self.dice.choice(self.stock), "inventory", came)
        return self.say("inventory.reservation.filled", reservation, "inventory", correlation=self._receipts[-1])

    def ship(self, order: UUID, shipment: UUID) -> Iterator[int]:
        if self.dice.random() < 0.4:
            self.request("POST /v1/shipments/{id}/pick", order)
            self.say("shipment.picked", shipment, "shipment")
            yield 1
        self.request("POST /v1/shipments/{id}/dispatch", order)
        left = self.say("shipment.dispatched", shipment, "shipment")
        self.say("inventory.stock.issued", self.dice.choice(self.stock), "inventory", left)
        self.say("order.shipment_progressed", order, "order", left)
        self.post(order, left)
        invoice = uuid7()
        self.post(order, self.say("accounting.invoice.issued", invoice, "accounting", left))
        yield 1
        self._invoices.append(invoice)
        if self.dice.random() < 0.6:
            self.request("POST /v1/payments")
            paid = self.say("accounting.payment.received", uuid7(), "accounting")
            self.say("accounting.invoice.settled", invoice, "accounting")
            if self.dice.random() < 0.1:  # one payment for two: then either order's trace has the other
                self.say("accounting.invoice.settled", self.dice.choice(self._invoices), "accounting")
            self.post(order, paid)
            yield 1

    def as_heard(self) -> Iterator[ConsumerRecord]:
        """In the order of each document, and otherwise as chance has it: effects come before their causes."""
        queues: dict[tuple[str, bytes], deque[ConsumerRecord]] = defaultdict(deque)
        for each in self.said:
            queues[each.topic, each.key].append(each)
        turns = [at for at, queue in queues.items() for _ in queue]
        self.dice.shuffle(turns)
        for at in turns:
            yield queues[at].popleft()


def shown(found: Trace) -> dict[str, Any]:
    """As JSON has it, so far as it is compared."""
    nodes = [{"id": str(n.id), "kind": n.kind, "type": n.type, "label": n.label} for n in found.nodes]
    edges = [{"cause": str(e.cause), "effect": str(e.effect), "kind": e.kind} for e in found.edges]
    return {"complete": found.complete, "missing": found.missing, "nodes": nodes, "edges": edges}


def belonging(known: Topics, order: UUID) -> Mapping[str, Event]:
    return known.belonging(str(order))


async def test_the_trace_of_each_order_is_what_belongs_to_it_from_either_end(make_harness: MakeHarness) -> None:
    scribe = Scribe(await make_harness(service))
    shop = Shop(scribe, seed=11)
    for _ in range(0, ORDERS, TOGETHER):
        shop.some()
    heard = list(shop.as_heard())
    for begin in range(0, len(heard), BATCH):
        await scribe.say(*heard[begin : begin + BATCH])
    await scribe.h.admin.execute("ANALYZE")
    told = [event_of(each.topic, dict(each.headers)) for each in heard if each.topic.endswith(".events")]
    known = Topics(each for each in told if each is not None)
    sizes, faults = Counter[str](), dict[str, str]()
    async with scribe.h.tx() as tx:
        for order, asked in shop.asked.items():
            wanted = belonging(known, order)
            for end in filter(None, (order, shop.journals.get(order))):
                found = await trace(tx, end)
                sizes["asked"] += 1
                sizes["nodes"] += len(found.nodes)
                sizes["several"] += sum(each.type == "order.created" for each in found.nodes) > 1
                if why := wrong(shown(found), wanted, asked):
                    faults[f"{order} from {end}"] = why
    assert faults == {}
    assert len(shop.asked) >= ORDERS
    assert sizes["asked"] > 1.7 * ORDERS, "most orders led to a journal"
    assert 0.01 < sizes["several"] / sizes["asked"] < 0.9, "some orders have something in common, and not all"
    assert 10 < sizes["nodes"] / sizes["asked"] < 400
