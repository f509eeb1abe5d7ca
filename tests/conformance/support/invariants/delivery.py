"""What holds of every subscriber: whatever is delivered twice, late, in a batch or beside a bad record ends in the same rows."""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID, uuid5

from aiokafka import ConsumerRecord
from sqlalchemy import inspect, select

from invariants.rows import Rows, differing
from invariants.subject import Findings, Subject
from invariants.variations import other_value
from tailrace.core.events import Event, publisher_of_topic, source_of
from tailrace.db.models import Aggregate, Part
from tailrace.db.outbox import UnrecordedChange
from tailrace.messaging.dispatcher import Dispatcher
from tailrace.messaging.subscribers import Journal, Projection, Subscriber
from tailrace_testing import Harness

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TENANT = UUID("01990000-0000-7000-8000-00000000aaaa")
_POISONED = UUID("01990000-0000-7000-8000-00000000bbbb")
_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_PATIENT = {"not_yet", "behind"}


Canonical = Mapping[str, list[str]]


@dataclass
class Delivered:
    """Every sample that the service listens to, delivered one by one to a database of its own, and then all of it again."""

    h: Harness
    records: Sequence[ConsumerRecord]
    dead_letters: Sequence[Mapping[str, Any]]
    canonical: Sequence[Canonical]
    """What stood there before the last events of each aggregate, which may delete it, and after them."""
    changed_by_repeating: list[str]


async def _delivered(subject: Subject) -> Delivered:
    return await subject.keep("delivered", lambda: _deliver(subject))


async def _deliver(subject: Subject) -> Delivered:
    harness = await subject.make_harness(subject.service)
    dispatcher = Dispatcher(subject.name, harness.database, _subscribers(subject))
    rows, phases = Rows(harness.admin), _records(subject, harness)
    await rows.begin()
    records, canonical = [*phases[0], *phases[1]], []
    for phase in phases:
        for record in phase:
            await dispatcher.deliver([record])
        canonical.append(await rows.canonical(_known(records), str(_POISONED)))
    dead_letters = list(await harness.admin.fetch("SELECT subscriber, type, kind, reason FROM dead_letter"))
    changed = []
    # The group's offsets are lost and everything comes again: at once, one by one, and the wrong way round.
    for again in (records, *([record] for record in records), list(reversed(records))):
        before = await rows.digests()
        await dispatcher.deliver(again)
        changed += differing(before, await rows.digests())
    return Delivered(harness, records, dead_letters, canonical, sorted(set(changed)))


def _subscribers(subject: Subject) -> Sequence[Subscriber]:
    """Those that take events in. A journal keeps each record as it came and where it came, a bad one too."""
    return [each for each in subject.service.subscribers if not isinstance(each, Journal)]


def _records(subject: Subject, harness: Harness) -> tuple[list[ConsumerRecord], list[ConsumerRecord]]:
    """The samples, in the order in which their publishers name them, and apart from them those of the last type of each aggregate."""
    numbers: dict[UUID, count[int]] = {}
    heard = {event.type for subscriber in _subscribers(subject) for event in subscriber.events}
    events = [event for service in subject.fleet for event in service.publishes if event.type in heard]
    types = [event.type for event in events]
    phases: tuple[list[ConsumerRecord], list[ConsumerRecord]] = ([], [])
    for event in events:
        of = event.type.rpartition(".")[0]
        family = [type for type in types if type.rpartition(".")[0] == of]
        phase = phases[len(family) > 1 and event.type == family[-1]]
        for path in sorted((subject.root / f"contracts/samples/{event.type}").glob("v*-*.json")):
            payload = path.read_text()
            found = _UUID.search(payload)
            id = uuid5(_TENANT, f"{of} {found[0] if found else ''}")
            sequence = next(numbers.setdefault(id, count(1)))
            version = int(path.name.removeprefix("v").partition("-")[0])
            phase.append(_record(harness, event, version, id, sequence, payload.encode()))
    return phases


def _record(
    harness: Harness, event: type[Event], version: int, id: UUID, sequence: int, payload: bytes
) -> ConsumerRecord:
    headers = {
        "ce_id": str(uuid5(id, f"{event.type} {sequence}")),
        "ce_type": event.type,
        "ce_source": source_of(publisher_of_topic(event.topic) or "samples"),
        "ce_subject": str(id),
        "ce_time": "2026-01-02T03:04:05Z",
        "ce_dataschema": f"urn:tailrace:schema:{event.type}:v{version}",
        "ce_specversion": "1.0",
        "content-type": "application/json",
        "ce_tenantid": str(_TENANT),
        "ce_sequence": str(sequence),
        "ce_epoch": "1",
        "ce_correlationid": str(uuid5(id, f"correlation {sequence}")),
        "ce_actorid": str(uuid5(id, "actor")),
        "traceparent": _TRACE,
    }
    return harness.record(event.topic, str(id).encode(), payload, headers)


def _known(records: Sequence[ConsumerRecord]) -> set[str]:
    texts = [record.value.decode() + " ".join(value.decode() for _, value in record.headers) for record in records]
    return {id for text in texts for id in _UUID.findall(text)}


async def what_is_delivered_twice_has_one_effect(subject: Subject) -> Findings:
    """Every sample again, after lost offsets, in a batch and backwards: not one row differs."""
    delivered = await _delivered(subject)
    return [f"delivering everything again changes {table}" for table in delivered.changed_by_repeating]


async def batches_and_bad_records_make_no_difference(subject: Subject) -> Findings:
    """All samples in batches, each twice, with a malformed record among them, come to the same rows as one by one."""
    delivered = await _delivered(subject)
    if not delivered.records:
        return []
    harness = await subject.make_harness(subject.service)
    rows, phases = Rows(harness.admin), _records(subject, harness)
    await rows.begin()
    dispatcher = Dispatcher(subject.name, harness.database, _subscribers(subject))
    event = next(event for subscriber in _subscribers(subject) for event in subscriber.events)
    poison = _record(harness, event, event.version, _POISONED, 1, b'{"not": "what was meant"}')
    found = []
    for phase, expected in zip(phases, delivered.canonical, strict=True):
        await dispatcher.deliver([*(r for record in phase for r in (record, record)), poison])
        canonical = await rows.canonical(_known(delivered.records), str(_POISONED))
        found += [f"{table} differs after a batch with a bad record in it" for table in differing(expected, canonical)]
    written = await harness.admin.fetchval("SELECT count(*) FROM dead_letter WHERE aggregate_id = $1", _POISONED)
    return found if written else [*found, "a malformed record became no dead letter"]


async def no_sample_is_set_aside(subject: Subject) -> Findings:
    """A subscriber applies every sample, or says that it waits for an event of another topic; it fails at none."""
    return [
        f"{row['subscriber']} fails at {row['type']}: {row['kind']}, {row['reason']}"
        for row in (await _delivered(subject)).dead_letters
        if row["kind"] not in _PATIENT
    ]


async def projections_record_nothing(subject: Subject) -> Findings:
    """A projection alone, fed with every sample, publishes no event: it may be rebuilt."""
    projections = [s for s in subject.service.subscribers if isinstance(s, Projection)]
    if not projections:
        return []
    harness = await subject.make_harness(subject.service)
    found, seen = [], 0
    for projection in projections:
        dispatcher = Dispatcher(subject.name, harness.database, [projection])
        samples = [record for phase in _records(subject, harness) for record in phase]
        await dispatcher.deliver([record for record in samples if record.topic in projection.topics])
        events = await harness.admin.fetchval("SELECT count(*) FROM outbox WHERE topic = $1", subject.service.topic)
        refused = await harness.admin.fetchval(
            "SELECT count(*) FROM dead_letter WHERE subscriber = $1 AND reason LIKE 'RecordsNothing%'", projection.name
        )
        if events > seen or refused:
            found.append(f"the projection {projection.name} records events")
        seen = events
    return found


async def what_follows_names_its_cause(subject: Subject) -> Findings:
    """An event that a reaction records names the event that led to it, and carries on who began it, its correlation and its trace."""
    delivered = await _delivered(subject)
    causes = {headers["ce_id"]: headers for headers in map(_headers, delivered.records)}
    found = []
    for row in await delivered.h.admin.fetch("SELECT * FROM outbox WHERE topic = $1", subject.service.topic):
        cause = causes.get(str(row["causation_id"]))
        if cause is None:
            found.append(f"{row['type']} does not name the event that led to it")
        elif str(row["correlation_id"]) != cause["ce_correlationid"] or row["traceparent"] != _TRACE:
            found.append(f"{row['type']} loses the trace of the event that led to it")
        elif row["actor_id"] != cause["ce_actorid"]:
            found.append(f"{row['type']} does not say who began what led to it")
    return found


def _headers(record: ConsumerRecord) -> dict[str, str]:
    return {name: value.decode() for name, value in record.headers}


async def changes_need_a_event(subject: Subject) -> Findings:
    """An aggregate or a part of one that changes, with nothing recorded, is refused; what has a version, or belongs to an aggregate, is one."""
    walked = await subject.walked()
    found = []
    for kind in _mapped(subject):
        if issubclass(kind, Aggregate | Part):
            found += await _silent_change(walked.h, kind)
        elif _leads_to_aggregate(subject, kind):
            found.append(f"{kind.__name__} belongs to an aggregate, and is no Part")
        elif "version" in kind.__table__.columns:
            found += await _silent_versions(walked.h, kind)
    return found


async def _silent_change(harness: Harness, kind: Any) -> Findings:
    tenant = await harness.admin.fetchval(f'SELECT tenant_id FROM "{kind.__tablename__}" LIMIT 1')
    if tenant is None:
        return [f"the walk leaves no {kind.__name__}"]
    column = _some_column(kind)
    try:
        async with harness.tx(tenant) as tx:
            row = (await tx.scalars(select(kind).limit(1))).one()
            of_type = inspect(kind).column_attrs[column].columns[0].type.python_type
            setattr(row, column, other_value(of_type, getattr(row, column)))
            await tx.flush()
            raise _LetThroughError
    except UnrecordedChange:
        return []
    except _LetThroughError:
        return [f"{kind.__name__}.{column} can be changed without an event"]


async def _silent_versions(harness: Harness, kind: Any) -> Findings:
    """A row that is no aggregate and has a version shows that of a stream: the sequence of the last event under its id."""
    rows = await harness.admin.fetch(
        f"""SELECT t.id, t.version, (SELECT max(sequence) FROM outbox WHERE aggregate_id = t.id) AS told
            FROM "{kind.__tablename__}" t"""
    )
    wrong = [row for row in rows if row["version"] != row["told"]]
    if wrong:
        return [f"{kind.__name__} is at version {wrong[0]['version']}, and {wrong[0]['told'] or 0} events say so"]
    return [] if rows else [f"the walk leaves no {kind.__name__}"]


class _LetThroughError(Exception):
    """So that what was let through is rolled back."""


def _mapped(subject: Subject) -> list[Any]:
    """The classes mapped onto the service's tables."""
    found = {}
    for name, module in list(sys.modules.items()):
        if name == subject.name or name.startswith(f"{subject.name}."):
            for value in vars(module).values():
                table = getattr(value, "__table__", None)
                if isinstance(value, type) and table is not None and table.metadata is subject.service.metadata:
                    found[value.__name__] = value
    return [found[name] for name in sorted(found)]


def _leads_to_aggregate(subject: Subject, kind: Any) -> bool:
    """Whether the row belongs to an aggregate's list of parts: a relationship of it leads here and takes the row along when it goes."""
    return any(
        relation.cascade.delete_orphan and relation.mapper.class_ is kind
        for other in _mapped(subject)
        if issubclass(other, Aggregate)
        for relation in inspect(other).relationships
    )


def _some_column(kind: Any) -> str:
    """A column that may take another value: no key, no version, no time stamp of the kit's."""
    kits = {"version", "created_at", "updated_at"}
    keys = {column.name for column in kind.__table__.primary_key}
    linked = {column.name for key in kind.__table__.foreign_keys for column in [key.parent]}
    for attribute in inspect(kind).column_attrs:
        column = attribute.columns[0]
        if column.name not in kits | keys | linked and column.type.python_type in (str, int, bool):
            return str(attribute.key)
    for attribute in inspect(kind).column_attrs:
        if attribute.columns[0].name not in kits | keys | linked:
            return str(attribute.key)
    raise AssertionError(f"{kind.__name__} has no column of its own")
