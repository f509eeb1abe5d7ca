"""What the `dlq` commands ask of all services' databases, and clear words for when a database cannot tell."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Row, Select, cast, func, literal, null, select, union_all
from sqlalchemy import Text as SqlText

from tailrace.core.operator_error import OperatorError
from tailrace.db.database import Database
from tailrace.db.error_classes import DatabaseAway, is_transient, is_uncertain, sqlstate
from tailrace.db.tables import dead_letter, dropped, redriven
from tailrace.kafka.record_lookup import KafkaAway
from tailrace.service import Service
from tailrace.settings import Settings

_SPAN = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are meant; None means all of them."""

    service: str | None = None
    subscriber: str | None = None
    aggregate: UUID | None = None
    tenant: UUID | None = None
    type: str | None = None
    kind: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    topic: str | None = None
    partition: int | None = None
    error: str | None = None
    """Words of the reason, in small letters or large."""

    @property
    def is_empty(self) -> bool:
        return self == Filter()

    @property
    def is_of_events(self) -> bool:
        """Whether it means events, each by itself, and not aggregates that wait."""
        return not (self.kind is None and self.type is None and self.error is None)

    def of(self, table: FromClause, time: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        """The conditions on a table that has these columns; `time` is the one that `since` and `before` are compared with."""
        equal: dict[str, Any] = {
            "subscriber": self.subscriber,
            "aggregate_id": self.aggregate,
            "tenant_id": self.tenant,
        }
        equal |= {"type": self.type, "kind": self.kind, "topic": self.topic, "partition": self.partition}
        conditions = [table.c[name] == value for name, value in equal.items() if value is not None]
        if self.error is not None:
            conditions.append(table.c.reason.icontains(self.error, autoescape=True))
        if self.since is not None:
            conditions.append(time >= self.since)
        if self.before is not None:
            conditions.append(time < self.before)
        return conditions


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a long list: from 1, with at most `size` rows; 0 means all of them."""

    number: int = 1
    size: int = 50

    @property
    def skipped(self) -> int:
        return (self.number - 1) * self.size


@dataclass(frozen=True, slots=True)
class Found:
    """A page of rows, each with the service it is of; how many there are on all pages; and what kept services from answering."""

    rows: Sequence[tuple[Service, Row[Any]]]
    total: int
    refusals: Sequence[OperatorError]


def read_since(text: str | None) -> datetime | None:
    """`30m`, `2h`, `1d` ago, or a time as ISO 8601 writes it; UTC where it names no zone. Raises OperatorError."""
    if text is None:
        return None
    if span := _SPAN.fullmatch(text):
        return datetime.now(UTC) - timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise OperatorError(f"{text} is no time", "write 30m, 2h, 1d or 2026-11-21T09:00:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def dead_letter_query(wanted: Filter) -> Select[Any]:
    """The first event of each aggregate; with a kind, a type or an error, every one. `place` is its place there, from 1, of `size`."""
    where = func.concat(dead_letter.c.topic, "/", dead_letter.c.partition, "@", dead_letter.c.offset)
    together = (dead_letter.c.subscriber, func.coalesce(cast(dead_letter.c.aggregate_id, SqlText), where))
    order = (
        dead_letter.c.epoch,
        dead_letter.c.sequence,
        dead_letter.c.topic,
        dead_letter.c.partition,
        dead_letter.c.offset,
    )
    place = func.row_number().over(partition_by=together, order_by=order).label("place")
    numbered = select(dead_letter, place, func.count().over(partition_by=together).label("size")).subquery()
    query = select(numbered).where(*wanted.of(numbered, numbered.c.dead_lettered_at))
    if not wanted.is_of_events:
        query = query.where(numbered.c.place == 1)
    return query.order_by(numbered.c.subscriber, numbered.c.dead_lettered_at, numbered.c.sequence, numbered.c.offset)


def history_query(wanted: Filter) -> Select[Any]:
    """What was redriven and dropped on request, newest first. `what` is `redriven` or `dropped`, `at` when, `by` who."""
    same = ("subscriber", "topic", "partition", "offset", "aggregate_id", "sequence", "tenant_id", "type", "kind")
    asked = select(
        *(redriven.c[name] for name in (*same, "reason", "because", "ended_at", "applied", "duplicates")),
        *(redriven.c[name] for name in ("stopped_at", "stopped_kind", "stopped_reason")),
        redriven.c.redriven_by.label("by"),
        redriven.c.began_at.label("at"),
        literal("redriven").label("what"),
    )
    nothing = ("applied", "duplicates", "stopped_at", "stopped_kind", "stopped_reason")
    given_up = select(
        *(dropped.c[name] for name in (*same, "reason", "because")),
        dropped.c.dropped_at.label("ended_at"),
        *(cast(null(), redriven.c[name].type).label(name) for name in nothing),
        dropped.c.dropped_by.label("by"),
        dropped.c.dropped_at.label("at"),
        literal("dropped").label("what"),
    )
    both = union_all(asked, given_up).subquery()
    return select(both).where(*wanted.of(both, both.c.at)).order_by(both.c.at.desc(), both.c.offset.desc())


async def search(services: Sequence[Service], query: Select[Any], page: Page) -> Found:
    """One page of what all these services answer, service by service; a service that cannot answer keeps no other from it."""
    rows: list[tuple[Service, Row[Any]]] = []
    refusals: list[OperatorError] = []
    total, skip = 0, page.skipped
    for service in services:
        try:
            async with opened(service) as database, database.engine.connect() as connection:
                count = await connection.scalar(select(func.count()).select_from(query.subquery())) or 0
                room = page.size - len(rows) if page.size else count
                if skip < count and room:
                    part = query.offset(skip).limit(room)
                    rows += [(service, row) for row in await connection.execute(part)]
                total, skip = total + count, max(skip - count, 0)
        except OperatorError as refusal:
            refusals.append(refusal)
    return Found(rows, total, refusals)


@asynccontextmanager
async def opened(service: Service) -> AsyncIterator[Database]:
    """The service's database, under its app role. Raises OperatorError, with what to do, when it is away, absent or older than this program."""
    database = Database(Settings().database(service.name), service.name, pool=1)
    try:
        yield database
    except Exception as error:
        refusal = refusal_of(service.name, error)
        if refusal is error:
            raise
        raise refusal from error
    finally:
        await database.close()


def refusal_of(name: str, error: Exception) -> Exception:
    """The error itself, unless it is about the database or Kafka as a whole."""
    cause = error.__cause__ if isinstance(error, DatabaseAway) and error.__cause__ else error
    state = sqlstate(cause)
    if state == "3D000":
        return OperatorError(f"{name} has no database yet", "create it with: tailrace migrate")
    if state in {"42P01", "42703"}:
        return OperatorError(
            f"the database of {name} is older than this program", "bring it up to date: tailrace migrate"
        )
    if state.startswith("28") or state == "42501":
        return OperatorError(
            f"the database of {name} refuses this log-in: {cause}", "check TAILRACE_SECRET, or tailrace migrate"
        )
    if isinstance(error, KafkaAway):
        return OperatorError(str(error), "see: tailrace status")
    if is_transient(error) or is_uncertain(error):
        words = " ".join(str(cause).split()) or type(cause).__name__
        return OperatorError(f"the database of {name} does not answer: {words[:300]}", "see: tailrace status")
    return error
