"""How dead letters, redrives and drops look on the screen: lines that no terminal cuts, and each record told as `show` and `drop` take it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.text import Text
from sqlalchemy import Row

from tailrace.cli.console import out, say_failure
from tailrace.cli.dead_letters.dead_letter_rows import Found, Page
from tailrace.redrive.redriver import Outcome

_REASON_SHOWN = 120
_EMPTY = f"{'':<16}"


def where_of(row: Any) -> str:
    return f"{row.topic}/{row.partition}@{row.offset}"


def told(value: Any) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if isinstance(value, datetime) else str(value)


def shortened(reason: str) -> str:
    words = " ".join(reason.split())
    return words if len(words) <= _REASON_SHOWN else f"{words[:_REASON_SHOWN]}…"


def print_dead_letter(service: str, row: Row[Any]) -> None:
    behind = f", {row.size - row.place} behind" if row.size > row.place else ""
    tried = f", redriven {row.attempts} times in vain" if row.attempts else ""
    out.print(Text(f"{row.kind:<16}", "red") + Text(row.subscriber, "bold") + Text(f"  {_event(row)}{behind}"))
    about = f"  aggregate {row.aggregate_id}  tenant {row.tenant_id}" if row.aggregate_id else ""
    out.print(Text(f"{_EMPTY}{service} {row.topic} {row.partition} {row.offset}{about}"))
    out.print(Text(f"{_EMPTY}since {told(row.dead_lettered_at)}{tried}: {shortened(row.reason)}", "dim"))


def print_more(found: Found, page: Page, what: str) -> None:
    """How much of a long list was not printed, and how to see it."""
    more = found.total - page.skipped - len(found.rows)
    if not found.rows and found.total:
        out.print(f"There are {found.total:,} {what}, so page {page.number} is empty.")
    elif more > 0:
        remedy = f"--page {page.number + 1} for the next, --limit 0 for all, or narrow it with a filter"
        out.print(f"… and {more:,} more {what}: {remedy}.")


def print_history(row: Row[Any], service: str) -> None:
    out.print(Text(f"{row.what:<16}") + Text(row.subscriber, "bold") + Text(f"  {_event(row)}: {_end(row)}"))
    about = f"  aggregate {row.aggregate_id}" if row.aggregate_id else ""
    out.print(Text(f"{_EMPTY}{service} {row.topic} {row.partition} {row.offset}{about}"))
    out.print(Text(f"{_EMPTY}{told(row.at)} by {row.by}: {shortened(row.because)}", "dim"))
    out.print(Text(f"{_EMPTY}it was {row.kind}: {shortened(row.reason)}", "dim"))


def print_outcome(name: str, outcome: Outcome) -> bool:
    words = f"{outcome.applied} applied" + (f", {outcome.duplicates} duplicates" if outcome.duplicates else "")
    if outcome.stopped is None:
        out.print(Text("✓ ", "green") + Text(f"{name}: {words}, nothing is left"))
        return True
    head = outcome.stopped
    say_failure(f"{name}: {words}, stopped at #{head.sequence} ({head.kind})", head.reason)
    return False


def print_fields(row: Row[Any]) -> None:
    for name, value in row._mapping.items():
        if value is not None:
            out.print(Text(f"  {name:<14}", "dim") + Text(told(value)))


def print_behind(rows: Sequence[Row[Any]], count: int) -> None:
    """What stands behind a dead letter: the first of it, and how many in all."""
    if not count:
        return
    out.print(Text(f"  {'behind it':<14}", "dim") + Text(f"{count:,}"))
    for row in rows:
        out.print(Text(f"  {'':<14}{_event(row)}  {row.topic} {row.partition} {row.offset}"))
    if count > len(rows):
        out.print(Text(f"  {'':<14}… and {count - len(rows):,} more"))


def print_record(record: Any) -> None:
    if record is None:
        out.print("Kafka does not hold this record any more.")
        return
    out.print(Text("Record", "bold"))
    out.print(Text("  key ", "dim") + Text(_text(record.key)))
    for name, value in record.headers:
        out.print(Text(f"  {name} ", "dim") + Text(_text(value)))
    out.print(Text("  value ", "dim") + Text(_text(record.value)))


def _event(row: Any) -> str:
    return f"{row.type} #{row.sequence}" if row.type else "unreadable"


def _end(row: Row[Any]) -> str:
    if row.what == "dropped":
        return "given up"
    if row.ended_at is None:
        return "cut off before its end"
    words = f"{row.applied} applied" + (f", {row.duplicates} duplicates" if row.duplicates else "")
    if row.stopped_at is None:
        return f"{words}, nothing was left"
    return f"{words}, stopped at #{row.stopped_at} ({row.stopped_kind}): {shortened(row.stopped_reason)}"


def _text(value: bytes | None) -> str:
    return "-" if value is None else value.decode(errors="replace")
