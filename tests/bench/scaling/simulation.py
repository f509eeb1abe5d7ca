"""Companies of very different sizes sell for some minutes; their events go to partitions, and consumers take them as the kit does.

What the arithmetic leaves out is here: how many events of one company a delivery finds together, which partitions and cells have more than their
share, and how long events wait meanwhile. The rests between deliveries are the kit's own code. A seed decides everything.
"""

import bisect
import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from aiokafka.partitioner import murmur2
from measure.arithmetic import share

from scaling.figures import EVENTS, PARTITIONS, TRANSACTION_MS, Listener
from tailrace.messaging.consumer import Rests

HOP = 0.06
"""Seconds from one event of an order to the next; half of them are about its entry, and half about what leaves, minutes later."""
ITEMS = 200
"""Of a company, as skewed as companies are: stock is an aggregate, so that a popular item's events share a partition."""


@dataclass(frozen=True)
class Arrival:
    """An event in a partition of its topic."""

    at: float
    topic: str
    partition: int
    tenant: int


@dataclass(frozen=True)
class Outcome:
    """What became of a listener's events: how much of its processes was used, how late effects were, how many events a transaction had."""

    utilisation: float
    busiest: float
    p50: float
    p99: float
    events_per_transaction: float


def sizes(tenants: int, skew: float) -> list[float]:
    """Each company's share of the whole, the largest first (Zipf); 0: all alike."""
    weights = [1 / rank**skew for rank in range(1, tenants + 1)]
    whole = sum(weights)
    return [weight / whole for weight in weights]


def partition_of(key: UUID, partitions: int) -> int:
    """As Kafka's producers place it."""
    return int((murmur2(str(key).encode()) & 0x7FFFFFFF) % partitions)


def arrivals(
    shares: Sequence[float], orders: float, seconds: float, dice: random.Random, partitions: int = PARTITIONS
) -> list[Arrival]:
    """All events of orders that come at random, at so many per second, in the order in which they come."""
    sums = list(itertools.accumulate(shares))
    items = list(itertools.accumulate(sizes(ITEMS, 1)))
    found: list[Arrival] = []
    at = 0.0
    while (at := at + dice.expovariate(orders)) < seconds:
        tenant = bisect.bisect_left(sums, dice.random() * sums[-1])
        left = dice.uniform(0, seconds)
        for topic, keys in _keys(tenant, items, dice).items():
            for number, key in enumerate(keys):
                half = (at, left)[number >= len(keys) / 2]
                moment = (half + HOP * dice.uniform(1, 5)) % seconds
                found.append(Arrival(moment, topic, partition_of(key, partitions), tenant))
    return sorted(found, key=lambda each: each.at)


def _keys(tenant: int, items: Sequence[float], dice: random.Random) -> dict[str, list[UUID]]:
    """The aggregates that an order's events are about: two lines of goods, and four journals beside one invoice."""
    order, reservation, shipment, invoice, *journals = (UUID(int=dice.getrandbits(128)) for _ in range(8))
    goods = [UUID(int=tenant << 64 | bisect.bisect_left(items, dice.random() * items[-1])) for _ in range(2)]
    return {
        "order.events": [order] * EVENTS["order.events"],
        "inventory.events": [*goods, reservation, *goods, reservation],
        "shipment.events": [shipment] * EVENTS["shipment.events"],
        "accounting.events": [*journals, invoice, invoice],
    }


def consume(listener: Listener, events: Sequence[Arrival], consumers: int, seconds: float, partitions: int) -> Outcome:
    """Each process has its range of every topic's partitions, and carries out one company's transaction after the other."""
    lags: list[float] = []
    used: list[float] = []
    transactions = 0
    for number in range(consumers):
        mine = range(number * partitions // consumers, (number + 1) * partitions // consumers)
        own = [each for each in events if each.topic in listener.topics and each.partition in mine]
        worked, begun = 0.0, 0
        for began, ended, late in _deliveries(listener, own):
            worked += ended - began
            begun += len(late)
            lags += itertools.chain.from_iterable(late)
        used.append(worked / seconds)
        transactions += begun
    return Outcome(
        sum(used) / consumers, max(used), share(lags, 0.5), share(lags, 0.99), len(lags) / max(transactions, 1)
    )


def _deliveries(listener: Listener, own: Sequence[Arrival]) -> Iterator[tuple[float, float, list[list[float]]]]:
    """When each begins and ends, and how late the events of each transaction are applied."""
    rests, now, taken = Rests(), 0.0, 0
    while taken < len(own):
        now = max(now, own[taken].at)
        batch = own[taken : taken + listener.most]
        batch = batch[: bisect.bisect_right(batch, now, key=lambda each: each.at)]
        taken += len(batch)
        began, late = now, []
        companies: dict[int, list[float]] = {}
        for each in batch:
            companies.setdefault(each.tenant, []).append(each.at)
        for moments in companies.values():
            now += (TRANSACTION_MS + listener.event_ms * len(moments)) / 1000
            late.append([now - moment for moment in moments])
        yield began, now, late
        now += rests.after(began, now, len(batch), listener.most)


def wait(milliseconds: float, per_second: float, processes: int, seconds: float, dice: random.Random) -> Outcome:
    """Requests at random, each given to any process; work of one differs as an exponential does, so that some are long."""
    free, used, lags = [0.0] * processes, [0.0] * processes, []
    at = 0.0
    while (at := at + dice.expovariate(per_second)) < seconds:
        process, work = dice.randrange(processes), dice.expovariate(1000 / milliseconds)
        free[process] = max(at, free[process]) + work
        used[process] += work / seconds
        lags.append(free[process] - at)
    return Outcome(sum(used) / processes, max(used), share(lags, 0.5), share(lags, 0.99), 1)


def cells(shares: Sequence[float], count: int, dice: random.Random | None) -> float:
    """What the busiest cell has, in parts of an even share: companies placed at random, or, without dice, each where least is."""
    loads = [0.0] * count
    for each in shares:
        place = dice.randrange(count) if dice else loads.index(min(loads))
        loads[place] += each
    return max(loads) * count
