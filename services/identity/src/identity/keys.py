"""The keys that access tokens are signed with: shared by all processes, private halves encrypted at rest, replaced without a log-out.

A new key is published before it signs, so that every verifier has it by then. The key before goes on verifying until the last token that it
signed has expired. What a process signs or verifies with is read from the database each time, so that a rotation holds for all of them at once.
"""

import asyncio
import hashlib
import hmac
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from sqlalchemy import func, select

from identity.models import SigningKey
from tailrace.core.context import Context
from tailrace.core.ids import uuid7
from tailrace.db.database import Database, Tx
from tailrace.http.auth import ALGORITHMS, TYPE
from tailrace.http.jwks import REFRESH_AFTER
from tailrace.observability.logs import log

_BITS = 2048
_NONCE = 12
_REPLACED_AFTER = timedelta(days=90)
PUBLISHED_AHEAD = timedelta(seconds=2 * REFRESH_AFTER)
FOREVER = datetime.max.replace(tzinfo=UTC)
_CLOCKS_DIFFER = timedelta(minutes=5)
_REREAD_AT_MOST_EVERY = 1.0


class SigningKeys:
    """Identity's own keys; also where its own verifier finds them (`tailrace.http.jwks.Keys`). `lifetime` is a token's, in seconds."""

    def __init__(self, database: Database, secret: str, lifetime: int) -> None:
        self._database = database
        self._lifetime = timedelta(seconds=lifetime)
        self._cipher = AESGCM(hmac.new(secret.encode(), b"identity:signing-keys", hashlib.sha256).digest())
        self._private: dict[str, RSAKey | None] = {}
        self._verifying = KeySet([])
        self._read_at = float("-inf")

    async def open(self) -> None:
        """See to it that there is a key to sign with, and a next one when it is time."""
        await self._signing()
        await self._read()

    async def sign(self, claims: dict[str, Any]) -> str:
        """A JWT access token (RFC 9068)."""
        key = await self._signing()
        return jwt.encode({"alg": ALGORITHMS[0], "typ": TYPE, "kid": key.kid}, claims, key)

    async def published(self) -> dict[str, Any]:
        """The JWK set (RFC 7517) that others verify with, as it is now."""
        await self._read()
        return dict(self._verifying.as_dict(private=False))

    async def current(self, key_id: str | None) -> KeySet:
        """The keys to verify with, never more than a second old."""
        if time.monotonic() - self._read_at > _REREAD_AT_MOST_EVERY:
            await self._read()
        return self._verifying

    async def rotate(self, tx: Tx, *, ahead: timedelta = PUBLISHED_AHEAD) -> SigningKey:
        """Make the next key, which signs when `ahead` is over, and forget those that verify nothing any more."""
        await _take_turns(tx)
        now = datetime.now(UTC)
        keys = await in_use(tx)
        for key in keys:
            if self.verifies_until(key, keys) < now:
                await tx.delete(key)
        return await self._make(tx, now + ahead)

    def verifies_until(self, key: SigningKey, in_use: Sequence[SigningKey]) -> datetime:
        """When the last token that it signed has expired; never, as far as anybody knows, while no later key replaces it."""
        later = [other.signs_from for other in in_use if _order(other) > _order(key)]
        return min(later) + self._lifetime + _CLOCKS_DIFFER if later else FOREVER

    async def _signing(self) -> RSAKey:
        async with self._database.transaction(Context(tenant_id=None), read_only=True) as tx:
            keys = await in_use(tx)
        signing = self._newest_of(keys)
        if signing is not None and not _is_old(keys):
            return signing
        return await self._replace()

    async def _replace(self) -> RSAKey:
        """Make a key when there is none that this process can sign with, or the newest is old: of several processes, one does it."""
        async with self._database.transaction(Context(tenant_id=None)) as tx:
            await _take_turns(tx)
            keys = await in_use(tx)
            signing = self._newest_of(keys)
            if signing is not None and not _is_old(keys):
                return signing
            made = await self.rotate(tx, ahead=PUBLISHED_AHEAD if signing else timedelta())
            log.info("signing key made", key=made.id, signs_from=made.signs_from.isoformat())
            return signing or self._opened(made)

    def _newest_of(self, keys: Sequence[SigningKey]) -> RSAKey | None:
        now = datetime.now(UTC)
        due = sorted((key for key in keys if key.signs_from <= now), key=_order, reverse=True)
        return next((opened for key in due if (opened := self._private_half(key)) is not None), None)

    async def _read(self) -> None:
        read_at = time.monotonic()
        async with self._database.transaction(Context(tenant_id=None), read_only=True) as tx:
            keys = await in_use(tx)
        now = datetime.now(UTC)
        good = [key for key in keys if self.verifies_until(key, keys) > now]
        self._verifying = KeySet([RSAKey.import_key(key.public_key) for key in good])
        self._read_at = read_at

    def _private_half(self, row: SigningKey) -> RSAKey | None:
        """None, said once, for a key that was encrypted with a secret that is gone: it verifies, and does not sign."""
        if row.id not in self._private:
            try:
                self._private[row.id] = self._opened(row)
            except InvalidTag:
                log.warning("signing key not usable", key=row.id, reason="encrypted with another TAILRACE_SECRET")
                self._private[row.id] = None
        return self._private[row.id]

    def _opened(self, row: SigningKey) -> RSAKey:
        nonce, sealed = row.private_key[:_NONCE], row.private_key[_NONCE:]
        pem = self._cipher.decrypt(nonce, sealed, row.id.encode())
        return RSAKey.import_key(pem, _parameters(row.id))

    async def _make(self, tx: Tx, signs_from: datetime) -> SigningKey:
        id = str(uuid7())
        key = await asyncio.to_thread(RSAKey.generate_key, _BITS, _parameters(id))
        nonce = os.urandom(_NONCE)
        sealed = self._cipher.encrypt(nonce, key.as_pem(private=True), id.encode())
        public = dict(key.as_dict(private=False))
        row = SigningKey(id=id, public_key=public, private_key=nonce + sealed, signs_from=signs_from)
        tx.add(row)
        return row


async def all_keys(tx: Tx) -> list[SigningKey]:
    """The newest first."""
    query = select(SigningKey).order_by(SigningKey.signs_from.desc(), SigningKey.id.desc())
    return list(await tx.scalars(query))


async def in_use(tx: Tx) -> list[SigningKey]:
    return [key for key in await all_keys(tx) if key.revoked_at is None]


def _order(key: SigningKey) -> tuple[datetime, str]:
    return key.signs_from, key.id


def _is_old(keys: Sequence[SigningKey]) -> bool:
    return max(key.created_at for key in keys) < datetime.now(UTC) - _REPLACED_AFTER


async def _take_turns(tx: Tx) -> None:
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("identity.signing_key", 0))))


def _parameters(id: str) -> Any:
    return {"kid": id, "use": "sig", "alg": "RS256"}
