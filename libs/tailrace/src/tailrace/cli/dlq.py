"""`tailrace dlq`: what every service has parked, and why; redriven here by the code that the services use; given up only with a reason.

Reads and writes the services' own databases under their app roles. Nothing is read from the `<service>.dlq` topics, which are copies.
"""

import asyncio
import getpass
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from rich.text import Text
from sqlalchemy import ColumnElement, Row, cast, func, select
from sqlalchemy import Text as SqlText

from tailrace.cli.console import out, say_failure
from tailrace.cli.running import enter_environment
from tailrace.database import Database
from tailrace.failures import is_transient
from tailrace.fleet import load_services
from tailrace.logs import configure
from tailrace.records import KafkaAway, reading
from tailrace.redrive import NotDroppable, Outcome, Place, Redriver, drop
from tailrace.service import Service
from tailrace.settings import Settings
from tailrace.stack.errors import StackError
from tailrace.stack.plan import service_names
from tailrace.tables import dropped, parked

T = TypeVar("T")
_REASON_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Filter:
    """Which parked facts are meant; None means all of them."""

    service: str | None = None
    subscriber: str | None = None
    aggregate: UUID | None = None
    kind: str | None = None

    @property
    def is_empty(self) -> bool:
        return self == Filter()


def list_parked(wanted: Filter) -> None:
    """The first parked fact of each aggregate with how many stand behind it; with a kind, every fact of that kind."""
    services = _services(wanted)

    async def ask() -> list[Row[Any]]:
        return [row for service in services for row in await _rows(service, wanted)]

    rows = _run(ask())
    if not rows:
        out.print("Nothing is parked." if wanted.is_empty else "Nothing like that is parked.")
        return
    for row in rows:
        _print_row(row)
    out.print("Look: tailrace dlq show. Cured: tailrace dlq redrive. Given up: tailrace dlq drop.", style="dim")


def show_record(service: str, topic: str, partition: int, offset: int) -> bool:
    """Print everything that is known of one record; says whether anything is."""
    owner = _service(service)
    where = (topic, partition, offset)

    async def ask() -> tuple[list[Row[Any]], list[Row[Any]], Any]:
        async with _database(owner) as database, database.engine.connect() as connection:
            waiting = (await connection.execute(select(parked).where(*_at(parked, where)))).all()
            given_up = (await connection.execute(select(dropped).where(*_at(dropped, where)))).all()
        if not waiting and not given_up:
            return [], [], None
        async with reading(Settings().kafka) as read_record:
            return list(waiting), list(given_up), await read_record(*where)

    waiting, given_up, record = _run(ask())
    if not waiting and not given_up:
        out.print(f"{service} has nothing parked or dropped at {topic}/{partition}@{offset}.")
        return False
    for title, rows in (("Parked", waiting), ("Dropped", given_up)):
        for row in rows:
            out.print(Text(title, "bold"))
            _print_fields(row)
    _print_record(record)
    return True


def redrive_parked(wanted: Filter, *, everything: bool) -> bool:
    """Redrive what is meant; says whether all of it came through."""
    if wanted.is_empty and not everything:
        raise StackError("nothing was named", "name --service, --subscriber, --aggregate or --kind, or say --all")
    services = _services(wanted)

    async def work() -> list[bool]:
        return [ok for service in services for ok in await _redrive_service(service, wanted)]

    done = _run(work())
    if not done:
        out.print("Nothing is parked." if wanted.is_empty else "Nothing like that is parked.")
    return all(done)


def drop_record(service: str, place: Place, reason: str) -> None:
    owner = _service(service)
    if not reason.strip():
        raise StackError("a reason is missing", 'say why: --reason "…"')

    async def work() -> Any:
        async with _database(owner) as database:
            return await drop(database, place, reason.strip(), getpass.getuser())

    try:
        gone = _run(work())
    except NotDroppable as refusal:
        raise StackError(f"{_where(place)} was not dropped: {refusal}", "see: tailrace dlq list") from None
    out.print(f"Dropped {_where(place)} for {place.subscriber}. The reason is kept.")
    if gone.missing:
        out.print(f"With it, {gone.missing} that never arrived before it are given up.")
    if gone.behind:
        out.print(f"{gone.behind} behind it go on by themselves within seconds.")


async def _redrive_service(service: Service, wanted: Filter) -> list[bool]:
    heads = [row for row in await _rows(service, wanted) if row.place == 1]
    async with _database(service) as database, reading(Settings().kafka) as read_record:
        redriver = Redriver(service, database, read_record)
        return [await _redrive_one(service, redriver, row) for row in heads]


async def _redrive_one(service: Service, redriver: Redriver, row: Row[Any]) -> bool:
    name = f"{row.subscriber} {row.aggregate_id or _where(row)}"
    if row.aggregate_id is None:
        say_failure(f"{name}: unreadable, so it can only be dropped", "")
        return False
    if row.subscriber not in {subscriber.name for subscriber in service.subscribers}:
        say_failure(f"{name}: the service has no such subscriber any more, so it can only be dropped", "")
        return False
    try:
        return _print_outcome(name, await redriver.redrive((row.subscriber, row.aggregate_id)))
    except KafkaAway:
        raise
    except Exception as error:
        if not is_transient(error):
            raise
        say_failure(f"{name}: interrupted by {type(error).__name__}", "what was applied stays applied; try again")
        return False


def _print_outcome(name: str, outcome: Outcome) -> bool:
    words = f"{outcome.applied} applied" + (f", {outcome.duplicates} duplicates" if outcome.duplicates else "")
    if outcome.stopped is None:
        out.print(Text("✓ ", "green") + Text(f"{name}: {words}, nothing is left"))
        return True
    head = outcome.stopped
    say_failure(f"{name}: {words}, stopped at #{head.sequence} ({head.kind})", head.reason)
    return False


async def _rows(service: Service, wanted: Filter) -> Sequence[Row[Any]]:
    """The parked rows that are meant, each with its `place` in its aggregate, from 1, and `size`, how many are parked there."""
    where = func.concat(parked.c.topic, "/", parked.c.partition, "@", parked.c.offset)
    together = (parked.c.subscriber, func.coalesce(cast(parked.c.aggregate_id, SqlText), where))
    place = func.row_number().over(
        partition_by=together,
        order_by=(parked.c.epoch, parked.c.sequence, parked.c.topic, parked.c.partition, parked.c.offset),
    )
    numbered = select(parked, place.label("place"), func.count().over(partition_by=together).label("size")).subquery()
    chosen: list[ColumnElement[bool]] = [
        numbered.c.place == 1 if wanted.kind is None else numbered.c.kind == wanted.kind
    ]
    if wanted.subscriber is not None:
        chosen.append(numbered.c.subscriber == wanted.subscriber)
    if wanted.aggregate is not None:
        chosen.append(numbered.c.aggregate_id == wanted.aggregate)
    query = select(numbered).where(*chosen).order_by(numbered.c.subscriber, numbered.c.parked_at, numbered.c.sequence)
    async with _database(service) as database, database.engine.connect() as connection:
        return (await connection.execute(query)).all()


def _services(wanted: Filter) -> list[Service]:
    """The services that are meant. Raises StackError for names that do not exist."""
    enter_environment()
    configure("dlq", "CRITICAL")
    if wanted.service is not None and wanted.service not in service_names():
        raise StackError(f"there is no service {wanted.service}", f"there are: {', '.join(service_names())}")
    services = [s for s in load_services([wanted.service] if wanted.service else ()) if s.metadata is not None]
    names = sorted(subscriber.name for service in services for subscriber in service.subscribers)
    if wanted.subscriber is not None and wanted.subscriber not in names:
        raise StackError(f"there is no subscriber {wanted.subscriber}", f"there are: {', '.join(names)}")
    return services


def _service(name: str) -> Service:
    found = _services(Filter(service=name))
    if not found:
        raise StackError(f"{name} has no database", "so nothing is parked there")
    return found[0]


@asynccontextmanager
async def _database(service: Service) -> AsyncIterator[Database]:
    database = Database(Settings().database(service.name), service.name, pool=1)
    try:
        yield database
    finally:
        await database.close()


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except Exception as error:
        if not is_transient(error):
            raise
        raise StackError(f"PostgreSQL or Kafka does not answer: {error}", "see: tailrace status") from None


def _at(table: Any, where: tuple[str, int, int]) -> list[ColumnElement[bool]]:
    return [table.c[name] == value for name, value in zip(("topic", "partition", "offset"), where, strict=True)]


def _where(row: Any) -> str:
    return f"{row.topic}/{row.partition}@{row.offset}"


def _print_row(row: Row[Any]) -> None:
    """Three lines that no terminal cuts; the record is told as `show` and `drop` take it."""
    behind = f", {row.size - row.place} behind" if row.size > row.place else ""
    tried = f", redriven {row.attempts} times in vain" if row.attempts else ""
    fact = f"{row.type} #{row.sequence}" if row.type else "unreadable"
    out.print(Text(f"{row.kind:<16}", "red") + Text(row.subscriber, "bold") + Text(f"  {fact}{behind}"))
    about = f"  aggregate {row.aggregate_id}" if row.aggregate_id else ""
    out.print(Text(f"{'':<16}{row.topic} {row.partition} {row.offset}{about}"))
    reason = " ".join(row.reason.split())
    shown = reason if len(reason) <= _REASON_SHOWN else f"{reason[:_REASON_SHOWN]}…"
    out.print(Text(f"{'':<16}since {_told(row.parked_at)}{tried}: {shown}", "dim"))


def _print_fields(row: Row[Any]) -> None:
    for name, value in row._mapping.items():
        if value is not None:
            out.print(Text(f"  {name:<14}", "dim") + Text(_told(value)))


def _told(value: Any) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if isinstance(value, datetime) else str(value)


def _print_record(record: Any) -> None:
    if record is None:
        out.print("Kafka does not hold this record any more.")
        return
    out.print(Text("Record", "bold"))
    out.print(Text("  key ", "dim") + Text(_text(record.key)))
    for name, value in record.headers:
        out.print(Text(f"  {name} ", "dim") + Text(_text(value)))
    out.print(Text("  value ", "dim") + Text(_text(record.value)))


def _text(value: bytes | None) -> str:
    return "-" if value is None else value.decode(errors="replace")
