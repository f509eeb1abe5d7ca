"""`tailrace dlq`: every service's dead letters, and why; redriven here by the code that the services use; given up only with a reason.

Reads and writes the services' own databases under their app roles. Nothing is read from the `<service>.dlq` topics, which are copies.
"""

import asyncio
import getpass
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from rich.text import Text
from sqlalchemy import ColumnElement, Row, func, select

from tailrace.cli.console import out, say_failure
from tailrace.cli.dead_letters.dead_letter_print import (
    print_behind,
    print_dead_letter,
    print_fields,
    print_history,
    print_more,
    print_outcome,
    print_record,
    where_of,
)
from tailrace.cli.dead_letters.dead_letter_rows import (
    Filter,
    Found,
    Page,
    dead_letter_query,
    history_query,
    opened,
    refusal_of,
    search,
)
from tailrace.cli.running import enter_environment
from tailrace.core.operator_error import OperatorError
from tailrace.db.database import Database
from tailrace.db.tables import dead_letter, dropped
from tailrace.kafka.record_lookup import KafkaAway, reading
from tailrace.observability.logs import configure
from tailrace.redrive.audit import Request, redrive_because
from tailrace.redrive.redriver import Redriver, read_head
from tailrace.runtime.fleet import load_services
from tailrace.service import Service
from tailrace.settings import Settings
from tailrace.stack.plan import service_names

_BEHIND_SHOWN = 10
ALL = Page(1, 0)


def list_dead_letters(wanted: Filter, page: Page) -> bool:
    """The first dead letter of each aggregate with how many stand behind it; with a kind or a type, every such event.

    Says whether all services answered.
    """
    found = searched(wanted, dead_letter_query(wanted), page)
    for service, row in found.rows:
        print_dead_letter(service.name, row)
    print_more(found, page, "events" if wanted.is_of_events else "aggregates")
    if found.rows:
        out.print("Look: tailrace dlq show. Cured: tailrace dlq redrive. Given up: tailrace dlq drop.", style="dim")
    return concluded(found, wanted, "dead-lettered")


def list_history(wanted: Filter, page: Page) -> bool:
    """What was redriven and dropped on request, newest first. Says whether all services answered."""
    found = searched(wanted, history_query(wanted), page)
    for service, row in found.rows:
        print_history(row, service.name)
    print_more(found, page, "of them")
    return concluded(found, wanted, "redriven or dropped")


def show_record(service: str, topic: str, partition: int, offset: int) -> bool:
    """Print everything that is known of one record; says whether anything is."""
    owner = service_of(service)
    found = asyncio.run(_print_record(owner, (topic, partition, offset)))
    if not found:
        out.print(f"{service} has no dead letter, redriven or dropped, at {topic}/{partition}@{offset}.")
    return found


def redrive_dead_letters(wanted: Filter, reason: str, *, everything: bool) -> bool:
    """Redrive what is meant; says whether all of it came through."""
    if wanted.is_empty and not everything:
        remedy = "name some by --service, --kind, --error or another option, or say --all"
        raise OperatorError("nothing was named", remedy)
    request = Request(getpass.getuser(), said(reason))
    found = searched(wanted, dead_letter_query(wanted), ALL)
    heads = [(service, row) for service, row in found.rows if row.place == 1]
    done = [
        asyncio.run(_redrive_service(service, [r for s, r in heads if s is service], request))
        for service in _once(heads)
    ]
    return concluded(replace(found, rows=heads), wanted, "dead-lettered") and all(done)


async def _print_record(owner: Service, where: tuple[str, int, int]) -> bool:
    async with opened(owner) as database, database.engine.connect() as connection:
        waiting = (await connection.execute(select(dead_letter).where(*_at(dead_letter, where)))).all()
        given_up = (await connection.execute(select(dropped).where(*_at(dropped, where)))).all()
        past = history_query(Filter()).subquery()
        history = (await connection.execute(select(past).where(_concerns(past, where, waiting)).limit(50))).all()
        if not waiting and not history:
            return False
        for row in waiting:
            out.print(Text("Dead letter", "bold"))
            print_fields(row)
            if row.aggregate_id is not None:
                same = (dead_letter.c.subscriber == row.subscriber, dead_letter.c.aggregate_id == row.aggregate_id)
                later = select(dead_letter).where(
                    *same, dead_letter.c.epoch >= row.epoch, dead_letter.c.sequence > row.sequence
                )
                count = await connection.scalar(select(func.count()).select_from(later.subquery())) or 0
                first = later.order_by(dead_letter.c.epoch, dead_letter.c.sequence).limit(_BEHIND_SHOWN)
                print_behind((await connection.execute(first)).all(), count)
    for row in given_up:
        out.print(Text("Dropped", "bold"))
        print_fields(row)
    if history:
        out.print(Text("History", "bold"))
    for row in history:
        print_history(row, owner.name)
    await _print_from_kafka(where)
    return True


async def _print_from_kafka(where: tuple[str, int, int]) -> None:
    try:
        async with reading(Settings().kafka) as read_record:
            print_record(await read_record(*where))
    except OSError as error:
        say_failure(f"the record itself cannot be shown: {error}", "see: tailrace status")


def _concerns(past: Any, where: tuple[str, int, int], waiting: Sequence[Row[Any]]) -> ColumnElement[bool]:
    """Whether a redrive or drop was of this record, or of an aggregate that it waits in."""
    condition: ColumnElement[bool] = (
        (past.c.topic == where[0]) & (past.c.partition == where[1]) & (past.c.offset == where[2])
    )
    for row in waiting:
        if row.aggregate_id is not None:
            condition |= (past.c.subscriber == row.subscriber) & (past.c.aggregate_id == row.aggregate_id)
    return condition


async def _redrive_service(service: Service, heads: Sequence[Row[Any]], request: Request) -> bool:
    async with opened(service) as database, reading(Settings().kafka) as read_record:
        redriver = Redriver(service.name, service.subscribers, database, read_record)
        done = [await _redrive_one(service, database, redriver, row, request) for row in heads]
    return all(done)


async def _redrive_one(
    service: Service, database: Database, redriver: Redriver, row: Row[Any], request: Request
) -> bool:
    name = f"{row.subscriber} {row.aggregate_id or where_of(row)}"
    if row.aggregate_id is None:
        say_failure(f"{name}: unreadable, so it can only be dropped", "")
        return False
    if row.subscriber not in _subscribers([service]):
        say_failure(f"{name}: the service has no such subscriber any more, so it can only be dropped", "")
        return False
    try:
        return print_outcome(name, await redrive_because(request, redriver, database, read_head(row), row.type))
    except Exception as error:
        refusal = refusal_of(service.name, error)
        if refusal is error or isinstance(error, KafkaAway):
            raise
        say_failure(f"{name}: interrupted, {refusal}", "what was applied stays applied; try again")
        return False


def searched(wanted: Filter, query: Any, page: Page) -> Found:
    return asyncio.run(search(services_of(wanted), query, page))


def concluded(found: Found, wanted: Filter, what: str) -> bool:
    """Say so when nothing was found, and which services could not tell. Raises OperatorError for an unknown subscriber."""
    if not found.total and not found.refusals:
        names = _subscribers(s for s in load_services() if s.metadata is not None)
        if wanted.subscriber is not None and wanted.subscriber not in names:
            raise OperatorError(f"there is no subscriber {wanted.subscriber}", f"there are: {', '.join(names)}")
        out.print(f"Nothing is {what}." if wanted.is_empty else f"Nothing like that is {what}.")
    for refusal in found.refusals:
        say_failure(refusal.what, refusal.remedy)
    return not found.refusals


def services_of(wanted: Filter) -> list[Service]:
    """The services that are meant. Raises OperatorError for names that do not exist."""
    enter_environment()
    configure("dlq", "CRITICAL")
    if wanted.service is not None and wanted.service not in service_names():
        raise OperatorError(f"there is no service {wanted.service}", f"there are: {', '.join(service_names())}")
    return [s for s in load_services([wanted.service] if wanted.service else ()) if s.metadata is not None]


def service_of(name: str) -> Service:
    found = services_of(Filter(service=name))
    if not found:
        raise OperatorError(f"{name} has no database", "so no dead letter is there")
    return found[0]


def _subscribers(services: Iterable[Service]) -> list[str]:
    return sorted(subscriber.name for service in services for subscriber in service.subscribers)


def _once(heads: Sequence[tuple[Service, Row[Any]]]) -> list[Service]:
    return list({service.name: service for service, _ in heads}.values())


def said(reason: str) -> str:
    if not reason.strip():
        raise OperatorError("a reason is missing", 'say why: --reason "…"')
    return reason.strip()


def _at(table: Any, where: tuple[str, int, int]) -> list[ColumnElement[bool]]:
    return [table.c[name] == value for name, value in zip(("topic", "partition", "offset"), where, strict=True)]
