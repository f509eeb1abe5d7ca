"""Where verification keys come from: identity's published set, fetched often enough that a new key is known at once and a withdrawn one soon is not.

A token that names a key which is not at hand waits, at most about a second, for a fetch that begins after it came: so a new key is never
mistaken for a forged one, and a flood of invented key ids causes one fetch a second and holds up no caller whose key is known.
"""

import asyncio
import time
from typing import Protocol

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tailrace.core.errors import Unavailable
from tailrace.http import outgoing

REFRESH_AFTER = 60.0
"""Seconds after which the set is fetched again although nothing asked for it: how long a withdrawn key may still be believed."""
_AT_MOST_EVERY = 1.0
_TIMEOUT = 2.0


class Keys(Protocol):
    """Where verification keys come from."""

    async def current(self, key_id: str | None) -> KeySet:
        """The keys to verify with; `key_id` is the one that a token names, None when any will do."""
        ...


class PublishedKeys:
    """The JWKS that identity publishes (RFC 7517), fetched when first needed, when a token names an unknown key, and every minute."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: KeySet | None = None
        self._ids: frozenset[str | None] = frozenset()
        self._began = self._fetched = float("-inf")
        self._turn = asyncio.Lock()

    async def current(self, key_id: str | None) -> KeySet:
        """Raises Unavailable when identity does not answer and the key is not at hand."""
        asked = time.monotonic()
        if self._lacks(key_id):
            await self._fetch_begun_since(asked, key_id)
        elif asked - self._fetched > REFRESH_AFTER and asked - self._began > _AT_MOST_EVERY:
            await self._fetch()
        if self._keys is None or (self._lacks(key_id) and self._fetched < asked):
            raise Unavailable("The keys that tokens are checked with cannot be fetched.")
        return self._keys

    def at_hand(self, key_id: str | None) -> KeySet | None:
        """What `current` answers, where it waits for nothing."""
        is_fresh = time.monotonic() - self._fetched <= REFRESH_AFTER
        return self._keys if is_fresh and not self._lacks(key_id) else None

    def _lacks(self, key_id: str | None) -> bool:
        return self._keys is None or (key_id is not None and key_id not in self._ids)

    async def _fetch_begun_since(self, asked: float, key_id: str | None) -> None:
        """Wait for a fetch that begins after `asked`. All who wait share one; failures count, or a silent identity would be asked without end."""
        async with self._turn:
            if self._began > asked or not self._lacks(key_id):
                return
            await asyncio.sleep(max(0.0, self._began + _AT_MOST_EVERY - time.monotonic()))
            await self._fetch()

    async def _fetch(self) -> None:
        self._began = time.monotonic()
        try:
            async with asyncio.timeout(_TIMEOUT), outgoing.client(self._url, within=_TIMEOUT) as client:
                response = (await client.get(self._url)).raise_for_status()
            keys = KeySet.import_key_set(response.json())
        except (*outgoing.UNREACHED, JoseError, ValueError, KeyError, TypeError):
            # The keys at hand go on being good; with none at hand the caller says so.
            return
        self._keys, self._ids = keys, frozenset(key.kid for key in keys.keys)
        self._fetched = time.monotonic()
