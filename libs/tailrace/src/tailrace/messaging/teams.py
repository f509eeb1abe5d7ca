"""The company's teams as a service knows them: whose rows a caller sees whose scope ends in `:team`, and who stands above whom.

    teams = Teams("customers.teams", Base.metadata, TEAM)

in the service's projections, and `teams` in its manifest. A change of a team counts here as soon as its event has arrived; no token has to be
renewed. A request whose reach is a team costs one more query, any other none.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Column, MetaData, Table, Uuid, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from tailrace.core.events import Described, Event, Meta
from tailrace.core.teams import Organisation, Team
from tailrace.db.database import Tx
from tailrace.db.keys import tenant_index
from tailrace.messaging.subscribers import Projection

__all__ = ["Teams"]

_SAID = ("team_id", "parent_id", "lead_id", "deputy_id", "member_ids")


class Teams(Projection):
    """The projection that keeps the tables `team_copy` and `team_member_copy`; the lead and the deputy of a team are among its people there."""

    def __init__(self, name: str, metadata: MetaData, told: Described) -> None:
        """Raises TypeError when an event lacks a field: they say `team_id`, `parent_id`, `lead_id`, `deputy_id` and `member_ids`, but for the end."""
        for event in told.told_by:
            if missing := set(_SAID) - event.model_fields.keys():
                raise TypeError(f"{event.type} does not say {', '.join(sorted(missing))}")
        tenant = "tenant_id"
        self.teams = Table(
            "team_copy",
            metadata,
            Column(tenant, Uuid, primary_key=True),
            Column("id", Uuid, primary_key=True),
            Column("parent_id", Uuid),
            Column("lead_id", Uuid),
            Column("deputy_id", Uuid),
            tenant_index("parent_id"),
        )
        self.members = Table(
            "team_member_copy",
            metadata,
            Column(tenant, Uuid, primary_key=True),
            Column("team_id", Uuid, primary_key=True),
            Column("user_id", Uuid, primary_key=True),
            tenant_index("user_id"),
        )
        super().__init__(name, tables=[self.teams, self.members])
        team, member = self.teams.c, self.members.c
        of_one: Any = bindparam("of_team")
        fresh = insert(self.teams)
        self._put = fresh.on_conflict_do_update(
            index_elements=[tenant, "id"],
            set_={key: fresh.excluded[key] for key in ("parent_id", "lead_id", "deputy_id")},
        )
        self._drop = delete(self.teams).where(team.id == of_one)
        self._drop_members = delete(self.members).where(member.team_id == of_one)
        own = (
            select(member.team_id.label("id")).where(member.user_id == bindparam("of_user")).cte("own", recursive=True)
        )
        below = own.union(select(team.id).join(own, team.parent_id == own.c.id))
        self._colleagues = select(member.user_id).join(below, member.team_id == below.c.id).distinct()
        inner = (
            select(member.team_id.label("id"))
            .where(member.user_id == bindparam("of_user"))
            .cte("inner", recursive=True)
        )
        above = inner.union(
            select(team.parent_id).join(inner, team.id == inner.c.id).where(team.parent_id.is_not(None))
        )
        self._seeing = select(member.user_id).join(above, member.team_id == above.c.id).distinct()
        self.on(*told.told_by)(self._tell)
        if told.ended_by is not None:
            self.on(told.ended_by)(self._end)

    async def colleagues(self, tx: Tx, user_id: UUID) -> frozenset[UUID]:
        """Who is in a team of the user's, or in one that lies within it; the user too, in any team or none."""
        return frozenset({user_id, *(await tx.scalars(self._colleagues, {"of_user": user_id}))})

    async def seeing(self, tx: Tx, user_id: UUID) -> frozenset[UUID]:
        """Whose colleague the user is: who sees the user's rows with the reach of a team; the user too."""
        return frozenset({user_id, *(await tx.scalars(self._seeing, {"of_user": user_id}))})

    async def organisation(self, tx: Tx) -> Organisation:
        """All teams: who is whose superior."""
        people: dict[UUID, set[UUID]] = {}
        for row in await tx.execute(select(self.members.c.team_id, self.members.c.user_id)):
            people.setdefault(row.team_id, set()).add(row.user_id)
        rows = await tx.execute(select(self.teams))
        return Organisation(
            [Team(row.id, row.parent_id, row.lead_id, row.deputy_id, frozenset(people.get(row.id, ()))) for row in rows]
        )

    async def _tell(self, tx: Tx, event: Event, meta: Meta) -> None:
        said = event.model_dump(include=set(_SAID))
        people = {*said.pop("member_ids"), said["lead_id"], said["deputy_id"]} - {None}
        row = {"tenant_id": tx.tenant_id, "id": said.pop("team_id"), **said}
        await tx.execute(self._put, row)
        await tx.execute(self._drop_members, {"of_team": row["id"]})
        if people:
            rows = [{"tenant_id": tx.tenant_id, "team_id": row["id"], "user_id": one} for one in sorted(people)]
            await tx.execute(insert(self.members), rows)

    async def _end(self, tx: Tx, event: Event, meta: Meta) -> None:
        gone = {"of_team": event.team_id}  # type: ignore[attr-defined]
        await tx.execute(self._drop, gone)
        await tx.execute(self._drop_members, gone)
