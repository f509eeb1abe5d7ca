"""Tokens that a client logs in to Kafka with: asked for by a client id and its secret (OAuth 2.0's client credentials, RFC 6749, section 4.4).

One token serves all clients of a process until a fifth of its life is left; the brokers check it whenever a connection is opened.
"""

import base64
import time
from functools import cache
from typing import Any

import httpx2
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaConnectionError

from tailrace.core.addresses.kafka import KafkaAddress
from tailrace.observability.logs import log

_WITHIN = 5.0
_USED_FOR = 0.8
"""Of its life."""


class Tokens(AbstractTokenProvider):  # type: ignore[misc]
    """Of one client id. Made by `tokens_for`."""

    def __init__(self, address: KafkaAddress) -> None:
        assert address.token_url is not None
        self._url, self._scope = address.token_url, address.scope
        login = f"{address.user}:{address.password}".encode()
        self._headers = {"Authorization": f"Basic {base64.b64encode(login).decode()}", "Accept": "application/json"}
        self._token = ""
        self._until = float("-inf")

    async def token(self) -> str:
        """One that is good for a while. Raises KafkaConnectionError, which is tried again as any connection is."""
        if time.monotonic() >= self._until:
            await self._ask()
        return self._token

    async def _ask(self) -> None:
        form = {"grant_type": "client_credentials"} | ({"scope": self._scope} if self._scope else {})
        asked = time.monotonic()
        try:
            async with httpx2.AsyncClient(
                timeout=_WITHIN, trust_env=False, follow_redirects=False, verify=self._url.startswith("https:")
            ) as client:
                answer = await client.post(self._url, data=form, headers=self._headers)
            answer.raise_for_status()
            self._token, life = _read(answer.json())
        except (httpx2.HTTPError, OSError, ValueError) as error:
            # Neither the secret nor what was answered goes into a log.
            why = f"{error.response.status_code}" if isinstance(error, httpx2.HTTPStatusError) else type(error).__name__
            log.warning("no token for Kafka", url=self._url, why=why)
            raise KafkaConnectionError(f"no token for Kafka from {self._url}: {why}") from None
        self._until = asked + life * _USED_FOR


def _read(answer: Any) -> tuple[str, float]:
    """The token, and how many seconds it is good for; without that, it is used once. Raises ValueError."""
    token = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token:
        raise ValueError("no access_token")
    return token, float(answer.get("expires_in") or 0)


@cache
def tokens_for(address: KafkaAddress) -> Tokens:
    """The same for the same address."""
    return Tokens(address)
