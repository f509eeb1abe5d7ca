"""What is there beside what must be there. Each check is a name, a figure found and a figure wanted, and where they differ, a first example."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mix import model
from mix.evidence import Evidence, Found
from mix.topics import Record

ALL = "all"
_MUST_DEAD_LETTER = {"stranger", "not json", "wrong shape", "unknown version", "no headers", "gap"}


@dataclass(frozen=True)
class Check:
    """`whose`: a tenant, or all of them. `example`: the first difference, empty when there is none."""

    whose: str
    name: str
    found: str
    wanted: str
    example: str = ""

    @property
    def holds(self) -> bool:
        return self.found == self.wanted and not self.example


def judge(evidence: Evidence) -> list[Check]:
    predicted = model.predict(evidence.log)
    checks = [check for tenant, found in evidence.found.items() for check in _company(tenant, predicted[tenant], found)]
    return [*checks, *_events(evidence, predicted), *_delivery(evidence), *_requests(evidence)]


# Through the gateway.


def _company(tenant: str, wanted: model.Figures, found: Found) -> Iterable[Check]:
    orders = {o["id"]: (o["status"], o["allocation"], o["shipment"], o["net"], o["tax"]) for o in found.orders}
    yield _same(tenant, "orders by state", orders, wanted.orders, lambda each: _states(o[0] for o in each.values()))
    yield _same(tenant, "net ordered", orders, wanted.orders, lambda each: f"{sum(o[3] for o in each.values()):,}")
    shipments = Counter(
        (s["order_id"], s["status"], _contents(s)) for s in found.shipments if s["status"] != "cancelled"
    )
    yield _same(
        tenant, "shipments by state", shipments, wanted.shipments, lambda c: _states(key[1] for key in c.elements())
    )
    stock = {
        (s["item_id"], s["warehouse_id"]): (Decimal(s["on_hand"]), Decimal(s["reserved"]), s["value"])
        for s in found.stock
    }
    yield _same(tenant, "units on hand", stock, wanted.stock, lambda each: f"{sum(s[0] for s in each.values()):,}")
    yield _same(tenant, "units reserved", stock, wanted.stock, lambda each: f"{sum(s[1] for s in each.values()):,}")
    yield _same(tenant, "stock value", stock, wanted.stock, lambda each: f"{sum(s[2] for s in each.values()):,}")
    yield _count(tenant, "stocks unlike their replay", [p for p, equal in found.replays.items() if not equal])
    yield from _books(tenant, wanted, found)


def _books(tenant: str, wanted: model.Figures, found: Found) -> Iterable[Check]:
    rows = {row["account"]: row["debit"] - row["credit"] for row in found.trial["rows"]}
    accounts = {code: amount for code, amount in rows.items() if amount}
    for name, code in (
        ("revenue", model.REVENUE),
        ("output tax", model.TAX),
        ("cost of goods sold", model.COST),
        ("inventory account", model.INVENTORY),
    ):
        yield Check(tenant, name, f"{abs(accounts.get(code, 0)):,}", f"{abs(wanted.accounts.get(code, 0)):,}")
    yield _same(tenant, "accounts", accounts, wanted.accounts, lambda each: f"{len(each)}")
    yield Check(tenant, "trial balance", str(sum(rows.values())), "0")
    yield Check(tenant, "journals", f"{len(found.journals):,}", f"{wanted.journals:,}")
    yield Check(tenant, "books intact", str(found.intact), "True")
    units = wanted.units_shipped
    shipped = sum(
        Decimal(line["quantity"])
        for shipment in found.shipments
        if shipment["status"] in {"dispatched", "delivered"}
        for line in shipment["lines"]
    )
    yield Check(tenant, "units shipped", f"{shipped:,.0f}", f"{units:,.0f}")


def _contents(shipment: dict[str, Any]) -> model.Contents:
    return frozenset((line["line_id"], f"{Decimal(line['quantity']).normalize():f}") for line in shipment["lines"])


# On the topics.


def _events(evidence: Evidence, predicted: Mapping[str, model.Figures]) -> Iterable[Check]:
    real = [record for record in evidence.records if record.where not in evidence.forged]
    once = {record.id: record for record in real}
    ids = {id: record.digest for id, record in once.items()}
    yield _same(ALL, "events on the topics = outboxes", ids, evidence.outbox, lambda each: f"{len(each):,}")
    places: dict[tuple[tuple[str, str], int], set[tuple[str, str]]] = defaultdict(set)
    for record in real:
        places[record.aggregate, record.sequence].add((record.id, record.digest))
    yield _count(ALL, "places with two events", [place for place, each in places.items() if len(each) > 1])
    last = last_sequences(real)
    lengths = Counter(aggregate for aggregate, _ in places)
    yield _count(ALL, "aggregates with a gap", [a for a, sequence in last.items() if lengths[a] != sequence])
    yield _count(ALL, "aggregates out of order", list(_disordered(real)))
    slugs = {id: slug for slug, id in evidence.tenants.items()}
    types: dict[str, Counter[str]] = defaultdict(Counter)
    for record in once.values():
        types[slugs[record.tenant]][record.type] += 1
    for tenant, figures in predicted.items():
        decided = Counter({type: types[tenant][type] for type in figures.events})
        yield _same(tenant, "events that requests decide", decided, figures.events, lambda each: f"{each.total():,}")


def last_sequences(records: Iterable[Record]) -> dict[tuple[str, str], int]:
    last: dict[tuple[str, str], int] = {}
    for record in records:
        last[record.aggregate] = max(last.get(record.aggregate, 0), record.sequence)
    return last


def _disordered(records: Iterable[Record]) -> Iterable[tuple[str, str]]:
    """Aggregates of which an event lies, for the first time, before the one that precedes it. What comes again may come anywhere."""
    seen: dict[tuple[str, str], int] = defaultdict(int)
    for record in sorted(records, key=lambda record: record.where):
        if record.sequence > seen[record.aggregate] + 1:
            yield record.aggregate
        seen[record.aggregate] = max(seen[record.aggregate], record.sequence)


# From the topics to the effects.


def _delivery(evidence: Evidence) -> Iterable[Check]:
    real = [record for record in evidence.records if record.where not in evidence.forged]
    last = last_sequences(real)
    topic_of = {subject: topic for topic, subject in last}
    reads: dict[str, set[str]] = defaultdict(set)
    for subscriber, subject in evidence.marks:
        if subject in topic_of:
            reads[subscriber].add(topic_of[subject])
    wanted = {
        (subscriber, subject): sequence
        for subscriber, topics in reads.items()
        for (topic, subject), sequence in last.items()
        if topic in topics
    }
    marks = {pair: mark for pair, mark in evidence.marks.items() if pair in wanted}
    yield _same(ALL, "marks at the last event", marks, wanted, lambda each: f"{len(each):,}")
    yield _count(
        ALL, "real events dead-lettered", [each for each in evidence.dead_letters if each.where not in evidence.forged]
    )
    dead_lettered = {each.where for each in evidence.dead_letters}
    free = [w for w, sort in evidence.forged.items() if sort in _MUST_DEAD_LETTER and w not in dead_lettered]
    yield _count(ALL, "poison that was not dead-lettered", free)
    wrong = [each for each in evidence.dead_letters if evidence.forged.get(each.where, "gap") not in _MUST_DEAD_LETTER]
    yield _count(ALL, "harmless forgeries that were dead-lettered", wrong)
    yield _count(ALL, "dead letters after the poison was dropped", evidence.left)
    again = len(real) - len({record.id for record in real})
    yield Check(ALL, "events came twice, and were passed over", _some(again + evidence.read_again), "some")


def _requests(evidence: Evidence) -> Iterable[Check]:
    yield _count(ALL, "requests without an answer", sorted(model.unanswered(evidence.log)))


def _some(number: int) -> str:
    """A run in which nothing came twice has proved nothing: it is void."""
    return "some" if number else "none: the run is void"


def _count(whose: str, name: str, wrong: list[Any]) -> Check:
    return Check(whose, name, f"{len(wrong):,}", "0", str(wrong[0]) if wrong else "")


def _same(whose: str, name: str, found: Any, wanted: Any, show: Callable[[Any], str]) -> Check:
    """Equal key by key, not only in what is shown of them."""
    example = ""
    if found != wanted:
        key = next(key for key in [*found, *wanted] if found.get(key) != wanted.get(key))
        example = f"{key}: {found.get(key)} instead of {wanted.get(key)}"
    return Check(whose, name, show(found), show(wanted), example)


def _states(states: Iterable[str]) -> str:
    return ", ".join(f"{count:,} {state.replace('_', ' ')}" for state, count in sorted(Counter(states).items()))
