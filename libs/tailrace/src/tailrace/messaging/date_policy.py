"""How far from today the dates of a company may lie: a copy of what the company has said of each kind of date.

    dates = DatePolicy("orders.dates", Base.metadata, TenantDatePolicyChanged, days)

in the service's projections, after its `days`, and `dates` in its manifest. A command then asks
`await dates.moment(tx, "order", default, body.ordered_at, "/ordered_at")`.

A company that has said nothing has the service's default, and so has one whose word has not arrived yet: bounds are there against slips, and nothing
that was taken by older ones becomes wrong.
"""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Column, MetaData, Table, Uuid, select
from sqlalchemy.dialects.postgresql import JSONB, insert

from tailrace.core import clock
from tailrace.core.events import Event, Meta
from tailrace.core.values.plausible import (
    FIRST_DAY_AHEAD,
    LAST_DAY_BACK,
    Bounds,
    Implausible,
    Said,
    checked_day,
    last_days,
)
from tailrace.db.database import Tx
from tailrace.messaging.days import CompanyDays
from tailrace.messaging.subscribers import Projection

__all__ = ["DatePolicy"]


class DatePolicy(Projection):
    """The projection that keeps the table `date_policy`, a row for each tenant that has said something.

    `changed` carries all of it: `bounds`, each with its `kind`, and `days_back` and `days_ahead`, which are null where the default holds.
    """

    def __init__(self, name: str, metadata: MetaData, changed: type[Event], days: CompanyDays) -> None:
        """Raises TypeError when the event has no `bounds`."""
        if "bounds" not in changed.model_fields:
            raise TypeError(f"{changed.type} does not say bounds")
        self._days = days
        self.table = Table(
            "date_policy",
            metadata,
            Column("tenant_id", Uuid, primary_key=True),
            Column("bounds", JSONB, nullable=False),
        )
        super().__init__(name, tables=[self.table])
        self._read = select(self.table.c.bounds)
        fresh = insert(self.table)
        self._write = fresh.on_conflict_do_update(index_elements=["tenant_id"], set_={"bounds": fresh.excluded.bounds})
        self.on(changed)(self._hear)

    async def said(self, tx: Tx, kind: str) -> Said:
        """What the tenant has said of a kind of date."""
        for one in await tx.scalar(self._read) or ():
            if one["kind"] == kind:
                return Said(one["days_back"], one["days_ahead"])
        return Said()

    async def bounds(self, tx: Tx, kind: str, default: Bounds) -> Bounds:
        """The bounds of a kind of moment."""
        return default.as_said(await self.said(tx, kind))

    async def moment(
        self,
        tx: Tx,
        kind: str,
        default: Bounds,
        given: datetime | date | None,
        field: str,
        *,
        after: datetime | None = None,
    ) -> datetime:
        """When something took place: now where nothing is said, and on a day as of `begin_of`. Raises Implausible, which names the field."""
        if given is None:
            return clock.now()
        at, calendar = await self._days.begin_of(tx, given, after), await self._days.calendar(tx)
        return (await self.bounds(tx, kind, default)).checked(at, field, calendar)

    async def days(self, tx: Tx, kind: str, today: date, earliest: date, latest: date) -> tuple[date, date]:
        """The first and the last day of a kind of day, counted from `today`, where `earliest` and `latest` are the defaults."""
        said = await self.said(tx, kind)
        return (
            earliest if said.days_back is None else today - timedelta(days=said.days_back),
            latest if said.days_ahead is None else today + timedelta(days=said.days_ahead),
        )

    async def check_last_day(self, tx: Tx, kind: str, day: date, from_day: date, field: str) -> None:
        """Of goods that came, or are packed, on `from_day`, the last day that they are good. Raises Implausible, which names the field."""
        checked_day(day, *await self.days(tx, kind, from_day, *last_days(from_day)), field)

    async def check_validity(
        self, tx: Tx, kind: str, valid_from: date | None, valid_until: date | None = None, within: str = ""
    ) -> None:
        """What holds from one day to the other: it begins soon enough to be meant, and did not end before anybody could have used it. None where a
        day is not said, or is the one that is kept.

        It may have begun long ago, and last for ever: both are written as a day that is far off. Raises Implausible, which names the field `within`.
        """
        if valid_from is None and valid_until is None:
            return
        today = await self._days.today(tx)
        earliest, latest = await self.days(tx, kind, today, today - LAST_DAY_BACK, today + FIRST_DAY_AHEAD)
        if valid_from is not None and valid_from > latest:
            detail = f"{valid_from} is later than is taken here: {latest} at the latest."
            raise Implausible(detail, field=f"{within}/valid_from")
        if valid_until is not None and valid_until < earliest:
            detail = f"{valid_until} is longer ago than is taken here: {earliest} at the earliest."
            raise Implausible(detail, field=f"{within}/valid_until")

    async def _hear(self, tx: Tx, event: Event, meta: Meta) -> None:
        bounds: list[dict[str, Any]] = event.model_dump(mode="json")["bounds"]
        await tx.execute(self._write, {"tenant_id": tx.tenant_id, "bounds": bounds})
