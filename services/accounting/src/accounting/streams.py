"""The event-sourced heart: a journal balances in every currency or is never written, and is reversed at most once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel

from accounting.models import accounting_event
from accounting.refusals import AlreadyReversed, NotInThisState, Unbalanced
from contracts.accounting import (
    JournalLine,
    JournalPosted,
    JournalReversed,
    PeriodLocked,
    PeriodOpened,
    PeriodUnlocked,
)
from tailrace.events import Event
from tailrace.streams import Stream


def imbalance(lines: Iterable[JournalLine]) -> Mapping[str, int]:
    """Debits minus credits in minor units, by currency, where they differ."""
    sums: dict[str, int] = defaultdict(int)
    for line in lines:
        sums[line.currency] += line.debit - line.credit
    return {currency: difference for currency, difference in sums.items() if difference}


def mirrored(lines: Iterable[JournalLine]) -> list[JournalLine]:
    """The same lines with debit and credit exchanged."""
    return [line.model_copy(update={"debit": line.credit, "credit": line.debit}) for line in lines]


def first_moment(day: date) -> datetime:
    """Midnight UTC: the days of the books are days of UTC."""
    return datetime.combine(day, time.min, UTC)


class JournalState(BaseModel):
    """What a journal says, and which other undid it."""

    number: str = ""
    lines: list[JournalLine] = []
    effective_at: datetime | None = None
    reversed_by: UUID | None = None


class JournalStream(Stream[JournalState]):
    """One journal, from its posting to, perhaps, its reversal."""

    table = accounting_event
    events: ClassVar[Sequence[type[Event]]] = (JournalPosted, JournalReversed)

    @classmethod
    def initial(cls) -> JournalState:
        return JournalState()

    def apply(self, event: JournalPosted | JournalReversed) -> None:
        match event:
            case JournalPosted():
                self.state.number = event.number
                self.state.lines = event.lines
                self.state.effective_at = event.effective_at
            case JournalReversed():
                self.state.reversed_by = event.reversed_by

    def post(self, posted: JournalPosted) -> None:
        """Raises Unbalanced, and changes nothing, unless debits equal credits in every currency."""
        differences = imbalance(posted.lines)
        if differences:
            raise Unbalanced(differences)
        self.record(posted, posted.effective_at)

    def reverse(self, by: UUID, reason: str, effective_at: datetime) -> None:
        """Raises AlreadyReversed."""
        if self.state.reversed_by is not None:
            raise AlreadyReversed(f"Journal {self.state.number} was reversed by journal {self.state.reversed_by}.")
        self.record(JournalReversed(journal_id=self.id, reversed_by=by, reason=reason), effective_at)


class PeriodState(BaseModel):
    """A period's days, and whether they are locked."""

    name: str = ""
    first_day: date = date.min
    last_day: date = date.min
    locked: bool = False


class PeriodStream(Stream[PeriodState]):
    """One period: opened once, locked and unlocked as often as need be, with each reason kept."""

    table = accounting_event
    events: ClassVar[Sequence[type[Event]]] = (PeriodOpened, PeriodLocked, PeriodUnlocked)

    @classmethod
    def initial(cls) -> PeriodState:
        return PeriodState()

    def apply(self, event: PeriodOpened | PeriodLocked | PeriodUnlocked) -> None:
        self.state.name = event.name
        self.state.first_day = event.first_day
        self.state.last_day = event.last_day
        self.state.locked = isinstance(event, PeriodLocked)

    def begin(self, name: str, first_day: date, last_day: date) -> None:
        self._record(PeriodOpened(period_id=self.id, name=name, first_day=first_day, last_day=last_day))

    def lock(self) -> None:
        """Raises NotInThisState when it is locked."""
        if self.state.locked:
            raise NotInThisState(f"The period {self.state.name} is locked already.")
        self._record(PeriodLocked(period_id=self.id, **self._description))

    def unlock(self, reason: str) -> None:
        """Raises NotInThisState when it is open."""
        if not self.state.locked:
            raise NotInThisState(f"The period {self.state.name} is open.")
        self._record(PeriodUnlocked(period_id=self.id, reason=reason, **self._description))

    @property
    def _description(self) -> dict[str, date | str]:
        return {"name": self.state.name, "first_day": self.state.first_day, "last_day": self.state.last_day}

    def _record(self, event: PeriodOpened | PeriodLocked | PeriodUnlocked) -> None:
        self.record(event, first_moment(event.first_day))
