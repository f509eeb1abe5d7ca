"""Teams: who belongs together, who leads, and who takes over from somebody who leaves. Changes of one company's teams take turns."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Mapped

from contracts import users as events
from identity import audit
from identity.audit import Origin
from identity.models import Base, Use, User
from tailrace.core.errors import FieldProblem, InUse, Invalid, RefersToDeleted
from tailrace.core.teams import DEEPEST, Organisation
from tailrace.core.teams import Team as Place
from tailrace.db import master_data
from tailrace.db.database import Tx
from tailrace.db.keys import tenant_index
from tailrace.db.master_data import MasterData
from tailrace.db.unique import LIVE, unique_value
from tailrace.messaging.uses import refuse_used


class Team(MasterData, Base):
    """Some people of a company, who may lead them and who deputises. A team may lie within another."""

    __tablename__ = "team"
    __table_args__ = (unique_value("code_key", field="name", where=LIVE), tenant_index("parent_id"))
    created, updated = events.TeamCreated, events.TeamUpdated
    deleted, restored = events.TeamDeleted, events.TeamRestored
    code_field = "name"

    parent_id: Mapped[UUID | None]
    lead_id: Mapped[UUID | None]
    deputy_id: Mapped[UUID | None]
    members: Mapped[list[Any]]
    """The ids of its members, in order."""

    @property
    def member_ids(self) -> list[UUID]:
        return [UUID(each) for each in self.members]

    @property
    def people(self) -> frozenset[UUID]:
        """The members, the lead and the deputy."""
        return frozenset({*self.member_ids, *(each for each in (self.lead_id, self.deputy_id) if each is not None)})

    def assign(self, values: Mapping[str, Any]) -> None:
        before, key = self.name, self.code_key
        super().assign({field: values[field] for field in ("name", "parent_id", "lead_id", "deputy_id")})
        if self.name == before:
            # One of two whose names were not the same once keeps its own.
            self.code_key = key
        self.members = sorted({str(each) for each in values["member_ids"]})

    def lose(self, user_id: UUID) -> None:
        """Go on without somebody: a lead who leaves is followed by the deputy."""
        self._forget(user_id)
        self.record_as(events.TeamUpdated)

    @classmethod
    async def kept(cls, tx: Tx, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Raises Invalid for people who are not there."""
        await _check_people(tx, values)
        return values

    async def ensure_references(self, tx: Tx) -> None:
        """Raises Invalid for a parent that is not there, and for a place within itself, or too deep."""
        await _check_place(tx, self)

    async def ensure_unused(self, tx: Tx) -> None:
        """Raises InUse while teams lie within it, or rules, KPIs or others name it."""
        within = select(Team.name).where(Team.parent_id == self.id, Team.deleted_at.is_(None))
        if (name := await tx.scalar(within.order_by(Team.name).limit(1))) is not None:
            raise InUse(f"The team {name} lies within this one.")
        await refuse_used(tx, Use, self.id, f"Team {self.name}")

    async def ensure_restorable(self, tx: Tx) -> None:
        """Raises RefersToDeleted while the team that it lay within is not there, or has no room for it. Who left meanwhile is not in it any more."""
        # Who is being deleted meanwhile is waited for, or waits and leaves this team then. Before anything else, as a deletion locks its user first.
        held = select(User.id).where(User.id.in_(self.people), User.deleted_at.is_(None)).order_by(User.id)
        there = set(await tx.scalars(held.with_for_update(key_share=True, read=True)))
        await super().ensure_restorable(tx)
        if self.parent_id is not None and not await Team.hold(tx, [self.parent_id]):
            raise RefersToDeleted(f"There is no team {self.parent_id}.", field="/parent_id")
        for user_id in sorted(self.people - there):
            self._forget(user_id)

    def _forget(self, user_id: UUID) -> None:
        if self.lead_id == user_id:
            self.lead_id, self.deputy_id = self.deputy_id, None
        if self.deputy_id == user_id:
            self.deputy_id = None
        self.members = [each for each in self.members if each != str(user_id)]


async def create(tx: Tx, values: Mapping[str, Any], origin: Origin) -> Team:
    """Raises Taken for the name, Invalid for people and a parent that are not there."""
    await take_turns(tx)
    team = await master_data.create(tx, Team, values)
    audit.note(tx, origin, "team.created", team.id, **_told(values))
    return team


async def replace(tx: Tx, id: UUID, match: int | None, values: Mapping[str, Any], origin: Origin) -> Team:
    """Raises Unknown, Stale, and what `create` raises; Invalid for a place within itself, or too deep."""
    await take_turns(tx)
    team = await master_data.replace(tx, Team, id, match, values)
    audit.note(tx, origin, "team.updated", team.id, **_told(values))
    return team


async def delete(tx: Tx, id: UUID, match: int | None, origin: Origin) -> None:
    """Raises Unknown, Stale, and InUse while teams lie within it, or rules, KPIs or others name it."""
    await take_turns(tx)
    await master_data.delete(tx, Team, id, match)
    audit.note(tx, origin, "team.deleted", id)


async def restore(tx: Tx, id: UUID, match: int | None, origin: Origin) -> Team:
    """Raises Unknown, Stale, NotDeleted, Taken for the name, and RefersToDeleted while the team that it lay within is not there."""
    await take_turns(tx)
    team = await master_data.restore(tx, Team, id, match)
    audit.note(tx, origin, "team.restored", id)
    return team


async def leave(tx: Tx, user_id: UUID) -> None:
    """Let every team go on without somebody. After `take_turns`."""
    for team in await _live(tx):
        if user_id in team.people:
            (await tx.load(Team, team.id)).lose(user_id)


async def organisation(tx: Tx) -> Organisation:
    """All teams of the tenant."""
    return _organisation(await _live(tx))


async def successor_of(tx: Tx, user_id: UUID) -> UUID | None:
    """Who takes over from a user: the first who is there, and may log in."""
    choices = list((await organisation(tx)).successors(user_id))
    query = select(User.id).where(User.id.in_(choices), User.active, User.deleted_at.is_(None))
    there = set(await tx.scalars(query))
    return next((choice for choice in choices if choice in there), None)


async def take_turns(tx: Tx) -> None:
    """Two changes at once could make a circle, or name somebody who is just leaving."""
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"identity.teams/{tx.tenant_id}", 0))))


async def _live(tx: Tx) -> Sequence[Team]:
    return (await tx.scalars(select(Team).where(Team.deleted_at.is_(None)).order_by(Team.id))).all()


def _organisation(teams: Sequence[Team]) -> Organisation:
    return Organisation([Place(team.id, team.parent_id, team.lead_id, team.deputy_id, team.people) for team in teams])


async def _there(tx: Tx, people: Collection[UUID]) -> set[UUID]:
    return set(await tx.scalars(select(User.id).where(User.id.in_(people), User.deleted_at.is_(None))))


async def _check_people(tx: Tx, values: Mapping[str, Any]) -> None:
    named = {f"/{field}": values[field] for field in ("lead_id", "deputy_id") if values[field] is not None}
    named |= {f"/member_ids/{position}": id for position, id in enumerate(values["member_ids"])}
    there = await _there(tx, set(named.values()))
    errors = [
        FieldProblem(field=field, detail=f"There is no user {id}.") for field, id in named.items() if id not in there
    ]
    if values["lead_id"] is not None and values["lead_id"] == values["deputy_id"]:
        errors.append(FieldProblem(field="/deputy_id", detail="Nobody deputises for themselves."))
    if errors:
        raise Invalid("; ".join(error.detail for error in errors), errors=errors)


async def _check_place(tx: Tx, team: Team) -> None:
    if team.parent_id is None:
        return
    others = [each for each in await _live(tx) if each.id != team.id]
    if team.parent_id not in {each.id for each in others}:
        raise Invalid.field("/parent_id", f"There is no other team {team.parent_id}.")
    around, within = _organisation(others).depth(team.parent_id), _organisation([*others, team]).height(team.id)
    if around + within > DEEPEST:
        raise Invalid.field("/parent_id", f"At most {DEEPEST} teams lie within each other, and none within itself.")


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """For the audit log, as JSON."""
    people = {field: values[field] and str(values[field]) for field in ("parent_id", "lead_id", "deputy_id")}
    return {"name": values["name"], **people, "member_ids": sorted(str(each) for each in values["member_ids"])}
