"""`tailrace dlq drop`: one dead letter given up by its place, or all that a filter names, each in a transaction of its own, with one reason."""

import asyncio
import getpass
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Row

from tailrace.cli.console import out, say_failure
from tailrace.cli.dead_letters.dead_letter_print import where_of
from tailrace.cli.dead_letters.dead_letter_rows import Filter, dead_letter_query, opened
from tailrace.cli.dead_letters.dlq import ALL, concluded, said, searched, service_of
from tailrace.core.operator_error import OperatorError
from tailrace.redrive.redriver import NotDroppable, Place, drop
from tailrace.service import Service

_SHOWN = 5


def place_of(record: Sequence[str]) -> tuple[str, Place]:
    """`SERVICE SUBSCRIBER TOPIC PARTITION OFFSET`. Raises OperatorError for anything else."""
    try:
        service, subscriber, topic, partition, offset = record
        return service, Place(subscriber, topic, int(partition), int(offset))
    except ValueError:
        raise OperatorError(
            f"{' '.join(record)} is no record",
            "write SERVICE SUBSCRIBER TOPIC PARTITION OFFSET, as in: tailrace dlq list",
        ) from None


def drop_record(service: str, place: Place, reason: str) -> None:
    """Raises OperatorError when it is no dead letter, or one that has to wait."""
    owner = service_of(service)
    because = said(reason)

    async def work() -> Any:
        async with opened(owner) as database:
            return await drop(database, place, because, getpass.getuser())

    try:
        gone = asyncio.run(work())
    except NotDroppable as refusal:
        raise OperatorError(f"{where_of(place)} was not dropped: {refusal}", "see: tailrace dlq list") from None
    out.print(f"Dropped {where_of(place)} for {place.subscriber}. The reason is kept.")
    if gone.missing:
        out.print(f"With it, {gone.missing} that never arrived before it are given up.")
    if gone.behind:
        out.print(f"{gone.behind} behind it are applied within seconds.")


def drop_many(wanted: Filter, reason: str, *, ask: Callable[[str], bool] | None) -> bool:
    """Give up all that is meant, in sequence; `ask` is called first, unless it is None. Says whether none is left.

    One that stands behind an earlier event that is not meant is left, and named: to give it up would leave a gap before it.
    """
    if wanted.is_empty:
        raise OperatorError(
            "nothing was named", "name a record, or some by --kind, --error, --partition or another option"
        )
    because = said(reason)
    found = searched(wanted, dead_letter_query(wanted), ALL)
    if found.rows and ask is not None and not ask(f"Give up {len(found.rows)} for good?"):
        out.print("Nothing was dropped.")
        return False
    dropped, waiting = 0, list[str]()
    for service in {each.name: each for each, _ in found.rows}.values():
        gone, left = asyncio.run(_drop_each(service, [row for owner, row in found.rows if owner is service], because))
        dropped += gone
        waiting += left
    if not concluded(found, wanted, "dead-lettered"):
        return False
    if found.rows:
        out.print(f"Dropped {dropped:,} of {len(found.rows):,}. The reason is kept with each.")
    for words in waiting[:_SHOWN]:
        say_failure(words, "")
    if len(waiting) > _SHOWN:
        out.print(f"  … and {len(waiting) - _SHOWN:,} more.")
    return not waiting


async def _drop_each(service: Service, rows: Sequence[Row[Any]], because: str) -> tuple[int, list[str]]:
    """How many were given up, and what is to say of the others."""
    dropped, waiting = 0, list[str]()
    async with opened(service) as database:
        # The first of an aggregate goes first.
        for row in sorted(rows, key=lambda row: row.place):
            place = Place(row.subscriber, row.topic, row.partition, row.offset)
            try:
                await drop(database, place, because, getpass.getuser())
                dropped += 1
            except NotDroppable as refusal:
                waiting.append(f"{service.name}, {where_of(place)} for {place.subscriber}: {refusal}")
    return dropped, waiting
