"""How journals, entries, periods and the books, roles included, follow from the streams: derived again from the events alone."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import Range

from accounting.models import Book, Entry, Journal, Period
from accounting.posting import entry_rows, number_of
from accounting.roles import RoleMap
from accounting.streams import ChartStream, JournalStream, PeriodState, PeriodStream
from contracts.accounting import JournalPosted
from tailrace.verify.replay import Derived, Proof, Step, Values

_BOOK, _JOURNALS, _ENTRIES, _PERIODS = (cast(Table, kind.__table__) for kind in (Book, Journal, Entry, Period))


def _rows(steps: Iterable[Step]) -> Iterable[tuple[Table, Values]]:
    posted: JournalPosted | None = None
    for step in steps:
        if isinstance(step.event, JournalPosted):
            posted = step.event
            for entry in entry_rows(step.tenant_id, posted):
                yield _ENTRIES, entry
    mine = {"tenant_id": step.tenant_id, "id": step.stream.id, "version": step.stream.version}
    if isinstance(step.stream, PeriodStream):
        yield _PERIODS, {**mine, **step.stream.state.model_dump(exclude={"closing_journals"})}
    elif posted is not None:
        said = posted.model_dump(exclude={"journal_id", "lines"})
        yield _JOURNALS, {**mine, **said, "reversed_by": step.stream.state.reversed_by}


class _Books:
    """The last number that was given, the days that are closed, and the accounts of the roles."""

    def __init__(self) -> None:
        self._last_number = 0
        self._periods: dict[UUID, PeriodState] = {}
        self._roles = RoleMap()

    def add(self, step: Step) -> None:
        if isinstance(step.event, JournalPosted):
            self._last_number = max(self._last_number, number_of(step.event))
        elif isinstance(step.stream, PeriodStream):
            self._periods[step.stream.id] = step.stream.state
        elif isinstance(step.stream, ChartStream):
            self._roles = RoleMap(step.stream.state.steps)

    def rows(self, tenant_id: UUID) -> Iterable[dict[str, Any]]:
        locked = [(state.first_day, state.last_day) for state in self._periods.values() if state.locked]
        closed = [(date.min, state.last_day) for state in self._periods.values() if state.closed]
        days = _joined([*locked, *closed])
        roles = self._roles.stored()
        yield {"tenant_id": tenant_id, "last_number": self._last_number, "closed": days, "roles": roles}


def _joined(spans: list[tuple[date, date]]) -> list[Range[date]]:
    """Days, first and last included, as PostgreSQL keeps them: joined where they touch, in order; the earliest date of all is none."""
    joined: list[tuple[date, date]] = []
    for first, last in sorted(spans):
        end = last + timedelta(days=1)
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((first, end))
    return [
        Range(None, end, bounds="()") if first == date.min else Range(first, end, bounds="[)") for first, end in joined
    ]


proof = Proof(
    kinds=(ChartStream, JournalStream, PeriodStream),
    rows=_rows,
    tables=(
        Derived(_JOURNALS, ("id",), "id"),
        Derived(_ENTRIES, ("journal_id", "line"), "journal_id"),
        Derived(_PERIODS, ("id",), "id"),
        # When something was last recorded is a clock that only rises, no figure.
        Derived(_BOOK, ("tenant_id",), None, frozenset({"recorded_at"})),
    ),
    sums={"book": _Books},
)
