"""Who acts, for which tenant, and because of what: the one value that every transaction carries."""

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Self
from uuid import UUID

from tailrace.core.events import Meta
from tailrace.core.ids import uuid7
from tailrace.core.manifest import OWN, TEAM, granting


class Reach(IntEnum):
    """Whose rows a scope is good for; the narrower is the smaller."""

    OWN = 1
    """Those that the caller looks after."""
    TEAM = 2
    """And those that anybody of the caller's teams does, or of the teams below."""
    ALL = 3


@dataclass(frozen=True, slots=True)
class Principal:
    """The bearer of a verified access token."""

    user_id: UUID
    tenant_id: UUID
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    session_id: UUID | None = None

    def may(self, scope: str) -> bool:
        """`orders:write` is granted by itself, by `orders:*` and by `*`; `orders:write:own` by `orders:write:team` and `orders:write` too."""
        return not self.scopes.isdisjoint(granting(scope))

    def reach(self, scope: str) -> Reach | None:
        """How far a scope that comes by owner is granted at most, or None when it is not."""
        for reach, name in ((Reach.ALL, scope), (Reach.TEAM, f"{scope}:{TEAM}"), (Reach.OWN, f"{scope}:{OWN}")):
            if self.may(name):
                return reach
        return None


@dataclass(frozen=True, slots=True)
class Context:
    """Tenant, actor and cause of what a transaction records.

    `correlation_id` names the request or timer that began it all; `causation_id` the event that led here, None at the beginning.
    `actor` is who acts when that is no user who logged in: `timer:<name>`, `schedule:<name>`, `partner:<errand>`, or who began what led here.
    """

    tenant_id: UUID | None
    user_id: UUID | None = None
    correlation_id: UUID = field(default_factory=uuid7)
    causation_id: UUID | None = None
    traceparent: str | None = None
    actor: str | None = None

    @property
    def actor_id(self) -> str | None:
        """Who acts, as events name them: the id of a user, or what else it was with a word before it."""
        return self.actor or (None if self.user_id is None else str(self.user_id))

    @classmethod
    def because_of(cls, meta: Meta) -> Self:
        """The context of whatever a delivered event leads to: done by who began it."""
        return cls(
            tenant_id=meta.tenant_id,
            correlation_id=meta.correlation_id,
            causation_id=meta.event_id,
            traceparent=meta.traceparent,
            actor=meta.actor_id,
        )

    def for_tenant(self, tenant_id: UUID) -> Self:
        return replace(self, tenant_id=tenant_id)
