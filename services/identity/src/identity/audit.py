"""The audit log: who did what, when and from where, written in the transaction that did it."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request

from identity.models import AuditEntry
from tailrace.db.database import Tx

_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, as far as the connection and its headers tell."""

    ip: str | None = None
    user_agent: str | None = None


def origin_of(request: Request) -> Origin:
    agent = request.headers.get("user-agent")
    return Origin(request.client.host if request.client else None, agent[:_LONGEST] if agent else None)


From = Annotated[Origin, Depends(origin_of)]


def note(
    tx: Tx, origin: Origin, action: str, subject_id: UUID | None = None, /, *, actor: UUID | None = None, **details: Any
) -> None:
    """Add an entry; the actor is the transaction's user unless another is named."""
    tx.add(
        AuditEntry(
            action=action,
            actor_id=actor or tx.context.user_id,
            subject_id=subject_id,
            ip=origin.ip,
            user_agent=origin.user_agent,
            details=details,
        )
    )
