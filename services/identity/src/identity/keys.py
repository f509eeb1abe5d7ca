"""The keys that access tokens are signed with: made at the first start, shared by all processes, private halves encrypted at rest.

The newest key signs; the newest two verify, so that a token outlives the change of keys.
"""

import asyncio
import hashlib
import hmac
import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from sqlalchemy import func, select

from identity.models import SigningKey
from tailrace.context import Context
from tailrace.database import Database, Tx
from tailrace.ids import uuid7
from tailrace.logs import log

_BITS = 2048
_NONCE = 12
_REPLACED_AFTER = timedelta(days=90)
_PUBLISHED = 2
_REREAD_AT_MOST_EVERY = 1.0


class SigningKeys:
    """Identity's own keys; also where its own verifier finds them (`tailrace.auth.Keys`)."""

    def __init__(self, database: Database, secret: str) -> None:
        self._database = database
        self._cipher = AESGCM(hmac.new(secret.encode(), b"identity:signing-keys", hashlib.sha256).digest())
        self._signing: RSAKey | None = None
        self._verifying = KeySet([])
        self._read_at = float("-inf")

    async def open(self) -> None:
        """Take the newest key, or make one when there is none, it is 90 days old, or the secret it was encrypted with is gone."""
        async with self._database.transaction(Context(tenant_id=None)) as tx:
            await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("identity.signing_key", 0))))
            newest = next(iter(await _newest(tx)), None)
            self._signing = (self._opened(newest) if newest else None) or await self._make(tx)
        await self._read()

    def sign(self, claims: dict[str, Any]) -> str:
        """A JWT access token (RFC 9068). Raises RuntimeError before `open`."""
        if self._signing is None:
            raise RuntimeError("the signing keys are not open")
        return jwt.encode({"alg": "RS256", "typ": "at+jwt", "kid": self._signing.kid}, claims, self._signing)

    async def published(self) -> dict[str, Any]:
        """The JWK set (RFC 7517) that others verify with, as it is now."""
        await self._read()
        return dict(self._verifying.as_dict(private=False))

    async def current(self, key_id: str | None) -> KeySet:
        """The keys to verify with; read again when another process may have made a new one."""
        unknown = key_id not in {key.kid for key in self._verifying.keys}
        if unknown and time.monotonic() - self._read_at > _REREAD_AT_MOST_EVERY:
            await self._read()
        return self._verifying

    async def _read(self) -> None:
        async with self._database.transaction(Context(tenant_id=None), read_only=True) as tx:
            rows = await _newest(tx)
        self._verifying = KeySet([RSAKey.import_key(row.public_key) for row in rows])
        self._read_at = time.monotonic()

    def _opened(self, row: SigningKey) -> RSAKey | None:
        if datetime.now(UTC) - row.created_at > _REPLACED_AFTER:
            return None
        nonce, sealed = row.private_key[:_NONCE], row.private_key[_NONCE:]
        try:
            pem = self._cipher.decrypt(nonce, sealed, row.id.encode())
        except InvalidTag:
            log.warning("signing key replaced", key=row.id, reason="it was encrypted with another TAILRACE_SECRET")
            return None
        return RSAKey.import_key(pem, _parameters(row.id))

    async def _make(self, tx: Tx) -> RSAKey:
        id = str(uuid7())
        key = await asyncio.to_thread(RSAKey.generate_key, _BITS, _parameters(id))
        nonce = os.urandom(_NONCE)
        sealed = self._cipher.encrypt(nonce, key.as_pem(private=True), id.encode())
        tx.add(SigningKey(id=id, public_key=dict(key.as_dict(private=False)), private_key=nonce + sealed))
        return key


async def _newest(tx: Tx) -> list[SigningKey]:
    query = select(SigningKey).order_by(SigningKey.created_at.desc(), SigningKey.id.desc()).limit(_PUBLISHED)
    return list(await tx.scalars(query))


def _parameters(id: str) -> Any:
    return {"kid": id, "use": "sig", "alg": "RS256"}
