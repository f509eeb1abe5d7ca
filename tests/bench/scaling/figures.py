"""What was measured, and where it stands; every other number of the plan follows from these and from the load that is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass

# docs/how-to/measure.md, "Where the cost of an order goes".
EVENTS: Mapping[str, int] = {"order.events": 7, "inventory.events": 6, "shipment.events": 2, "accounting.events": 6}
"""Of an order of two lines, all the way to its invoice, by topic."""
POSTGRES_SHARE = 33 / 123
"""PostgreSQL's CPU beside that of the services, where a service takes all events of an order in one delivery."""
REQUESTS_MS = 28.0
"""CPU of the services for an order's two requests: 18 ms to enter and confirm it, 10 to dispatch it."""
DELIVERY_MS, DELIVERY_POSTGRES_MS = 1.3, 0.4
"""CPU of a service, and of PostgreSQL, for a delivery of one event without an effect."""
MARKS_KEPT = 19 + 8 + 16 + 16 * 5
"""New rows of marks that an order leaves for ever: of subscribers to the order, its reservation, its shipment, its four journals and its invoice."""
MARK_BYTES = 159
"""Of such a row with its index, in PostgreSQL 15, of 400,000 that came in ten parts."""

# docs/reports/bench.md, 8 services.
TRANSACTION_MS = 1000 / 334
"""By the clock, one transaction of a consumer with one event and its handler; a delivery has one for each company that it is of."""
READ_GATEWAY_MS, READ_SERVICE_MS, READ_POSTGRES_MS = 1.2, 2.4, 0.264
"""CPU of a read."""
SENDER_MS = (2.6 - 0.934) / 32
"""CPU of PostgreSQL for an event, for each further slot of the same server: its sender decodes what it passes over (40 services less 8)."""

# docs/decisions/0016, 0085, docs/how-to/deploy.md, docs/reference/settings.md, deploy/helm/tailrace-lib/values.yaml
CONNECTOR_PER_SECOND = 3428
"""Events that one connector, which is one task, brought to Kafka when they had piled up."""
PROCESS_MB = 130
"""Of a process that has nothing to do and shares nothing."""
CONNECTION_MB = 2.5
CONNECTIONS_KEPT, CONNECTIONS_MOST, CONNECTIONS_OF_A_CONNECTOR = 5, 15, 2
PARTITIONS, COPIES = 6, 3
TOPICS = 33
"""Of the project's services, those of dead letters with them; `tailrace.canary` besides has one partition."""
PUBLISHERS = 15
"""Services with a database and a topic: each has a slot, a sender and a connector."""
REACTIONS, PROJECTIONS, JOURNAL = 50, 500, 2000
"""Records that a delivery may hold, of a service with reactions, with projections alone, and of one that keeps all it hears."""


@dataclass(frozen=True)
class Listener:
    """A service that hears of orders: the CPU of its consumers for an order in full deliveries, and how many records one may hold."""

    name: str
    topics: tuple[str, ...]
    order_ms: float
    most: int = REACTIONS

    @property
    def heard(self) -> int:
        """Events of an order."""
        return sum(EVENTS[topic] for topic in self.topics)

    @property
    def event_ms(self) -> float:
        """By the clock, what an event takes beyond the transaction that it is in, PostgreSQL with it."""
        return self.order_ms * (1 + POSTGRES_SHARE) / self.heard


_ALL = tuple(EVENTS)
LISTENERS = (
    Listener("accounting", _ALL, 28),
    Listener("orders", _ALL, 33 - 18),
    Listener("inventory", ("order.events", "shipment.events"), 14),
    Listener("shipping", ("order.events", "inventory.events"), 15 - 10),
    Listener("audit", _ALL, 10, JOURNAL),
    Listener("customers", ("order.events", "shipment.events", "accounting.events"), 6),
    Listener("catalog", ("order.events", "inventory.events", "shipment.events"), 6),
    Listener("analytics", _ALL, 11 / 4, PROJECTIONS),
    Listener("notifications", ("order.events", "shipment.events", "accounting.events"), 11 / 4),
    Listener("quotes", ("order.events", "inventory.events"), 11 / 4),
    Listener("workflow", ("order.events", "accounting.events"), 11 / 4),
)
"""Where one figure stands for several services they share it evenly."""
