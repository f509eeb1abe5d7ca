"""What a user who is gone looked after goes to the one who takes over, batch by batch and each once; or to nobody, and that is told.

    handover = Handover("quotes.handover", Leaver, UserCopy, Share(open_quotes_of, give))

where `Leaver` is a `LeaverRow` and `UserCopy` the replica of users. The service's reaction to the end of a user calls `leave`. What is given to
somebody is given under `hold`: who is just leaving is refused, or the handover finds it. Who takes over may have left too, in whichever order that
is heard; then the one who took over from them does.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from tailrace.db.database import Tx
from tailrace.db.models import TenantRow
from tailrace.messaging.replica import Known, Replica
from tailrace.messaging.timers import Timer

__all__ = ["Handover", "LeaverRow", "Owner", "Share", "heir_of"]

_LOOK_AGAIN = timedelta(seconds=1)
_WAITS_FOR_HEIR = timedelta(minutes=1)


class LeaverRow(TenantRow):
    """A user who is gone, and who takes over: nobody, when `successor_id` is None."""

    user_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-10)
    successor_id: Mapped[UUID | None]
    left_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When that was heard of here."""


async def heir_of(tx: Tx, leavers: type[LeaverRow], user_id: UUID) -> UUID | None:
    """The user, or who took over, or who took over from that one."""
    seen: set[UUID] = set()
    heir: UUID | None = user_id
    while heir is not None and heir not in seen:
        seen.add(heir)
        leaver = await tx.scalar(select(leavers).where(leavers.user_id == heir))
        if leaver is None:
            return heir
        heir = leaver.successor_id
    return None


class Owner(NamedTuple):
    """A user, or nobody, and what they are called as far as that is known here."""

    id: UUID | None
    name: str | None


def _owner(copy: Replica) -> Owner:
    return Owner(copy.id, getattr(copy, "name", None))


class Share(NamedTuple):
    """One kind of what people look after: `theirs` selects the ids of a user's, and `give` gives one of them to somebody, or to nobody."""

    theirs: Callable[[UUID], Select[UUID]]
    give: Callable[[Tx, UUID, Owner], Awaitable[None]]


class Handover(Timer):
    """The timer, by user, that gives away what they had, `at_once` of it in one transaction."""

    def __init__(
        self,
        name: str,
        leavers: type[LeaverRow],
        users: type[Replica],
        *shares: Share,
        at_once: int = 500,
    ) -> None:
        super().__init__(name)
        self._leavers, self._users = leavers, users
        self._shares = shares
        self.at_once = at_once
        self.due(self.hand_over)

    async def leave(self, tx: Tx, user_id: UUID, successor_id: UUID | None) -> None:
        """Remember that somebody is gone, and begin to hand over."""
        gone = insert(self._leavers).values(tenant_id=tx.tenant_id, user_id=user_id, successor_id=successor_id)
        await tx.execute(gone.on_conflict_do_nothing())
        await self.set(tx, user_id, datetime.now(UTC))

    async def hold(self, tx: Tx, user_id: UUID) -> Known[Replica]:
        """The copy of a user, held until this is committed: who leaves meanwhile is found by the handover, which waits for the copy to say so."""
        held = select(self._users).where(self._users.id == user_id).with_for_update(read=True)
        return Known(self._users, (await tx.scalars(held)).all())

    async def owner_of_new(self, tx: Tx, asked: UUID | None, *others: UUID | None, field: str) -> Owner:
        """Whose something new is: of whom was asked for, else of the first of the others who is there and within reach, held.

        The last of them is the caller, whose own it is however little is known of them here. Raises NotYetKnown; Invalid for one who is gone.
        """
        if asked is not None:
            return _owner((await self.hold(tx, asked)).in_use(asked, field))
        for id in others:
            if id is not None and (tx.owners is None or id in tx.owners):
                known = await self.hold(tx, id)
                if id in known and known[id].active:
                    return _owner(known[id])
        caller = others[-1] if others else None
        return Owner(caller, None)

    async def hand_over(self, tx: Tx, user_id: UUID) -> None:
        """Give away what a user who is gone looked after, a batch at a time, until there is no more."""
        user = await tx.scalar(select(self._users).where(self._users.id == user_id))
        heir = await heir_of(tx, self._leavers, user_id)
        if heir is not None and heir != user_id and not await self._is_there(tx, heir):
            leaver = await tx.scalar(select(self._leavers).where(self._leavers.user_id == user_id))
            if leaver is not None and leaver.left_at > datetime.now(UTC) - _WAITS_FOR_HEIR:
                # Not heard of yet, or gone as well, and who takes over from them is still on its way here.
                return await self.set(tx, user_id, datetime.now(UTC) + _LOOK_AGAIN)
            heir = None
        to = Owner(None, None)
        if heir is not None and heir != user_id:
            to = _owner((await self.hold(tx, heir))[heir])
        given = 0
        for share in self._shares:
            for id in list(await tx.scalars(share.theirs(user_id).limit(self.at_once - given))):
                await share.give(tx, id, to)
                given += 1
        if given == self.at_once:
            await self.set(tx, user_id, datetime.now(UTC))
        elif user is not None and user.active:
            # The copy is behind, and somebody may still be given to them.
            await self.set(tx, user_id, datetime.now(UTC) + _LOOK_AGAIN)
        return None

    async def _is_there(self, tx: Tx, user_id: UUID) -> bool:
        known = await self.hold(tx, user_id)
        return user_id in known and known[user_id].active
