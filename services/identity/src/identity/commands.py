"""Users, roles and passwords: every change is audited, takes effect on open sessions, and grants nothing that its author lacks."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select

from identity import audit, passwords, sessions, teams, throttle
from identity.audit import Origin
from identity.bodies import ChangedUser, NewUser, RoleBody
from identity.grants import ADMIN, ensure_known
from identity.models import Credential, Role, Use, User, named_role, user_role
from identity.refusals import LastAdmin
from tailrace.core.context import Principal
from tailrace.core.errors import FieldProblem, Forbidden, InUse, Invalid, Unauthenticated
from tailrace.db.database import Tx
from tailrace.messaging.uses import refuse_used


async def self_of(tx: Tx, who: Principal) -> User:
    """The user whose token this is. Raises Unauthenticated when there is none any more."""
    user = await tx.get(User, (tx.tenant_id, who.user_id))
    if user is None or not user.may_log_in:
        raise Unauthenticated("This user may not log in any more.")
    return user


async def create_user(tx: Tx, body: NewUser, who: Principal, origin: Origin) -> User:
    granted = await _roles(tx, body.roles)
    _ensure_may_grant(who, granted)
    user = User.join(body.email, body.name, granted)
    await add_user(tx, user, body.password.get_secret_value())
    audit.note(tx, origin, "user.created", user.id, roles=user.roles)
    return user


async def add_user(tx: Tx, user: User, password: str) -> None:
    """A new user and the password, together."""
    tx.add(user)
    # The password's row refers to the user's.
    await tx.flush()
    tx.add(Credential(user_id=user.id, password_hash=await passwords.hashed(password, tx.tenant_id)))


async def change_user(
    tx: Tx, user_id: UUID, match: int | None, body: ChangedUser, who: Principal, origin: Origin
) -> User:
    """Replace a user. A withdrawn right, a new password or a deactivation ends all sessions."""
    user = await _load_user(tx, user_id, match, who)
    before, administered = _described(user), user.administers
    granted = await _roles(tx, body.roles)
    _ensure_may_grant(who, granted)
    user.change(email=body.email, name=body.name, granted=granted, active=body.active)
    if administered and not user.administers:
        await _ensure_another_admin(tx, user)
    if body.password is not None:
        await _set_password(tx, user.id, body.password.get_secret_value())
    if body.password is not None or not body.active or user.roles != before["roles"]:
        await sessions.end_all(tx, user.id)
    after = _described(user)
    changed = sorted(name for name in after if after[name] != before[name])
    roles = {"from": before["roles"], "to": user.roles} if "roles" in changed else None
    audit.note(
        tx, origin, "user.updated", user.id, changed=changed, roles=roles, password_reset=body.password is not None
    )
    return user


async def delete_user(tx: Tx, user_id: UUID, match: int | None, who: Principal, origin: Origin) -> None:
    await teams.take_turns(tx)
    user = await _load_user(tx, user_id, match, who)
    administered = user.administers
    user.delete(datetime.now(UTC), await teams.successor_of(tx, user.id))
    await teams.leave(tx, user.id)
    if administered:
        await _ensure_another_admin(tx, user)
    await sessions.end_all(tx, user.id)
    audit.note(tx, origin, "user.deleted", user.id)


async def change_password(tx: Tx, who: Principal, current: str, new: str, origin: Origin) -> bool:
    """Set one's own password and end one's other sessions; False, counted as a failed log-in, when `current` is wrong."""
    user = await self_of(tx, who)
    await throttle.ensure_open(tx, user.email)
    stored = await tx.scalar(select(Credential.password_hash).where(Credential.user_id == user.id))
    async with passwords.turns.turn(tx.tenant_id):
        right, _ = await passwords.check(current, stored)
    if not right:
        await throttle.count(tx, user.email)
        audit.note(tx, origin, "user.password_change_failed", user.id)
        return False
    await throttle.forgive(tx, user.email)
    await _set_password(tx, user.id, new)
    await sessions.end_all(tx, user.id, but=who.session_id)
    audit.note(tx, origin, "user.password_changed", user.id)
    return True


async def create_role(tx: Tx, body: RoleBody, who: Principal, origin: Origin) -> Role:
    ensure_known(body.scopes)
    _ensure_holds(who, body.scopes)
    role = Role.make(body.name, body.scopes)
    tx.add(role)
    audit.note(tx, origin, "role.created", role.id, name=role.name, scopes=role.scopes)
    return role


async def change_role(tx: Tx, role_id: UUID, match: int | None, body: RoleBody, who: Principal, origin: Origin) -> Role:
    """Grant other scopes. Tokens carry the versions of their roles: gateway and identity refuse the older ones, and holders refresh."""
    role = await _load_role(tx, role_id, match, who)
    if body.name != role.name:
        raise Invalid.field("/name", "A role keeps its name, which events already carry; make another role instead.")
    ensure_known(body.scopes)
    _ensure_holds(who, body.scopes)
    before = role.scopes
    role.allow(body.scopes)
    audit.note(tx, origin, "role.updated", role.id, name=role.name, scopes={"from": before, "to": role.scopes})
    return role


async def delete_role(tx: Tx, role_id: UUID, match: int | None, who: Principal, origin: Origin) -> None:
    role = await _load_role(tx, role_id, match, who)
    holders = await tx.scalar(select(func.count()).where(user_role.c.role_id == role.id))
    if holders:
        raise InUse(f"{holders} users have the role {role.name}; withdraw it from them first.")
    await refuse_used(tx, Use, named_role(role.name), f"Role {role.name}")
    role.delete(datetime.now(UTC))
    audit.note(tx, origin, "role.deleted", role.id, name=role.name)


async def restore_role(tx: Tx, role_id: UUID, match: int | None, who: Principal, origin: Origin) -> Role:
    """Raises Unknown, Stale, NotDeleted, Forbidden, and Taken when another one has the name by now."""
    role = await tx.load(Role, role_id, match, even_deleted=True)
    _ensure_holds(who, role.scopes)
    role.restore()
    audit.note(tx, origin, "role.restored", role.id, name=role.name, scopes=role.scopes)
    return role


async def _load_user(tx: Tx, user_id: UUID, match: int | None, who: Principal) -> User:
    user = await tx.load(User, user_id, match)
    # A caller who may change a user can log in as that user.
    _ensure_may_grant(who, user.granted)
    return user


async def _load_role(tx: Tx, role_id: UUID, match: int | None, who: Principal) -> Role:
    role = await tx.load(Role, role_id, match)
    _ensure_holds(who, role.scopes)
    return role


async def _roles(tx: Tx, names: Sequence[str]) -> list[Role]:
    """Locked against deletion until the users who get them are written. Raises Invalid for names that there are none of."""
    query = select(Role).where(Role.name.in_(names), Role.deleted_at.is_(None)).order_by(Role.id)
    found = {role.name: role for role in await tx.scalars(query.with_for_update(key_share=True, read=True))}
    errors = [
        FieldProblem(field=f"/roles/{position}", detail=f"There is no role {name}.")
        for position, name in enumerate(names)
        if name not in found
    ]
    if errors:
        raise Invalid("; ".join(error.detail for error in errors), errors=errors)
    return list(found.values())


def _ensure_may_grant(who: Principal, granted: Sequence[Role]) -> None:
    _ensure_holds(who, [scope for role in granted for scope in role.scopes])


def _ensure_holds(who: Principal, scopes: Sequence[str]) -> None:
    lacking = sorted({scope for scope in scopes if not who.may(scope)})
    if lacking:
        raise Forbidden(f"Nobody gives or takes what he has not: {' '.join(lacking)}.")


async def _ensure_another_admin(tx: Tx, user: User) -> None:
    """The role's lock, held until the change is committed, makes two administrators who leave at once take turns."""
    role = await tx.scalar(select(Role.id).where(Role.name == ADMIN, Role.deleted_at.is_(None)).with_for_update())
    others = select(func.count()).select_from(User).join(User.granted)
    others = others.where(Role.id == role, User.active, User.deleted_at.is_(None), User.id != user.id)
    if not await tx.scalar(others):
        raise LastAdmin


async def _set_password(tx: Tx, user_id: UUID, password: str) -> None:
    credential = await tx.get(Credential, (tx.tenant_id, user_id))
    assert credential is not None
    credential.password_hash = await passwords.hashed(password, tx.tenant_id)


def _described(user: User) -> dict[str, object]:
    return {"email": user.email, "name": user.name, "active": user.active, "roles": user.roles}
