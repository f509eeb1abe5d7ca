"""The event-sourced heart: a journal balances in every currency or is never written, and is reversed at most once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel

from accounting.models import accounting_event
from accounting.refusals import AlreadyReversed, NotInThisState, Unbalanced
from accounting.roles import RolesFrom
from contracts.accounting import (
    AccountRole,
    ChartChosen,
    JournalLine,
    JournalPosted,
    JournalReversed,
    PeriodClosed,
    PeriodLocked,
    PeriodOpened,
    PeriodReopened,
    PeriodUnlocked,
    RolesMapped,
)
from tailrace.core.events import Event
from tailrace.core.transitions import Transitions
from tailrace.db.event_streams import Stream


def imbalance(lines: Iterable[JournalLine]) -> Mapping[str, int]:
    """Debits minus credits in minor units, by currency, where they differ."""
    sums: dict[str, int] = defaultdict(int)
    for line in lines:
        sums[line.currency] += line.debit - line.credit
    return {currency: difference for currency, difference in sums.items() if difference}


def mirrored(lines: Iterable[JournalLine]) -> list[JournalLine]:
    """The same lines with debit and credit exchanged."""
    return [line.model_copy(update={"debit": line.credit, "credit": line.debit}) for line in lines]


class ChartState(BaseModel):
    """The name of the chart that the books began with, and the accounts of the roles since."""

    name: str = ""
    steps: list[RolesFrom] = []


class ChartStream(Stream[ChartState]):
    """A tenant's chart: chosen, perhaps again, before the first journal; then mapped to other accounts from a day on, as often as need be."""

    table = accounting_event
    events: ClassVar[Sequence[type[Event]]] = (ChartChosen, RolesMapped)

    @classmethod
    def initial(cls) -> ChartState:
        return ChartState()

    def apply(self, event: ChartChosen | RolesMapped) -> None:
        match event:
            case ChartChosen():
                self.state.name = event.name
                self.state.steps = [RolesFrom.model_validate({"roles": event.roles})]
            case RolesMapped():
                self.state.steps = [
                    *self.state.steps,
                    RolesFrom.model_validate({"since": event.since, "roles": event.roles}),
                ]

    def choose(self, name: str, roles: Mapping[AccountRole, str]) -> None:
        self.record(ChartChosen(chart_id=self.id, name=name, roles={**roles}))

    def map(self, since: date, roles: Mapping[AccountRole, str]) -> None:
        self.record(RolesMapped(chart_id=self.id, since=since, roles={**roles}))


class JournalState(BaseModel):
    """What a journal says, and which other undid it."""

    number: str = ""
    lines: list[JournalLine] = []
    effective_at: datetime | None = None
    order_id: UUID | None = None
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
                self.state.order_id = event.order_id
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


PeriodEvent = PeriodOpened | PeriodLocked | PeriodUnlocked | PeriodClosed | PeriodReopened


class PeriodState(BaseModel):
    """A period's days, whether they are locked, or closed with these journals."""

    name: str = ""
    first_day: date = date.min
    last_day: date = date.min
    locked: bool = False
    closed: bool = False
    year_end: bool = False
    closing_journals: list[UUID] = []


Standing = Literal["open", "locked", "closed"]
STATES = Transitions[Standing](
    "The period",
    {
        "open": {"locked": "locked"},
        "locked": {"unlocked": "open", "closed": "closed"},
        "closed": {"reopened": "locked"},
    },
    NotInThisState,
)


class PeriodStream(Stream[PeriodState]):
    """One period: opened once, locked and unlocked, closed and reopened as often as need be, with each reason kept."""

    table = accounting_event
    events: ClassVar[Sequence[type[Event]]] = (
        PeriodOpened,
        PeriodLocked,
        PeriodUnlocked,
        PeriodClosed,
        PeriodReopened,
    )

    @classmethod
    def initial(cls) -> PeriodState:
        return PeriodState()

    def apply(self, event: PeriodEvent) -> None:
        state = self.state
        state.name, state.first_day, state.last_day = event.name, event.first_day, event.last_day
        match event:
            case PeriodLocked():
                state.locked = True
            case PeriodUnlocked():
                state.locked = False
            case PeriodClosed():
                state.closed, state.year_end, state.closing_journals = True, event.year_end, event.closing_journals
            case PeriodReopened():
                state.closed, state.year_end, state.closing_journals = False, False, []

    def begin(self, name: str, first_day: date, last_day: date) -> None:
        self._record(PeriodOpened(period_id=self.id, name=name, first_day=first_day, last_day=last_day))

    def lock(self) -> None:
        """Raises NotInThisState unless it is open."""
        self._require("locked")
        self._record(PeriodLocked(period_id=self.id, **self._description))

    def unlock(self, reason: str) -> None:
        """Raises NotInThisState unless it is locked; one that is closed is reopened."""
        self._require("unlocked")
        self._record(PeriodUnlocked(period_id=self.id, reason=reason, **self._description))

    def seal(self, closing_journals: Sequence[UUID], *, year_end: bool) -> None:
        """Lock it, if that was not done, and close it."""
        if not self.state.locked:
            self.lock()
        self._require("closed")
        self._record(
            PeriodClosed(
                period_id=self.id, year_end=year_end, closing_journals=list(closing_journals), **self._description
            )
        )

    def reopen(self, reason: str, reversals: Sequence[UUID]) -> None:
        """Raises NotInThisState when it is not closed."""
        self._require("reopened")
        self._record(PeriodReopened(period_id=self.id, reason=reason, reversals=list(reversals), **self._description))
        self.unlock(reason)

    def _require(self, step: str) -> None:
        standing: Standing = "closed" if self.state.closed else "locked" if self.state.locked else "open"
        STATES.after(standing, step, self.state.name)

    @property
    def _description(self) -> dict[str, Any]:
        return {"name": self.state.name, "first_day": self.state.first_day, "last_day": self.state.last_day}

    def _record(self, event: PeriodEvent) -> None:
        self.record(event)
