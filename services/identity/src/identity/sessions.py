"""Sessions: a log-in starts one, refresh tokens carry it on one at a time, and a token that is used twice ends it.

A refresh token is `<tenant>.<secret>`, both base64url; only the secret's SHA-256 is kept.
"""

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select

from identity import audit
from identity.audit import Origin
from identity.models import RefreshToken, User, UserSession
from tailrace.db.database import Tx
from tailrace.messaging.timers import Timer

REFRESH_LIFETIME = timedelta(days=30)
_SECRET_BYTES = 32

expiry = Timer("identity.session_expiry")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a log-in or a refresh yields: the session goes on, under a new refresh token."""

    user: User
    session_id: UUID
    refresh_token: str


async def start(tx: Tx, user: User) -> Grant:
    _acts(tx, user.id)
    session = UserSession.start(user)
    tx.add(session)
    # The refresh token's row refers to it.
    await tx.flush()
    return await _grant(tx, user, session)


async def refresh(tx: Tx, token: str, origin: Origin) -> Grant | None:
    """Exchange a refresh token for the next one; None when it is not good. A second use ends the session, so the transaction must commit."""
    found = await _token(tx, token)
    if found is None:
        return None
    session = await tx.load(UserSession, found.session_id)
    now = datetime.now(UTC)
    if found.used_at is not None:
        await end(tx, session, "reuse")
        audit.note(tx, origin, "session.reuse_detected", session.user_id, session_id=str(session.id))
        return None
    user = await tx.get(User, (tx.tenant_id, session.user_id))
    if session.ended_at is not None or found.expires_at <= now or user is None or not user.may_log_in:
        return None
    found.used_at = now
    await tx.execute(delete(RefreshToken).where(RefreshToken.session_id == session.id, RefreshToken.expires_at < now))
    return await _grant(tx, user, session)


async def log_out(tx: Tx, token: str, origin: Origin) -> None:
    """End the session that any of its refresh tokens names. A token that names none has nothing left to end."""
    found = await _token(tx, token)
    if found is None:
        return
    session = await tx.load(UserSession, found.session_id)
    _acts(tx, session.user_id)
    await end(tx, session, "logout")
    audit.note(tx, origin, "user.logout", session.user_id, actor=session.user_id, session_id=str(session.id))


def _acts(tx: Tx, user_id: UUID) -> None:
    """Who shows a password or a token of this user is the user, from here on."""
    tx.context = replace(tx.context, actor=str(user_id))


async def end(tx: Tx, session: UserSession, reason: str) -> None:
    """End a session and forget its refresh tokens."""
    session.end(reason, datetime.now(UTC))
    await expiry.clear(tx, session.id)
    await tx.execute(delete(RefreshToken).where(RefreshToken.session_id == session.id))


async def end_all(tx: Tx, user_id: UUID, *, but: UUID | None = None) -> None:
    """Revoke every open session of a user, except `but`."""
    query = select(UserSession).where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
    for session in await tx.scalars(query.order_by(UserSession.id).with_for_update()):
        if session.id != but:
            await end(tx, session, "revoked")


async def is_open(tx: Tx, session_id: UUID | None) -> bool:
    query = select(UserSession.id).where(UserSession.id == session_id, UserSession.ended_at.is_(None))
    return await tx.scalar(query) is not None


@expiry.due
async def expire(tx: Tx, session_id: UUID) -> None:
    await end(tx, await tx.load(UserSession, session_id), "expired")


def tenant_of(token: str) -> UUID | None:
    """The tenant that a refresh token carries, or None when it is none of ours."""
    try:
        return UUID(bytes=base64.urlsafe_b64decode(token.partition(".")[0] + "=="))
    except (ValueError, binascii.Error):
        return None


async def _grant(tx: Tx, user: User, session: UserSession) -> Grant:
    tenant = base64.urlsafe_b64encode(tx.tenant_id.bytes).decode().rstrip("=")
    token = f"{tenant}.{secrets.token_urlsafe(_SECRET_BYTES)}"
    expires_at = datetime.now(UTC) + REFRESH_LIFETIME
    tx.add(RefreshToken(token_hash=_hash(token), session_id=session.id, expires_at=expires_at))
    await expiry.set(tx, session.id, expires_at)
    return Grant(user, session.id, token)


async def _token(tx: Tx, token: str) -> RefreshToken | None:
    """Locked, so that of two who use it at once the second is seen as such."""
    return await tx.scalar(select(RefreshToken).where(RefreshToken.token_hash == _hash(token)).with_for_update())


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
