"""Whether the traces of orders have all that belongs to them and nothing else, by what the topics and the log of requests say alone.

What belongs to an order is found here along causes: everything about the order and its shipments, what led to it, what came of it, and what was
then done to documents that were made on the way. The platform finds it along requests, so that one mistake does not hide in both.
"""

import asyncio
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from tailrace_demo.client import RefusedError, User
from tailrace_demo.topics import Event, read_events

WITHIN = 120.0
"""Seconds that the platform has to take in what was still under way."""
CROWD = 10
"""Documents that a request begins with which the others still belong to the trace of each."""
_AT_ONCE = 6
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\{\w+\}")


@dataclass
class Verdict:
    """`wrong` says by order what its trace has too much or too little. Times are of one request, in milliseconds."""

    orders: int = 0
    asked: int = 0
    nodes: int = 0
    wrong: dict[str, str] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return median(self.times) if self.times else 0.0

    @property
    def p99(self) -> float:
        return sorted(self.times)[int(len(self.times) * 0.99)] if self.times else 0.0


async def check(
    users: Mapping[str, User], entries: Sequence[Mapping[str, Any]], kafka: str, count: int, seed: int
) -> Verdict:
    """Compare the traces of so many orders, chosen at random, asked from the order forward and from its last journal back.

    `users` ask, by company. The topics are read again while anything differs, since events may still be on their way.
    """
    orders = sorted({(e["tenant"], order) for e in entries for order in _orders(e)})
    chosen = random.Random(seed).sample(orders, min(count, len(orders)))
    verdict, open_ones = Verdict(orders=len(chosen)), chosen
    requests = _requests(entries)
    deadline = time.monotonic() + WITHIN
    while open_ones:
        known = Topics(await read_events(kafka))
        verdict.wrong = {}
        places = asyncio.Semaphore(_AT_ONCE)

        async def one(tenant: str, order: str, known: Topics = known, places: asyncio.Semaphore = places) -> None:
            async with places:
                why = await _differs(users[tenant], order, known, requests[order], verdict)
            if why:
                verdict.wrong[order] = why

        await asyncio.gather(*(one(tenant, order) for tenant, order in open_ones))
        open_ones = [each for each in open_ones if each[1] in verdict.wrong]
        if time.monotonic() > deadline:
            break
    return verdict


def _orders(entry: Mapping[str, Any]) -> Sequence[str]:
    """Those that a request made, or a file."""
    match entry["path"]:
        case "/v1/orders":
            return [entry["answer"]["id"]]
        case "/tailrace/import/orders":
            return list(entry["answer"].values())
    return []


def _requests(entries: Iterable[Mapping[str, Any]]) -> dict[str, Counter[str]]:
    """By order, what was asked for of it and of its shipments: method and path, without ids."""
    of_shipment: dict[str, str] = {}
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in entries:
        parts = entry["path"].split("/")[2:]
        if parts[0] == "orders":
            order = entry["answer"]["id"] if len(parts) == 1 else parts[1]
        elif parts[0] == "shipments":
            order = of_shipment[parts[1]] = entry["answer"]["order_id"]
        else:
            continue
        found[order][_shape(f"{entry['method']} {entry['path']}")] += 1
    return found


def _shape(request: str) -> str:
    return _ID.sub("*", request)


class Topics:
    """Every event there is, by what it is about and by what led to it."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._by_id = {event.id: event for event in events}
        self._effects: dict[str, list[Event]] = defaultdict(list)
        self._about: dict[str, list[Event]] = defaultdict(list)
        self._begun: dict[str, list[Event]] = defaultdict(list)
        for event in self._by_id.values():
            self._about[event.subject].append(event)
            if event.cause is not None:
                self._effects[event.cause].append(event)
            else:
                self._begun[event.correlation].append(event)

    def _began_with(self, event: Event) -> list[Event]:
        """What the same request began: of one that began a crowd of documents, such as an import, what is about the same one."""
        begun = self._begun[event.correlation]
        crowd = len({each.subject for each in begun}) > CROWD
        return [each for each in begun if each.subject == event.subject] if crowd else begun

    def belonging(self, document: str) -> dict[str, Event]:
        """All that belongs to an order or another document, by id."""
        found: dict[str, Event] = {}
        ahead = list(self._about[document])
        while ahead:
            event = ahead.pop()
            if event.id in found:
                continue
            found[event.id] = event
            ahead += self._effects[event.id]
            if event.cause in self._by_id:
                ahead.append(self._by_id[event.cause])
            if event.cause is None:
                ahead += self._began_with(event)
            if event.sequence == 1:  # a document that was made: what people and timers did to it later
                ahead += [each for each in self._about[event.subject] if each.cause is None]
            elif event.cause is None:  # something was done to a document that was there: how it was made
                ahead += [each for each in self._about[event.subject] if each.sequence == 1]
        return found


async def _differs(user: User, order: str, known: Topics, asked: Counter[str], verdict: Verdict) -> str | None:
    """What is wrong with the trace of an order, asked for at either end. None when nothing is.

    Its last journal may be of an invoice or a payment, which others share: what belongs to that is less than what belongs to the order.
    """
    wanted = known.belonging(order)
    journals = [each for each in wanted.values() if each.type == "accounting.journal.posted"]
    back = [max(journals, key=lambda each: (each.time, each.id)).subject] if journals else []
    for end in (order, *back):
        began = time.perf_counter()
        try:
            trace = await user.get(f"/v1/trace/{end}")
        except RefusedError as refused:
            if refused.status != 404:
                raise
            return f"from {end}: nothing is known of it"
        verdict.times.append((time.perf_counter() - began) * 1000)
        verdict.asked += 1
        verdict.nodes += len(trace["nodes"])
        theirs = known.belonging(end)
        if why := wrong(trace, theirs, asked if theirs.keys() == wanted.keys() else Counter()):
            return f"from {end}: {why}"
    return None


def wrong(trace: Mapping[str, Any], wanted: Mapping[str, Event], asked: Counter[str]) -> str | None:
    """How a trace differs from the events that belong together and from what was asked for at the gateway. None when it does not."""
    if not trace["complete"]:
        return f"not complete: {trace['missing']}"
    events = {node["id"]: node for node in trace["nodes"] if node["kind"] == "event"}
    if lacking := wanted.keys() - events.keys():
        return f"lacks {', '.join(sorted(wanted[id].type for id in lacking))}"
    if beyond := events.keys() - wanted.keys():
        return f"has {', '.join(sorted(events[id]['type'] for id in beyond))} besides"
    shown = Counter(_shape(node["label"].partition(" →")[0]) for node in trace["nodes"] if node["kind"] == "access")
    if unseen := asked - shown:
        return f"does not show that somebody asked for {', '.join(sorted(unseen))}"
    edges = {(edge["cause"], edge["effect"]) for edge in trace["edges"] if edge["kind"] == "caused"}
    causes = {(event.cause, event.id) for event in wanted.values() if event.cause is not None}
    return None if edges == causes else "does not draw each cause"
