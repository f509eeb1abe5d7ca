"""From any request, event or document, the graph of what led to it and what followed from it.

All that one request set in motion bears its correlation. From there the graph goes back over the documents that the request acted on, to the requests
that made them, and on over the documents that it made, to the requests that acted on those. So it leads from a journal to the shipment that was
dispatched, to the order that asked for it, to the one who confirmed that, and it does not run off into every other order that the same stock served.

An import or a bulk request begins hundreds of documents that have nothing else in common. Of such a crowd, a document's trace has what hangs
together with it along causes, and the request itself; what is asked about the request has all of it.

Where contracts say that one document came of another, or was made to help it, the graph goes back along that from all that it holds, and on from
where it began alone: an order shows the opportunity and the tasks that were for it, and not what else that opportunity led to.
"""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Select, Uuid, and_, any_, bindparam, exists, not_, or_, select, union

from audit import links
from audit.graphs import Edge, Gap, Node, Trace
from audit.models import Content, Document, Record
from contracts.access import Accessed
from tailrace.core.errors import Unknown
from tailrace.db.database import Tx
from tailrace.db.text_search.among import among
from tailrace.redrive.reminder import dead_letters_about

MOST = 2000
"""Nodes that are shown at most."""


class Found(NamedTuple):
    """A record as far as a trace shows it. A thousand mapped objects cost as much as all the rest, and the columns of a row are looked up by name."""

    id: UUID
    position: int
    topic: str
    type: str
    service: str
    document_id: UUID
    epoch: int
    sequence: int
    correlation_id: UUID
    causation_id: UUID | None
    actor_id: str | None
    occurred_at: datetime


_COLUMNS: tuple[Any, ...] = tuple(getattr(Record, name) for name in Found._fields)


def _these(name: str) -> Any:
    return any_(bindparam(name, type_=ARRAY(Uuid)))


# Made once: a trace of thirty events is a dozen statements, and to make one costs as much as to run it.
_at: Any = Record.__table__.c
_OF_REQUESTS = (
    select(*_COLUMNS)
    .where(Record.correlation_id == _these("ids"))
    .order_by(Record.position)
    .limit(bindparam("most", type_=Integer))
)
_id = bindparam("id", type_=Uuid)
_request, _by_somebody = select(_at.correlation_id), _at.causation_id.is_(None)
_NEXT = union(
    _request.where(_at.document_id == _these("acted_on"), _at.sequence == 1),
    _request.where(_at.document_id == _these("made"), _by_somebody).limit(MOST),
    _request.where(_at.document_id == _these("led_to"), _by_somebody).order_by(_at.position.desc()).limit(MOST),
)
CROWD = 10
"""More documents than that, begun by one request, are a crowd."""
_crowds, _rec = _these("crowds"), Record.__table__.alias
_anchors = select(_at.id, _at.causation_id).where(
    _at.correlation_id == _crowds,
    or_(
        _at.document_id == _these("begun_at"),
        and_(_at.document_id == _these("acted_on"), _at.sequence == 1),
        and_(_at.document_id == _these("made"), _by_somebody),
        and_(_at.document_id == _these("led_to"), _by_somebody),
    ),
)
_up = _anchors.cte("up", recursive=True)
_cause = _rec("cause")
_up = _up.union(select(_cause.c.id, _cause.c.causation_id).join(_up, _cause.c.id == _up.c.causation_id))
_known = _rec("known")
_down = select(_up.c.id).where(not_(exists().where(_known.c.id == _up.c.causation_id))).cte("down", recursive=True)
_effect = _rec("effect")
_down = _down.union(select(_effect.c.id).join(_down, _effect.c.causation_id == _down.c.id))
_asked = select(_at.id).where(_at.correlation_id == _crowds, _at.type == Accessed.type)
_OF_CROWDS = (
    select(*_COLUMNS)
    .where(Record.id.in_(union(select(_down.c.id), _asked)))
    .order_by(Record.position)
    .limit(bindparam("most", type_=Integer))
)
_ROUNDS = 60
"""How far a trace goes at most, from request to request; where there is more, it is truncated, and says so."""
_DOCUMENTS = 200
"""Of a trace that begins at a document, the newest of its events that count."""
_IS_REQUEST = select(exists().where(_at.correlation_id == _id))
_OF_EVENT = select(_at.correlation_id, _at.document_id).where(_at.id == _id)
_ON_DOCUMENT = _request.where(_at.document_id == _id).order_by(_at.position.desc()).limit(_DOCUMENTS)
_doc: Any = Document.__table__.c
_SHORT = (
    select(_doc.id, _doc.records, _doc.sequence)
    .where(_doc.id == _these("ids"), _doc.epoch == 1, _doc.records < _doc.sequence)
    .order_by(_doc.id)
)


async def trace(tx: Tx, id: UUID) -> Trace:
    """Raises Unknown for an id that no record knows."""
    about, begin, document = await _begin(tx, id)
    if about == "document":
        begin |= await _onwards(tx, id)
    records, further = await _closure(tx, begin, document)
    truncated = further or len(records) > MOST
    records = sorted(records, key=lambda each: (each.occurred_at, each.position))[:MOST]
    labels = await _labels(tx, [each for each in records if each.type == Accessed.type])
    by_id = {each.id: each for each in records}
    missing = [] if truncated else [*await _missing_causes(tx, by_id), *await _gaps(tx, records)]
    return Trace(
        id=id,
        about=about,
        complete=not missing and not truncated,
        missing=missing,
        truncated=truncated,
        nodes=[_node(each, labels.get(each.position)) for each in records],
        edges=[*_edges(records, by_id), *await _linked(tx, records)],
    )


async def _begin(tx: Tx, id: UUID) -> tuple[Literal["request", "event", "document"], set[UUID], UUID | None]:
    """What it is, the requests to begin with, and the document that is meant; None for a request, of which all is."""
    if await tx.scalar(_IS_REQUEST, {"id": id}):
        return "request", {id}, None
    event = (await tx.execute(_OF_EVENT, {"id": id})).one_or_none()
    if event is not None:
        return "event", {event.correlation_id}, event.document_id
    found = set(await tx.scalars(_ON_DOCUMENT, {"id": id}))
    if not found:
        raise Unknown("request, event or document", id)
    return "document", found, id


async def _closure(tx: Tx, begin: set[UUID], document: UUID | None) -> tuple[list[Found], bool]:
    """All that is reached, and whether there may be more."""
    whole = begin if document is None else set[UUID]()
    seen, crowds = set[UUID](), set[UUID]()
    ahead, records = begin, dict[UUID, Found]()
    documents = _next(begun_at=() if document is None else {document})
    for _ in range(_ROUNDS):
        if len(records) > MOST:
            break
        most = MOST + 1 - len(records)
        fresh, crowded = await _of_requests(tx, ahead, whole, most)
        crowds |= crowded
        if crowds:
            of_crowds = await _found(tx, _OF_CROWDS, {"crowds": list(crowds), "most": MOST + 1, **documents})
            fresh += [each for each in of_crowds if each.id not in records]
        records |= {each.id: each for each in fresh}
        seen |= ahead
        if not fresh:
            break
        ahead, documents = await _ahead(tx, fresh)
        ahead -= seen
        if not ahead and not crowds:
            break
    return list(records.values()), bool(ahead)


async def _of_requests(tx: Tx, ids: set[UUID], whole: set[UUID], most: int) -> tuple[list[Found], set[UUID]]:
    """All that these set in motion, but for crowds, which are named; `whole` are none."""
    if not ids:
        return [], set()
    found = await _found(tx, _OF_REQUESTS, {"ids": list(ids), "most": most})
    begun: dict[UUID, set[UUID]] = {}
    for each in found:
        if _is_root(each):
            begun.setdefault(each.correlation_id, set()).add(each.document_id)
    crowds = {id for id, documents in begun.items() if len(documents) > CROWD} - whole
    if crowds:
        found, more = await _of_requests(tx, ids - crowds, whole, most)  # there may be more behind the limit
        crowds |= more
    return found, crowds


async def _found(tx: Tx, query: Select[Any], parameters: dict[str, Any]) -> list[Found]:
    return [Found._make(row) for row in await tx.execute(query, parameters)]


async def _onwards(tx: Tx, id: UUID) -> set[UUID]:
    """The requests on what came of a document, and of that."""
    found: set[UUID] = set()
    ahead = {id}
    for _ in range(_ROUNDS):
        ahead = await links.came_of(tx, ahead) - found - {id} if ahead else ahead
        found |= ahead
    return set(await tx.scalars(_NEXT, _next(led_to=found))) if found else set()


async def _ahead(tx: Tx, records: Sequence[Found]) -> tuple[set[UUID], dict[str, list[UUID]]]:
    """The requests that made what these acted on, those that acted on what these made, and those on what led to that; and these documents."""
    acted_on = {each.document_id for each in records if _is_root(each) and each.sequence > 1}
    made = {each.document_id for each in records if each.sequence == 1 and each.type != Accessed.type}
    led_to = await links.led_to(tx, made) if made else set()
    documents = _next(acted_on, made, led_to)
    return set(await tx.scalars(_NEXT, documents)) if acted_on or made else set(), documents


def _next(
    acted_on: Collection[UUID] = (),
    made: Collection[UUID] = (),
    led_to: Collection[UUID] = (),
    begun_at: Collection[UUID] = (),
) -> dict[str, list[UUID]]:
    names = {"acted_on": acted_on, "made": made, "led_to": led_to, "begun_at": begun_at}
    return {name: list(documents) for name, documents in names.items()}


def _is_root(record: Found) -> bool:
    return record.causation_id is None and record.type != Accessed.type


async def _labels(tx: Tx, accesses: Sequence[Found]) -> dict[int, str]:
    """What was asked for, of the accesses whose contents are still there."""
    positions = [each.position for each in accesses]
    if not positions:
        return {}
    rows = await tx.execute(select(Content.position, Content.data).where(among(Content.position, positions)))
    said = {row.position: json.loads(row.data) for row in rows}
    return {at: f"{each['method']} {each['path']} → {each['status']}" for at, each in said.items()}


def _node(record: Found, label: str | None) -> Node:
    return Node(
        id=record.id,
        kind="access" if record.type == Accessed.type else "event",
        at=record.occurred_at,
        service=record.service,
        type=record.type,
        actor_id=record.actor_id,
        document_id=record.document_id,
        topic=record.topic,
        sequence=record.sequence,
        correlation_id=record.correlation_id,
        label=label,
    )


def _edges(records: Sequence[Found], by_id: dict[UUID, Found]) -> list[Edge]:
    asked = {each.correlation_id: each.id for each in records if each.type == Accessed.type}
    before: dict[tuple[str, UUID], Found] = {}
    edges: list[Edge] = []
    for each in sorted(records, key=lambda record: (record.document_id.bytes, record.epoch, record.sequence)):
        at = (each.topic, each.document_id)
        if each.causation_id in by_id:
            edges.append(Edge(cause=each.causation_id, effect=each.id, kind="caused"))
        elif _is_root(each):
            if each.correlation_id in asked:
                edges.append(Edge(cause=asked[each.correlation_id], effect=each.id, kind="asked"))
            if at in before:
                edges.append(Edge(cause=before[at].id, effect=each.id, kind="followed"))
        before[at] = each
    return edges


async def _linked(tx: Tx, records: Sequence[Found]) -> list[Edge]:
    """From what a document was when another named it, as far as that is told, to the first of the other."""
    told: dict[UUID, list[Found]] = {}
    for each in records:
        if each.type != Accessed.type:
            told.setdefault(each.document_id, []).append(each)
    edges = []
    for document, named in await links.between(tx, told.keys()) if told else ():
        first = told[document][0]
        before = [each for each in told[named] if each.occurred_at <= first.occurred_at]
        if before:
            edges.append(Edge(cause=before[-1].id, effect=first.id, kind="linked"))
    return edges


async def _missing_causes(tx: Tx, by_id: dict[UUID, Found]) -> list[Gap]:
    named = {each.causation_id for each in by_id.values() if each.causation_id is not None} - by_id.keys()
    there = set(await tx.scalars(select(Record.id).where(among(Record.id, named)))) if named else set()
    return [
        Gap(kind="cause", id=id, detail="An event names it as its cause, and it has not come.")
        for id in sorted(named - there)
    ]


async def _gaps(tx: Tx, records: Sequence[Found]) -> list[Gap]:
    """Documents with events that have not come, or that could not be kept as yet."""
    ids = {each.document_id for each in records}
    found = [
        Gap("sequence", id, f"{records} of {sequence} events have come.")
        for id, records, sequence in await tx.execute(_SHORT, {"ids": list(ids)})
    ]
    for letter in await dead_letters_about(tx, ids):
        detail = f"{letter.type} {letter.sequence} is a dead letter: {letter.kind}."
        found.append(Gap(kind="waiting", id=letter.aggregate_id, detail=detail))
    return found
