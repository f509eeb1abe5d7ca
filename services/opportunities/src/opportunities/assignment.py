"""Who gets a lead: the first rule that holds and finds somebody. A team's people get theirs in turn, exactly, however many leads come at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from opportunities import policies
from opportunities.base import Base
from opportunities.bodies.policies import AssignmentBody
from opportunities.copies import UserCopy
from opportunities.projections import teams
from opportunities.scoring import all_hold
from tailrace.core.ids import NIL
from tailrace.db.database import Tx
from tailrace.db.models import TenantRow
from tailrace.messaging.replica import absent, by_ids


class Rotation(TenantRow, Base):
    """Whose turn it was last, by a rule's name."""

    __tablename__ = "rotation"

    rule: Mapped[str] = mapped_column(primary_key=True, sort_order=-10)
    last_user_id: Mapped[UUID | None]


@dataclass(frozen=True, slots=True)
class Assigned:
    """Who gets a lead, and by which rule."""

    owner_id: UUID
    team_id: UUID | None
    rule: str


async def by_rules(tx: Tx, said: Mapping[str, Any]) -> Assigned | None:
    """Whom the rules name for a lead that says this; None when no rule holds, or finds anybody.

    Take it last: who is next of a team stays held until this is committed.
    """
    for rule in (await policies.assignment(tx)).rules:
        if not all_hold(rule.when, said):
            continue
        if rule.user_id is not None:
            if await _active(tx, [rule.user_id]):
                return Assigned(rule.user_id, await first_team(tx, rule.user_id), rule.name)
        elif rule.team_id is not None and (owner_id := await _next(tx, rule.name, rule.team_id)) is not None:
            return Assigned(owner_id, rule.team_id, rule.name)
    return None


async def set_rules(tx: Tx, said: AssignmentBody) -> None:
    """Replace all rules. Raises NotYetKnown, Invalid for a user or a team that is not there."""
    users = await by_ids(tx, UserCopy, [rule.user_id for rule in said.rules if rule.user_id is not None])
    team = teams.teams.c
    named = [rule.team_id for rule in said.rules if rule.team_id is not None]
    known = set(await tx.scalars(select(team.id).where(team.id.in_(named))))
    for at, rule in enumerate(said.rules):
        if rule.user_id is not None:
            # One who is gone may stand here: they are passed over.
            users.known(rule.user_id, f"/rules/{at}/user_id")
        elif rule.team_id not in known:
            raise absent(rule.team_id or NIL, f"/rules/{at}/team_id", f"There is no team {rule.team_id} here.")
    await policies.replace(tx, "assignment", said)


async def first_team(tx: Tx, user_id: UUID | None) -> UUID | None:
    """The oldest team that a user is in, or leads; None without one."""
    members = teams.members.c
    mine = select(members.team_id).where(members.user_id == user_id).order_by(members.team_id).limit(1)
    found: UUID | None = None if user_id is None else await tx.scalar(mine)
    return found


async def _next(tx: Tx, rule: str, team_id: UUID) -> UUID | None:
    """The one after the last one, in the order of their ids; those who are gone are passed over."""
    begun = insert(Rotation).values(tenant_id=tx.tenant_id, rule=rule, last_user_id=None)
    await tx.execute(begun.on_conflict_do_nothing())
    turn: Any = Rotation.__table__
    last = await tx.scalar(select(turn.c.last_user_id).where(turn.c.rule == rule).with_for_update())
    members = teams.members.c
    people = await _active(tx, list(await tx.scalars(select(members.user_id).where(members.team_id == team_id))))
    if not people:
        return None
    chosen = next((each for each in people if last is None or each > last), people[0])
    await tx.execute(update(turn).where(turn.c.rule == rule).values(last_user_id=chosen))
    return chosen


async def _active(tx: Tx, ids: list[UUID]) -> list[UUID]:
    """Those of these users who are there, in the order of their ids."""
    there = select(UserCopy.id).where(UserCopy.id.in_(ids), UserCopy.active)
    return sorted(await tx.scalars(there))
