"""Read-your-writes, one hop across services: a request that names events waits until this service has applied them, at most a second.

A write answers with `Tailrace-Event`; a read that sends it back as `Tailrace-After` is answered from rows in which those events had their effect,
or not at all. The mark moves in the transaction of the effect, so this is exact. Only the subscribers that the route names are waited for: an event
of a topic that they do not read is never late, nor is one of the service itself where the route shows what the command wrote. Nothing is held while
waiting, neither a transaction nor a connection.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import Request
from sqlalchemy import ARRAY, BigInteger, Text, Uuid, bindparam, exists, func, select

from tailrace.core.errors import BadRequest, Problem
from tailrace.db.database import Database
from tailrace.db.tables import dead_letter, inbox
from tailrace.messaging.subscribers import Subscriber

HEADER = "Tailrace-After"
LONGEST = 1.0
"""Seconds that a request waits."""
_PAUSE = 0.02
_LARGEST = 2**63 - 1
_MARK = re.compile(r"([A-Za-z0-9._-]{1,249})/([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})@([1-9][0-9]{0,18})")
PATTERN = f"^({_MARK.pattern}(, ?{_MARK.pattern})*)?$"
"""Of the header, for its schema."""

Asked = dict[tuple[str, UUID], int]
"""The sequence that is waited for, by subscriber and aggregate."""


class NotYetConsistent(Problem):
    """503: an event named in `Tailrace-After` has not been applied here yet, or is a dead letter. Nothing was done: ask again."""

    status, slug, title = 503, "not-yet-consistent", "Not applied here yet"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": "1"})


@dataclass(frozen=True, slots=True)
class Awaited:
    """Whom a route waits for."""

    others: Sequence[Subscriber]
    """For events of other services."""
    own: Sequence[Subscriber]
    """For events of its own one: those that keep what its commands do not write, as sums beside the journals."""

    def of(self, topic: str, own: str | None) -> Sequence[Subscriber]:
        """Those that hear this topic, in a service whose own it is or not."""
        return [each for each in (self.own if topic == own else self.others) if topic in each.topics]


@dataclass(frozen=True, slots=True)
class EventMark:
    """An event's place, as `<topic>/<aggregate>@<sequence>` names it."""

    topic: str
    aggregate_id: UUID
    sequence: int


_ASKED = (
    func.unnest(
        bindparam("subscribers", type_=ARRAY(Text)),
        bindparam("aggregates", type_=ARRAY(Uuid)),
        bindparam("sequences", type_=ARRAY(BigInteger)),
    )
    .table_valued("subscriber", "aggregate_id", "sequence", name="asked")
    .render_derived()
)
_DEAD_LETTERED = exists().where(
    dead_letter.c.subscriber == _ASKED.c.subscriber, dead_letter.c.aggregate_id == _ASKED.c.aggregate_id
)
_APPLIED = exists().where(
    inbox.c.subscriber == _ASKED.c.subscriber,
    inbox.c.aggregate_id == _ASKED.c.aggregate_id,
    inbox.c.sequence >= _ASKED.c.sequence,
)
_MISSING = select(_ASKED.c.subscriber, _ASKED.c.aggregate_id, _DEAD_LETTERED.label("dead_lettered")).where(~_APPLIED)


def declared() -> dict[str, Any]:
    """The header, for an operation's parameters in OpenAPI."""
    return {
        "name": HEADER,
        "in": "header",
        "required": False,
        "description": "What `Tailrace-Event` of an earlier write said: the answer waits for it, up to a second, or is a 503.",
        "schema": {"type": "string", "pattern": PATTERN},
    }


async def wait_until_applied(request: Request, awaited: Awaited) -> None:
    """Return when those that are awaited have applied what the request's `Tailrace-After` names.

    Raises BadRequest when the header is malformed, and NotYetConsistent: at once when an aggregate has dead letters, else after a second.
    """
    if HEADER not in request.headers:
        return
    asked = _asked(read_marks(request), awaited, own=request.app.state.topic)
    deadline = asyncio.get_running_loop().time() + LONGEST
    while asked and (missing := await _missing(request.app.state.database, asked)):
        for subscriber, aggregate_id, is_dead_lettered in missing:
            if is_dead_lettered:
                raise NotYetConsistent(f"{subscriber} has dead letters of {aggregate_id}.")
        if asyncio.get_running_loop().time() + _PAUSE > deadline:
            raise NotYetConsistent(f"{len(missing)} of these events did not arrive within {LONGEST:g} s.")
        await asyncio.sleep(_PAUSE)


def read_marks(request: Request) -> list[EventMark]:
    """What `Tailrace-After` names. The header is a list and may come several times. Raises BadRequest."""
    listed = [each.strip() for line in request.headers.getlist(HEADER) for each in line.split(",")]
    return [_read_mark(each) for each in listed if each]


def _read_mark(text: str) -> EventMark:
    found = _MARK.fullmatch(text)
    if found is None or int(found[3]) > _LARGEST:
        detail = (
            f"{HEADER} is a list of <topic>/<aggregate>@<sequence>, as Tailrace-Event gives it; {text[:80]!r} is none."
        )
        raise BadRequest(detail, field=HEADER)
    return EventMark(found[1], UUID(found[2]), int(found[3]))


def _asked(marks: Sequence[EventMark], awaited: Awaited, *, own: str | None) -> Asked:
    asked: Asked = {}
    for mark in marks:
        for subscriber in awaited.of(mark.topic, own):
            pair = (subscriber.name, mark.aggregate_id)
            asked[pair] = max(mark.sequence, asked.get(pair, 0))
    return asked


async def _missing(database: Database, asked: Asked) -> Sequence[tuple[str, UUID, bool]]:
    columns = {
        "subscribers": [subscriber for subscriber, _ in asked],
        "aggregates": [aggregate_id for _, aggregate_id in asked],
        "sequences": list(asked.values()),
    }
    async with database.engine.connect() as connection:
        return [
            (row.subscriber, row.aggregate_id, row.dead_lettered) for row in await connection.execute(_MISSING, columns)
        ]
