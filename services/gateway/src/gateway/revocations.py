"""What was revoked while tokens that say otherwise may still be about: known to every process of the gateway, asked at every request.

Nothing here compares clocks with `iat`: a session, a key and a role's version are named by the token and by the event alike, so a user who logs in
again in the same second has a new session, and is let in. What no living token can name any more is forgotten.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from contracts.users import RoleChanged, SigningKeyRevoked, UserDeleted, UserLoggedOut, UserUpdated
from gateway.refusals import Revoked
from gateway.tokens import Passport
from tailrace.core.events import Meta

CLOCKS_DIFFER = 300.0
"""Seconds by which a revocation is remembered longer than tokens live."""
_SWEPT_EVERY = 60.0
TYPES = frozenset(event.type for event in (UserLoggedOut, UserUpdated, UserDeleted, RoleChanged, SigningKeyRevoked))


@dataclass(frozen=True, slots=True)
class _Noted:
    """What the newest event about a thing said: `since` orders events (epoch, sequence); `until` is when it may be forgotten."""

    since: tuple[int, int]
    bars: bool
    until: float


class Revocations:
    """The sessions that ended, users who may not log in, roles that changed and keys withdrawn, of one token lifetime (in seconds).

    `complete` is False until everything of that time was read once: until then nobody can say that a token is still good.
    """

    def __init__(self, lifetime: float, *, clock: Callable[[], float] = time.time) -> None:
        self._keep = lifetime + CLOCKS_DIFFER
        self._clock = clock
        self._swept = clock()
        self._noted: dict[UUID | str, _Noted] = {}
        self.complete = False
        self.behind: str | None = "not read yet"
        """Since when and why newer revocations may be unknown; None while all of them are known."""
        self._behind_since: str | None = None

    def __len__(self) -> int:
        return len(self._noted)

    def apply(self, meta: Meta, payload: dict[str, Any]) -> None:
        """Take note of an event. One that comes twice, or late, changes nothing. Raises ValueError, KeyError or TypeError for a malformed one."""
        until = meta.time.timestamp() + self._keep
        since = (meta.epoch, meta.sequence)
        if meta.type == SigningKeyRevoked.type:
            # Its events are the tenant's, and each is about another key.
            self._note(str(UUID(payload["key_id"])), _Noted((0, 0), True, until))
        elif meta.type in {UserLoggedOut.type, UserDeleted.type, RoleChanged.type}:
            self._note(meta.aggregate_id, _Noted(since, True, until))
        elif meta.type == UserUpdated.type:
            self._note(meta.aggregate_id, _Noted(since, payload["active"] is not True, until))
        self._sweep()

    def check(self, passport: Passport) -> None:
        """Raises Revoked."""
        who = passport.principal
        if self._bars(passport.key_id):
            raise Revoked("The key that signed this token was withdrawn; refresh the token.")
        if self._bars(who.session_id):
            raise Revoked("This session has ended; log in again.")
        if self._bars(who.user_id):
            raise Revoked("This user may not log in any more.")
        if any(self._is_older(role, version) for role, version in passport.role_versions.items()):
            raise Revoked("What this token allows has changed; refresh it.")

    def is_current(self) -> None:
        """Everything there is to read was read."""
        self.complete, self.behind, self._behind_since = True, None, None

    def is_behind(self, reason: str) -> None:
        """Newer ones may be unknown from now on, until `is_current`."""
        if self.behind is None:
            self._behind_since = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="seconds")
        self.behind = f"since {self._behind_since}: {reason}" if self._behind_since else reason

    def _bars(self, id: UUID | str | None) -> bool:
        noted = self._noted.get(id) if id is not None else None
        return noted is not None and noted.bars

    def _is_older(self, role: UUID, version: int) -> bool:
        noted = self._noted.get(role)
        return noted is not None and version < noted.since[1]

    def _note(self, id: UUID | str, noted: _Noted) -> None:
        known = self._noted.get(id)
        if noted.until > self._clock() and (known is None or known.since <= noted.since):
            self._noted[id] = noted

    def _sweep(self) -> None:
        now = self._clock()
        if now - self._swept < _SWEPT_EVERY:
            return
        self._swept = now
        self._noted = {id: noted for id, noted in self._noted.items() if noted.until > now}
