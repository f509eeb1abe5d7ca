"""Who is meant by the approvers of a step, and who may decide it: themselves, or in the place of somebody who delegated to them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Text, func, select
from sqlalchemy.dialects.postgresql import array

from tailrace.core.context import Principal
from tailrace.core.teams import Organisation
from tailrace.db.database import Tx
from workflow.delegations import represented
from workflow.models import Approval, People, Task
from workflow.projections import UserCopy, teams
from workflow.refusals import ClaimedByAnother, DecidedBefore, NotYours, OwnRequest
from workflow.rules import FALLBACK, approver_groups

MANAGERS = "role:manager"


class Directory:
    """Who there is, each thing looked up once: for a stretch of a transaction in which nobody comes or goes."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._organisation: Organisation | None = None
        self._holders: dict[frozenset[str], set[UUID]] = {}

    async def superior(self, user_id: UUID) -> UUID | None:
        """The lead of the nearest team that somebody else leads."""
        self._organisation = self._organisation or await teams.organisation(self._tx)
        return self._organisation.superior(user_id)

    async def holders(self, roles: Collection[str]) -> set[UUID]:
        """The users in use who have one of these roles."""
        wanted = frozenset(roles)
        if wanted not in self._holders:
            self._holders[wanted] = await holders(self._tx, wanted)
        return self._holders[wanted]


async def meant(tx: Tx, approvers: str, requester_id: UUID | None, known: Directory | None = None) -> People:
    """Who is meant: of several groups with `|` between, the first in which there is anybody; else the fallback.

    Roles that nobody has stay among those who are meant: somebody may get one before anybody else has decided.
    """
    known = known or Directory(tx)
    vacant: set[str] = set()
    for group in [*approver_groups(approvers), [FALLBACK]]:
        users: set[UUID] = set()
        roles: set[str] = set()
        for one in group:
            kind, _, name = one.partition(":")
            if kind == "role":
                roles.add(name)
            elif kind == "user":
                users.add(UUID(name))
            elif requester_id is not None:
                superior = await known.superior(requester_id)
                users |= {superior} if superior is not None else set()
        users = await _in_use(tx, users) - {requester_id}
        if users or (roles and await known.holders(roles) - {requester_id}):
            return People(users, roles | vacant)
        vacant |= roles
    return People(roles=vacant)


async def heirs(tx: Tx, user_id: UUID, successor_id: UUID | None, requester_id: UUID | None) -> People:
    """Who decides in the place of somebody who is gone: the successor, else the first above them, else managers."""
    above = (await teams.organisation(tx)).successors(user_id)
    for one in (successor_id, *above):
        if one is not None and one not in {user_id, requester_id} and await _in_use(tx, {one}):
            return People([one])
    return await meant(tx, MANAGERS, requester_id)


async def holders(tx: Tx, roles: Iterable[str]) -> set[UUID]:
    """The users in use who have one of these roles."""
    wanted = set(roles)
    if not wanted:
        return set()
    held = func.jsonb_exists_any(UserCopy.roles, array(sorted(wanted), type_=Text))
    return set(await tx.scalars(select(UserCopy.id).where(UserCopy.active, held)))


async def voters(tx: Tx, task: Task, requester_id: UUID | None) -> set[UUID]:
    """Everybody whose decision the step waits for, by id; never the requester."""
    return (set(task.people.users) | await holders(tx, task.people.roles)) - {requester_id}


@dataclass(frozen=True, slots=True)
class Voice:
    """Somebody who may decide a step, and in whose place they do."""

    task: Task
    on_behalf_of: UUID | None


async def voice(tx: Tx, approval: Approval, who: Principal, task_id: UUID | None) -> Voice:
    """The step that the caller decides now: the one with this id, or the first open one that waits for them.

    Raises OwnRequest, NotYours, DecidedBefore, ClaimedByAnother.
    """
    if who.user_id == approval.requester_id:
        raise OwnRequest("You asked for it yourself.")
    others = sorted(await represented(tx, who.user_id))
    wanted = [task for task in approval.open_tasks if task_id in {None, task.id}]
    mine = [one for task in wanted for one in await _voices(tx, task, who, others, approval.requester_id)]
    if not mine:
        raise NotYours("It waits for others.")
    # Who decided, and in whose place: neither counts a second time.
    heard = {id for vote in approval.votes for id in (vote.user_id, vote.on_behalf_of)}
    free = [one for one in mine if one.task.repeatable or not heard & {who.user_id, one.on_behalf_of or who.user_id}]
    if not free:
        raise DecidedBefore("One person decides once; another has to decide this step.")
    unclaimed = [one for one in free if one.task.claimed_by in {None, who.user_id, one.on_behalf_of}]
    if not unclaimed:
        raise ClaimedByAnother(f"{free[0].task.claimed_by} took it on.")
    return unclaimed[0]


async def tasks_of(tx: Tx, user_id: UUID, roles: Collection[str]) -> tuple[frozenset[UUID], frozenset[str]]:
    """For whom somebody decides: users by id, and the roles of all of them."""
    others = await represented(tx, user_id)
    held = set(roles)
    if others:
        for row in await tx.scalars(select(UserCopy.roles).where(UserCopy.id.in_(others), UserCopy.active)):
            held |= set(row)
    return others | {user_id}, frozenset(held)


async def roles_of(tx: Tx, user_id: UUID) -> frozenset[str]:
    """The roles of a user, as they are known here."""
    found = await tx.scalar(select(UserCopy.roles).where(UserCopy.id == user_id, UserCopy.active))
    return frozenset(found or ())


async def _voices(
    tx: Tx, task: Task, who: Principal, others: Sequence[UUID], requester_id: UUID | None
) -> Sequence[Voice]:
    """In whose place somebody may decide a step that has not heard those yet, their own coming first."""
    people = task.people
    said = {vote.person for vote in task.said}
    found = []
    if (who.user_id in people.users or who.roles & people.roles) and who.user_id not in said:
        found.append(Voice(task, None))
    for other in others:
        if other == requester_id or other in said:
            continue
        if other in people.users or await roles_of(tx, other) & people.roles:
            found.append(Voice(task, other))
    return found


async def _in_use(tx: Tx, users: Collection[UUID]) -> set[UUID]:
    """Of some users, those whom the company has."""
    if not users:
        return set()
    return set(await tx.scalars(select(UserCopy.id).where(UserCopy.id.in_(users), UserCopy.active)))
