"""Access tokens: signed by identity, good for an hour, verified by every service on its own.

Identity itself also looks whether the session is still open and the roles are still what they were, so that a user who was logged out or lost a
right manages nobody any more.
"""

import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select

from identity.keys import SigningKeys
from identity.models import Role, User
from identity.sessions import REFRESH_LIFETIME, Grant, is_open
from identity.views import Tokens
from tailrace.core.context import Context, Principal
from tailrace.core.errors import Unauthenticated
from tailrace.core.ids import uuid7
from tailrace.db.database import Database, Tx
from tailrace.http.auth import Verifier, role_versions
from tailrace.settings import Settings


class Issuer:
    """Turns a grant into the tokens that the client gets."""

    def __init__(self, keys: SigningKeys, settings: Settings) -> None:
        self.keys = keys
        self._issuer = settings.issuer
        self._audience = settings.audience
        self._lifetime = settings.token_lifetime

    async def tokens(self, grant: Grant) -> Tokens:
        access_token = await self.keys.sign(self._claims(grant))
        return Tokens(
            access_token=access_token,
            expires_in=self._lifetime,
            refresh_token=grant.refresh_token,
            refresh_expires_in=int(REFRESH_LIFETIME.total_seconds()),
        )

    def _claims(self, grant: Grant) -> dict[str, Any]:
        user: User = grant.user
        now = int(time.time())
        return {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(user.id),
            "tenant": str(user.tenant_id),
            "roles": user.roles,
            "role_versions": {str(role.id): role.version for role in user.granted},
            "scope": " ".join(user.scopes),
            "sid": str(grant.session_id),
            "jti": str(uuid7()),
            "iat": now,
            "exp": now + self._lifetime,
        }


class SessionVerifier(Verifier):
    """Verifies with identity's own keys, and refuses the tokens of sessions that have ended and of roles that have changed."""

    def __init__(self, keys: SigningKeys, database: Database, settings: Settings) -> None:
        super().__init__(keys, issuer=settings.issuer, audiences={settings.audience, "identity"})
        self._database = database

    async def ensure(self, principal: Principal, claims: Mapping[str, Any]) -> None:
        async with self._database.transaction(Context(tenant_id=principal.tenant_id), read_only=True) as tx:
            if not await is_open(tx, principal.session_id):
                raise Unauthenticated("This session has ended; log in again.")
            if not await _roles_stand(tx, role_versions(claims)):
                raise Unauthenticated("What this token allows has changed; refresh it.")


async def _roles_stand(tx: Tx, versions: dict[UUID, int]) -> bool:
    if not versions:
        return True
    rows = await tx.execute(select(Role.id, Role.version).where(Role.id.in_(versions)))
    return {row.id: row.version for row in rows} == versions
