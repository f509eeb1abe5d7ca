"""Teams: who belongs together, who leads, and who takes over from somebody who leaves. Changes of one company's teams take turns."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from identity import audit
from identity.audit import Origin
from identity.models import Team, User
from tailrace.core.errors import FieldProblem, InUse, Invalid
from tailrace.core.teams import DEEPEST, Organisation
from tailrace.core.teams import Team as Place
from tailrace.db.database import Tx


async def create(tx: Tx, values: Mapping[str, Any], origin: Origin) -> Team:
    """Raises Taken for the name, Invalid for people and a parent that are not there."""
    await take_turns(tx)
    await _check_people(tx, values)
    team = Team.form(values)
    await _check_place(tx, team)
    tx.add(team)
    audit.note(tx, origin, "team.created", team.id, **_told(values))
    return team


async def replace(tx: Tx, id: UUID, match: int | None, values: Mapping[str, Any], origin: Origin) -> Team:
    """Raises Unknown, Stale, and what `create` raises; Invalid for a place within itself, or too deep."""
    await take_turns(tx)
    team = await tx.load(Team, id, match)
    await _check_people(tx, values)
    team.change(values)
    await _check_place(tx, team)
    audit.note(tx, origin, "team.updated", team.id, **_told(values))
    return team


async def delete(tx: Tx, id: UUID, match: int | None, origin: Origin) -> None:
    """Raises Unknown, Stale, and InUse while teams lie within it."""
    await take_turns(tx)
    team = await tx.load(Team, id, match)
    within = select(Team.name).where(Team.parent_id == id, Team.deleted_at.is_(None))
    if (name := await tx.scalar(within.order_by(Team.name).limit(1))) is not None:
        raise InUse(f"The team {name} lies within this one.")
    team.delete(datetime.now(UTC))
    audit.note(tx, origin, "team.deleted", team.id)


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


async def _check_people(tx: Tx, values: Mapping[str, Any]) -> None:
    named = {f"/{field}": values[field] for field in ("lead_id", "deputy_id") if values[field] is not None}
    named |= {f"/member_ids/{position}": id for position, id in enumerate(values["member_ids"])}
    there = set(await tx.scalars(select(User.id).where(User.id.in_(set(named.values())), User.deleted_at.is_(None))))
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
