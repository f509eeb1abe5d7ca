"""Logging in: guessing is slowed down, and an unknown tenant, an unknown address and a wrong password look and last the same.

No connection is held while the password is hashed. At most two log-ins of a process are under way, so that parallel guesses outrun the count
of failures by no more than that; the others wait their turn, shared out by address.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update

from identity import audit, passwords, sessions, throttle
from identity.audit import Origin
from identity.bodies import LogIn
from identity.models import Credential, User
from identity.refusals import WrongCredentials
from identity.sessions import Grant
from identity.tenants import tenant_called
from tailrace.core.context import Context
from tailrace.db.database import Database, Tx
from tailrace.http.protocol.addresses import address_key


@dataclass(frozen=True, slots=True)
class _Account:
    """What the password is checked against; no hash where nobody may log in."""

    tenant_id: UUID
    user_id: UUID | None = None
    password_hash: str | None = None


async def log_in(database: Database, context: Context, body: LogIn, origin: Origin) -> Grant:
    """A session for the right password. Raises WrongCredentials (401), LockedOut (429), Busy (503)."""
    async with passwords.turns.turn(address_key(origin.ip)):
        async with database.transaction(context, read_only=True) as tx:
            account = await _account(tx, body)
        password = body.password.get_secret_value()
        right, rehashed = await passwords.check(password, account.password_hash if account else None)
        if account is None:
            raise WrongCredentials
        async with database.transaction(context.for_tenant(account.tenant_id)) as tx:
            user = await _unchanged(tx, account) if right else None
            grant = await _succeed(tx, user, rehashed, origin) if user else None
            if grant is None:
                await throttle.count(tx, body.email)
                audit.note(tx, origin, "user.login_failed", account.user_id, email=body.email)
    if grant is None:
        raise WrongCredentials
    return grant


async def _account(tx: Tx, body: LogIn) -> _Account | None:
    tenant_id = await tenant_called(tx, body.tenant)
    if tenant_id is None:
        return None
    await tx.enter_tenant(tenant_id)
    await throttle.ensure_open(tx, body.email)
    user = await tx.scalar(select(User).where(User.email == body.email, User.deleted_at.is_(None)))
    if user is None:
        return _Account(tenant_id)
    stored = await tx.scalar(select(Credential.password_hash).where(Credential.user_id == user.id))
    return _Account(tenant_id, user.id, stored if user.may_log_in else None)


async def _unchanged(tx: Tx, account: _Account) -> User | None:
    """The user, held against a deactivation or a new password that would have to end the session we are about to start."""
    user = await tx.scalar(select(User).where(User.id == account.user_id).with_for_update(read=True))
    stored = await tx.scalar(select(Credential.password_hash).where(Credential.user_id == account.user_id))
    return user if user is not None and user.may_log_in and stored == account.password_hash else None


async def _succeed(tx: Tx, user: User, rehashed: str | None, origin: Origin) -> Grant:
    await throttle.forgive(tx, user.email)
    if rehashed is not None:
        await tx.execute(update(Credential).where(Credential.user_id == user.id).values(password_hash=rehashed))
    grant = await sessions.start(tx, user)
    audit.note(tx, origin, "user.login", user.id, actor=user.id, session_id=str(grant.session_id))
    return grant
