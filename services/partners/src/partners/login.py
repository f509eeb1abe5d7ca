"""Who asks for events by HTTP: a partner, by the user and password that it has at Kafka. What was revoked or rotated is refused from then on."""

import hmac
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from sqlalchemy import select

from partners.models import USERS, Filling, Login, topics_of, user_of
from partners.opening import password
from tailrace.core.context import Context
from tailrace.core.errors import Unauthenticated
from tailrace.db.database import Database


class _Basic(HTTPBasic):
    """What cannot be read as a user and a password is refused like what counts for nothing."""

    def make_not_authenticated_error(self) -> Unauthenticated:  # type: ignore[override]
        return refused()


_declared = _Basic(
    auto_error=False, scheme_name="partner", description="User and password of a partner, as its credentials say."
)


@dataclass(frozen=True)
class Visitor:
    """A partner that is let in, and what it may read."""

    partner_id: UUID
    credential: int
    topics: tuple[str, ...]
    """Empty until its topics are there."""


async def visitor(request: Request, given: Annotated[HTTPBasicCredentials | None, Depends(_declared)]) -> Visitor:
    """Raises Unauthenticated."""
    partner_id = _partner_id(given.username) if given is not None else None
    if given is None or partner_id is None:
        raise refused()
    known = await look(request.app.state.database, partner_id)
    if known is None:
        raise refused()
    wanted = password(request.app.state.settings, user_of(partner_id), known.credential)
    if not hmac.compare_digest(wanted.encode(), given.password.encode("utf-8", "replace")):
        raise refused()
    return known


def refused() -> Unauthenticated:
    """No user and password of a partner, or none that count any more."""
    how = 'Basic realm="partner", charset="UTF-8"'
    return Unauthenticated("Send the partner's user and password: Authorization: Basic …", challenge=how)


Asking = Annotated[Visitor, Depends(visitor)]


async def look(database: Database, partner_id: UUID) -> Visitor | None:
    """What holds now; None for one that was revoked, or never was."""
    async with database.transaction(Context(tenant_id=None), read_only=True) as tx:
        query = (
            select(Login.credential, Filling.types)
            .outerjoin(Filling, Filling.partner_id == Login.partner_id)
            .where(Login.partner_id == partner_id)
        )
        found = (await tx.execute(query)).one_or_none()
    if found is None:
        return None
    return Visitor(partner_id, found.credential, tuple(topics_of(partner_id, found.types or ())))


def _partner_id(user: str) -> UUID | None:
    try:
        read = UUID(user.removeprefix(USERS))
    except ValueError:
        return None
    return read if user_of(read) == user else None
