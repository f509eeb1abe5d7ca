"""One call, and what became of it: no redirect followed, no proxy of the environment, a bound on its time and on the size of the answer.

Each call has a connection of its own, to the address that the guard pinned; `Host` and the name in TLS stay those of the target.
"""

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx2

from tailrace.errands import mail
from tailrace.errands.guard import Guard, Target, TargetRefused, parse
from tailrace.errands.response import Response, Unanswered
from tailrace.errands.secrets import Secret, SecretMissing, look_up
from tailrace.http import outgoing

_CHUNK = 64 * 1024
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
"""What says that the same may be answered otherwise later (RFC 9110, RFC 6585, RFC 8470)."""
_DOWN = frozenset({502, 503, 504})
_KEPT = ("content-type", "location")


@dataclass(frozen=True)
class Call:
    """What to ask, and where. `json` is sent as such; `body` as it is, with a Content-Type among the headers.

    `tail` is a secret that the address ends in, as those of webhooks do; then `url` ends in `/`. With the method `MAIL` it is a message for a mail
    server, as `tailrace.errands.mail` says.
    """

    method: str
    url: str
    headers: Mapping[str, str | Secret] = field(default_factory=dict)
    json: Any = None
    body: bytes | None = None
    tail: Secret | None = None

    @property
    def is_mail(self) -> bool:
        return self.method == mail.METHOD

    def target(self) -> Target:
        """Where it leads, as far as it says itself. Raises TargetRefused."""
        if self.tail is not None and not self.url.endswith("/"):
            raise TargetRefused("url")
        return parse(self.url, mail=self.is_mail)

    def stored(self) -> tuple[dict[str, Any], bytes | None]:
        """JSON-ready, secrets by their references; and the body."""
        headers = {name: _stored(value) for name, value in self.headers.items()}
        request = {"method": self.method, "url": self.url, "headers": headers}
        if self.tail is not None:
            request["tail"] = _stored(self.tail)
        if self.json is None:
            return request, self.body
        headers["Content-Type"] = "application/json"
        return request, json.dumps(self.json).encode()

    @classmethod
    def read(cls, stored: Mapping[str, Any], body: bytes | None) -> "Call":
        headers = {
            name: Secret(**value) if isinstance(value, dict) else value for name, value in stored["headers"].items()
        }
        tail = Secret(**stored["tail"]) if "tail" in stored else None
        return cls(stored["method"], stored["url"], headers, body=body, tail=tail)


class Caller:
    """Makes calls. `trust` replaces the machine's certificates (tests have their own)."""

    def __init__(self, guard: Guard, secrets: Path, *, trust: ssl.SSLContext | None = None) -> None:
        self._guard, self._secrets, self._trust = guard, secrets, trust

    async def call(self, call: Call, *, key: str, within: float, largest: int) -> Response:
        """The answer, whatever its status says for good. Raises Unanswered. `within` seconds in all, `largest` bytes of a body."""
        try:
            async with asyncio.timeout(within):
                return await self._call(call, key, within, largest)
        except TargetRefused as refused:
            raise Unanswered(f"refused-{refused.kind}", passing=False) from None
        except SecretMissing:
            raise Unanswered("secret-missing") from None
        except (TimeoutError, httpx2.TimeoutException):
            raise Unanswered("timed-out", down=True) from None
        except (httpx2.LocalProtocolError, httpx2.InvalidURL, ValueError):
            raise Unanswered("refused-request", passing=False) from None
        except (httpx2.ProtocolError, httpx2.DecodingError):
            raise Unanswered("broken-off", down=True) from None
        except (httpx2.HTTPError, OSError):
            raise Unanswered("unreached", down=True) from None

    async def _call(self, call: Call, key: str, within: float, largest: int) -> Response:
        call = Call.read(*call.stored())
        secrets = {n: look_up(v, self._secrets) for n, v in call.headers.items() if isinstance(v, Secret)}
        if call.is_mail:
            pinned = await self._guard.pin(call.url, mail=True)
            return await mail.hand_in(pinned, call.headers, call.body or b"", secrets, key, trust=self._trust)
        if call.tail is not None:
            call, secrets = self._with_tail(call, call.tail, secrets)
        pinned = await self._guard.pin(call.url)
        headers = {n: v.before + secrets[n] if isinstance(v, Secret) else v for n, v in call.headers.items()}
        own = {"Idempotency-Key": key, "Accept-Encoding": "", "User-Agent": "Tailrace"}
        url = httpx2.URL(call.url)
        host = url.netloc.decode("ascii")
        at = url.copy_with(host=pinned.address, port=pinned.target.port)
        extensions = {"sni_hostname": pinned.target.host}
        async with (
            outgoing.client(str(at.copy_with(raw_path=b"/")), within=within, trust=self._trust) as client,
            client.stream(
                call.method, at, headers={**headers, **own, "Host": host}, content=call.body, extensions=extensions
            ) as answer,
        ):
            return await _read(answer, largest, list(secrets.values()))

    def _with_tail(self, call: Call, tail: Secret, secrets: dict[str, str]) -> tuple[Call, dict[str, str]]:
        """The call to its whole address, and what may be told of in no answer. Raises TargetRefused."""
        end = look_up(tail, self._secrets)
        whole = replace(call, url=call.url + end, tail=None)
        if whole.target() != call.target():
            raise TargetRefused("url")
        return whole, {**secrets, "": end}


async def _read(answer: httpx2.Response, largest: int, secrets: list[str]) -> Response:
    # None was asked for (RFC 9110, 12.5.3): what is small when it comes may be endless when it is unpacked.
    if answer.headers.get("content-encoding"):
        raise Unanswered("encoded", passing=False)
    body = bytearray()
    async for chunk in answer.aiter_raw(_CHUNK):
        body += chunk
        if len(body) > largest:
            raise Unanswered("too-large", passing=False)
    kept = {name: _without(answer.headers[name], secrets) for name in _KEPT if name in answer.headers}
    text = bytes(body)
    for secret in secrets:
        text = text.replace(secret.encode(), b"***")
    response = Response(answer.status_code, kept, text)
    if answer.status_code in _LATER:
        wait = _seconds(answer.headers.get("retry-after", ""))
        down = answer.status_code in _DOWN
        raise Unanswered(f"status-{answer.status_code}", down=down, retry_after=wait, response=response)
    return response


def _without(text: str, secrets: list[str]) -> str:
    """Who echoes a secret does not make us keep it."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def _seconds(text: str) -> float | None:
    """What `Retry-After` asks for: seconds or a date (RFC 9110, 10.2.3); None when it says nothing that can be read."""
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _stored(value: str | Secret) -> Any:
    return {"reference": value.reference, "before": value.before} if isinstance(value, Secret) else value
