"""The company's days as a service knows them: a copy of the zones that the company counts its days in, and since when.

    days = Days("orders.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)

in the service's projections, and `days` in its manifest. A command then asks `await days.day_of(tx, moment)` or `await days.today(tx)`.

A company's first zone comes with the event that founds it. A request that comes before that is told to come again: a day is never guessed.
"""

from abc import ABC, abstractmethod
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Column, Date, MetaData, Table, Text, Uuid, select
from sqlalchemy.dialects.postgresql import insert

from tailrace.core import clock
from tailrace.core.errors import NotYetKnown
from tailrace.core.events import Event, Meta
from tailrace.core.values.days import ALWAYS, Calendar, Since
from tailrace.db.database import Tx
from tailrace.db.error_classes import NotYet
from tailrace.messaging.subscribers import Projection

__all__ = ["CompanyDays", "Days", "DaysNotYetKnown"]

_CALENDARS = "tailrace.calendars"


class DaysNotYetKnown(NotYetKnown, NotYet):
    """409: the company is so new that its time zone has not arrived here. An event that needs it waits, as for any other event."""

    def __init__(self) -> None:
        super().__init__("Authorization", "The time zone of this tenant is still on its way here.")


class CompanyDays(ABC):
    """What can tell a tenant's calendar. Each question raises DaysNotYetKnown while that is not known."""

    @abstractmethod
    async def calendar(self, tx: Tx) -> Calendar:
        """The days of the transaction's tenant."""

    async def today(self, tx: Tx) -> date:
        """The day that it is now."""
        return (await self.calendar(tx)).day_of(clock.now())

    async def day_of(self, tx: Tx, moment: datetime) -> date:
        """The day that a moment belongs to."""
        return (await self.calendar(tx)).day_of(moment)

    async def begin_of(self, tx: Tx, given: datetime | date, after: datetime | None = None) -> datetime:
        """A moment as it is, a day by its first moment; on the day of what has to be before, `after`, by that: both are said of one day."""
        if isinstance(given, datetime):
            return given
        calendar = await self.calendar(tx)
        return after if after is not None and calendar.day_of(after) == given else calendar.begin_of(given)

    async def begin_if_said(self, tx: Tx, given: datetime | date | None) -> datetime | None:
        """When something is said to have happened: a moment as it is, a day by its first moment; None where nothing is said."""
        return None if given is None else await self.begin_of(tx, given)

    async def end_of(self, tx: Tx, given: datetime | date) -> datetime:
        """A moment as it is, a day by its last moment."""
        return given if isinstance(given, datetime) else (await self.calendar(tx)).end_of(given)


class Days(Projection, CompanyDays):
    """The projection that keeps the zones in the table `time_zone`, several rows a tenant. A row of the past never changes.

    `founded` says `time_zone`, the zone from the first day on; `changed` says `time_zone` and `since`, the first day that is counted in it.
    """

    def __init__(self, name: str, metadata: MetaData, founded: type[Event], changed: type[Event]) -> None:
        """Raises TypeError when an event lacks one of these fields."""
        for event, fields in ((founded, {"time_zone"}), (changed, {"time_zone", "since"})):
            if missing := fields - event.model_fields.keys():
                raise TypeError(f"{event.type} does not say {', '.join(sorted(missing))}")
        self.table = Table(
            "time_zone",
            metadata,
            Column("tenant_id", Uuid, primary_key=True),
            Column("since", Date, primary_key=True),
            Column("zone", Text, nullable=False),
        )
        super().__init__(name, tables=[self.table])
        self._read = select(self.table.c.since, self.table.c.zone)
        fresh = insert(self.table)
        self._write = fresh.on_conflict_do_update(
            index_elements=["tenant_id", "since"], set_={"zone": fresh.excluded.zone}
        )
        self.on(founded, changed)(self._hear)

    async def calendar(self, tx: Tx) -> Calendar:
        """Read once in a transaction, which asks for days several times; each time in one that notes a zone itself."""
        known: dict[UUID | None, Calendar | None] = tx.info.setdefault(_CALENDARS, {})
        tenant_id = tx.context.tenant_id
        if (calendar := known.get(tenant_id)) is not None:
            return calendar
        zones = [Since(row.since, row.zone) for row in await tx.execute(self._read)]
        if not zones:
            raise DaysNotYetKnown
        calendar = Calendar(zones)
        if tenant_id not in known:
            known[tenant_id] = calendar
        return calendar

    async def note(self, tx: Tx, zone: str, since: date = ALWAYS) -> None:
        """Count the tenant's days in `zone` from the day `since` on."""
        # A savepoint may take it back: nothing is kept from here on.
        tx.info.setdefault(_CALENDARS, {})[tx.tenant_id] = None
        await tx.execute(self._write, {"tenant_id": tx.tenant_id, "since": since, "zone": zone})

    async def _hear(self, tx: Tx, event: Event, meta: Meta) -> None:
        await self.note(tx, event.time_zone, getattr(event, "since", ALWAYS))  # type: ignore[attr-defined]
