"""The arithmetic: how many processes, cores, connections, slots and partitions so many companies need, and what bounds one cell."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scaling.figures import (
    CONNECTION_MB,
    CONNECTIONS_KEPT,
    CONNECTIONS_MOST,
    CONNECTIONS_OF_A_CONNECTOR,
    CONNECTOR_PER_SECOND,
    COPIES,
    DELIVERY_MS,
    DELIVERY_POSTGRES_MS,
    EVENTS,
    LISTENERS,
    MARK_BYTES,
    MARKS_KEPT,
    PARTITIONS,
    POSTGRES_SHARE,
    PROCESS_MB,
    PUBLISHERS,
    READ_GATEWAY_MS,
    READ_POSTGRES_MS,
    READ_SERVICE_MS,
    REQUESTS_MS,
    SENDER_MS,
    TOPICS,
    TRANSACTION_MS,
    Listener,
)

BUSY = 0.7
"""How much of a processor, or of a process, is used where it is planned so: what an HPA aims at."""


@dataclass(frozen=True)
class Load:
    """What companies do in their busiest hour."""

    tenants: int = 10_000
    orders_a_day: float = 40
    in_the_busiest_hour: float = 0.15
    people: float = 5
    seconds_between_requests: float = 20

    @property
    def orders(self) -> float:
        """Per second."""
        return self.tenants * self.orders_a_day * self.in_the_busiest_hour / 3600

    @property
    def events(self) -> float:
        return self.orders * sum(EVENTS.values())

    @property
    def reads(self) -> float:
        return self.tenants * self.people / self.seconds_between_requests


def busy(listener: Listener, load: Load) -> tuple[float, float]:
    """How many processes its consumers keep busy, at least and at most: a company's events in one transaction, or each in one of its own."""
    events = load.orders * listener.heard
    return events * listener.event_ms / 1000, events * (listener.event_ms + TRANSACTION_MS) / 1000


def consumers(listener: Listener, load: Load) -> int:
    """Processes that suffice where every event has a transaction of its own, which many small companies come near to."""
    return max(1, math.ceil(busy(listener, load)[1] / BUSY))


def orders_that_fit(listener: Listener, partitions: int = PARTITIONS) -> float:
    """Orders per second that a service can hear of in one cell, with as many consumers as a topic has partitions."""
    return partitions * BUSY / busy(listener, _one_order())[1]


def orders_of_one_company() -> float:
    """Per second, where each event has a transaction of its own: a company's postings take its books in turn, whatever there is of processes."""
    return 1 / max(busy(each, _one_order())[1] for each in LISTENERS)


def processes(milliseconds: float, per_second: float) -> int:
    """Of one core each, at what is planned; two at least, so that one may go."""
    return max(2, math.ceil(milliseconds * per_second / 1000 / BUSY))


@dataclass(frozen=True)
class Cell:
    """What one whole stack needs for a load."""

    load: Load
    partitions: int = PARTITIONS

    def consumers(self) -> dict[str, int]:
        return {each.name: consumers(each, self.load) for each in LISTENERS}

    def cannot(self) -> Sequence[str]:
        """Services that would need more consumers than a topic has partitions."""
        return [name for name, many in self.consumers().items() if many > self.partitions]

    def cores(self) -> dict[str, tuple[float, float]]:
        """By part, at least and at most, as `busy` has it."""
        heard = sum(each.heard for each in LISTENERS) * self.load.orders
        effects = sum(each.order_ms for each in LISTENERS) * self.load.orders
        asked = REQUESTS_MS * self.load.orders + READ_SERVICE_MS * self.load.reads
        written = POSTGRES_SHARE * (effects + REQUESTS_MS * self.load.orders)
        decoded = SENDER_MS * (PUBLISHERS - 1) * self.load.events
        stored = written + decoded + READ_POSTGRES_MS * self.load.reads
        found = {
            "gateways": (READ_GATEWAY_MS * self.load.reads,) * 2,
            "services, HTTP": (asked, asked),
            "services, consumers": (effects, effects + DELIVERY_MS * heard),
            "PostgreSQL": (stored, stored + DELIVERY_POSTGRES_MS * heard),
        }
        return {part: (least / 1000, most / 1000) for part, (least, most) in found.items()}

    def figures(self) -> Iterator[tuple[str, float]]:
        """What is counted rather than used."""
        heard_by = self.consumers()
        consuming = sum(heard_by.values()) + PUBLISHERS - len(heard_by)
        asked = processes(READ_SERVICE_MS, self.load.reads) + processes(REQUESTS_MS, self.load.orders)
        serving = max(2 * PUBLISHERS, asked)
        gateways = processes(READ_GATEWAY_MS, self.load.reads)
        yield "gateway processes", gateways
        yield "HTTP processes", serving
        yield "consumer processes", consuming
        yield "GB of memory of these, idle", round((gateways + serving + consuming) * PROCESS_MB / 1000, 1)
        of_connectors = PUBLISHERS * CONNECTIONS_OF_A_CONNECTOR
        kept = (serving + consuming) * CONNECTIONS_KEPT + of_connectors
        yield "connections to PostgreSQL, idle", kept
        yield "GB of PostgreSQL for them", round(kept * CONNECTION_MB / 1000, 1)
        yield "connections, when all are busy", (serving + consuming) * CONNECTIONS_MOST + of_connectors
        yield "replication slots, senders and connectors", PUBLISHERS
        yield "partitions of the services' topics, with copies", (TOPICS * self.partitions + 1) * COPIES
        busiest = max(EVENTS.values()) * self.load.orders
        yield "per cent of what the busiest connector can carry", round(100 * busiest / CONNECTOR_PER_SECOND, 1)
        marks = MARKS_KEPT * self.load.tenants * self.load.orders_a_day
        yield "millions of marks more, a day", round(marks / 1e6, 1)
        yield "GB of PostgreSQL's disk for them", round(marks * MARK_BYTES / 1e9, 1)


def _one_order() -> Load:
    return Load(tenants=1, orders_a_day=3600, in_the_busiest_hour=1)
