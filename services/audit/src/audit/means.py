"""What audit has besides its database: the keys that heads are signed with, and the store that heads are shipped to.

Private halves are encrypted with the service's secret. A key that cannot be opened any more (another secret), and one that is a year old, is followed
by a new one; all public halves stay, since a head is good for as long as somebody keeps it.
"""

import hashlib
import hmac
import os
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from fastapi import FastAPI
from sqlalchemy import func, select

from audit.models import SigningKey
from tailrace.core.ids import uuid7
from tailrace.db.database import Tx
from tailrace.db.per_database import PerDatabase
from tailrace.settings import Settings
from tailrace.storage.store import Store, store_of

_NONCE = 12
_REPLACED_AFTER = timedelta(days=365)


class Means:
    """One process's way to the keys and the store."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.store = store
        self._cipher = AESGCM(hmac.new(settings.secret.encode(), b"audit:signing-keys", hashlib.sha256).digest())

    async def sign(self, tx: Tx, statement: bytes, key: SigningKey) -> str:
        """The signature of a statement, in hexadecimal."""
        return self._opened(key).sign(statement).hex()

    async def key(self, tx: Tx) -> SigningKey:
        """The key to sign with; made when there is none, or none of this year that can be opened. Of several processes, one makes it."""
        await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("audit.signing_key", 0))))
        since = datetime.now(UTC) - _REPLACED_AFTER
        for row in await keys(tx):
            if row.created_at > since and self._can_open(row):
                return row
        return await self._make(tx)

    async def public_key(self, tx: Tx, id: str) -> dict[str, str]:
        """The public half of one key in hexadecimal, by its id."""
        return {id: (await tx.scalars(select(SigningKey.public_key).where(SigningKey.id == id))).one()}

    def _can_open(self, row: SigningKey) -> bool:
        try:
            self._opened(row)
        except InvalidTag:
            return False
        return True

    def _opened(self, row: SigningKey) -> Ed25519PrivateKey:
        nonce, sealed = row.private_key[:_NONCE], row.private_key[_NONCE:]
        return Ed25519PrivateKey.from_private_bytes(self._cipher.decrypt(nonce, sealed, row.id.encode()))

    async def _make(self, tx: Tx) -> SigningKey:
        id, key, nonce = str(uuid7()), Ed25519PrivateKey.generate(), os.urandom(_NONCE)
        private = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        row = SigningKey(
            id=id, public_key=public.hex(), private_key=nonce + self._cipher.encrypt(nonce, private, id.encode())
        )
        tx.add(row)
        # Asked for once more in this transaction, it is found.
        await tx.flush()
        return row


_kept: PerDatabase[Means] = PerDatabase()


async def prepare(app: FastAPI, settings: Settings) -> None:
    """Before anything is served or fired."""
    _kept.keep(app.state.database, Means(settings, store_of(settings, "audit")))


def means_of(tx: Tx) -> Means:
    """Those of the process that this transaction runs in."""
    return _kept.of(tx)


async def keys(tx: Tx) -> list[SigningKey]:
    """The newest first."""
    query = select(SigningKey).order_by(SigningKey.created_at.desc(), SigningKey.id.desc())
    return list(await tx.scalars(query))


async def public_keys(tx: Tx) -> dict[str, str]:
    """Public halves in hexadecimal, by id."""
    return {key.id: key.public_key for key in await keys(tx)}
