"""Objects that nobody takes away or changes before their time: put into a bucket with object lock, in compliance mode, and looked at again.

`obstore` sends no headers of one's own, and a lock is a header that has to be signed; so these few requests are signed here, by AWS Signature
Version 4. A legal hold keeps an object too, from when it is put on until it is taken off. A bucket without object lock keeps the object all the
same, and the answer says that it is not locked.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2

from tailrace.core.errors import Unavailable
from tailrace.observability.logs import log

_ALGORITHM = "AWS4-HMAC-SHA256"
_TIMEOUT = 30.0
_MODE, _UNTIL = "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date"
_HELD = "x-amz-object-lock-legal-hold"
_XML = "http://s3.amazonaws.com/doc/2006-03-01/"


class StoreAway(Unavailable):
    """503: the store of files does not answer at the moment."""

    slug = "storage-unavailable"


@dataclass(frozen=True, slots=True)
class Sealed:
    """Which version of an object was put, where the store counts them, and whether the store says that it keeps it until then."""

    version: str | None
    locked: bool


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where locked objects go. `address` is that of the server, `prefix` what stands before each key."""

    address: str
    name: str
    prefix: str
    region: str
    key: str
    secret: str

    async def seal(self, key: str, data: bytes, until: datetime) -> Sealed | None:
        """Put an object that stays until then. None where the bucket has no object lock: nothing was put. Raises StoreAway."""
        wanted = until.astimezone(UTC).replace(microsecond=0)
        lock = {_MODE: "COMPLIANCE", _UNTIL: wanted.strftime("%Y-%m-%dT%H:%M:%SZ")}
        answer = await self._send("PUT", key, data, lock | _checksum(data))
        if answer.status_code in {400, 501} and _without_lock(answer):
            return None
        _expect(answer, 200)
        version = answer.headers.get("x-amz-version-id")
        seen = await self._send("HEAD", key, version=version)
        _expect(seen, 200)
        kept = seen.headers.get(_MODE) == "COMPLIANCE" and _moment(seen.headers.get(_UNTIL)) >= wanted
        return Sealed(version, kept)

    async def hold(self, key: str, version: str, *, on: bool) -> bool:
        """Put a legal hold on a version, or take it off. False where the store refuses, or does not show it afterwards. Raises StoreAway."""
        body = f'<LegalHold xmlns="{_XML}"><Status>{"ON" if on else "OFF"}</Status></LegalHold>'.encode()
        answer = await self._send("PUT", key, body, _checksum(body), version, "legal-hold")
        if answer.status_code in {400, 403, 404, 501}:
            return False
        _expect(answer, 200)
        seen = await self._send("HEAD", key, version=version)
        _expect(seen, 200)
        return (seen.headers.get(_HELD) == "ON") == on

    async def remove(self, key: str, version: str | None) -> bool:
        """Take an object away for good, once its time is over. False where the store still keeps it. Raises StoreAway."""
        answer = await self._send("DELETE", key, version=version)
        if answer.status_code == 403:
            return False
        if answer.status_code != 404:
            _expect(answer, 200, 204)
        return True

    async def _send(
        self,
        method: str,
        key: str,
        data: bytes = b"",
        more: Mapping[str, str] | None = None,
        version: str | None = None,
        part: str | None = None,
    ) -> httpx2.Response:
        path = quote("/" + "/".join(filter(None, [self.name, self.prefix, key])), safe="/-_.~")
        asked = [] if part is None else [f"{part}="]  # in the order of names, as the signature wants it
        query = "&".join(asked if version is None else [*asked, f"versionId={quote(version, safe='-_.~')}"])
        headers = self._signed(method, path, query, dict(more or {}), data, datetime.now(UTC))
        url = f"{self.address.rstrip('/')}{path}" + (f"?{query}" if query else "")
        try:
            async with httpx2.AsyncClient(timeout=_TIMEOUT) as client:
                return await client.request(method, url, headers=headers, content=data or None)
        except (httpx2.HTTPError, OSError) as error:
            raise _away(method, type(error).__name__) from error

    def _signed(
        self, method: str, path: str, query: str, headers: dict[str, str], data: bytes, now: datetime
    ) -> dict[str, str]:
        """The headers with a signature over all of them (AWS Signature Version 4)."""
        stamp, body = now.strftime("%Y%m%dT%H%M%SZ"), hashlib.sha256(data).hexdigest()
        said = {**headers, "host": urlsplit(self.address).netloc, "x-amz-date": stamp, "x-amz-content-sha256": body}
        names = ";".join(sorted(said))
        lines = "".join(f"{name}:{said[name]}\n" for name in sorted(said))
        request = "\n".join([method, path, query, lines, names, body])
        scope = f"{stamp[:8]}/{self.region}/s3/aws4_request"
        text = "\n".join([_ALGORITHM, stamp, scope, hashlib.sha256(request.encode()).hexdigest()])
        key = f"AWS4{self.secret}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        given = f"{_ALGORITHM} Credential={self.key}/{scope}, SignedHeaders={names}, Signature={signature}"
        return {**said, "authorization": given}


def _checksum(data: bytes) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    return {"x-amz-checksum-sha256": digest, "x-amz-sdk-checksum-algorithm": "SHA256"}


def _without_lock(answer: httpx2.Response) -> bool:
    return answer.status_code == 501 or re.search(rb"missing Object ?Lock ?Configuration", answer.content) is not None


def _moment(text: str | None) -> datetime:
    return datetime.min.replace(tzinfo=UTC) if text is None else datetime.fromisoformat(text)


def _expect(answer: httpx2.Response, *statuses: int) -> None:
    if answer.status_code not in statuses:
        said: Any = answer.text[:200]
        raise _away(answer.request.method, f"{answer.status_code} {said}")


def _away(what: str, why: str) -> StoreAway:
    # Its text may name addresses, which are the operator's alone.
    log.warning("object store failed", operation=what, reason=why)
    return StoreAway("The store of files does not answer; try again shortly.")
