"""Answers of a kilobyte and more go out compressed (gzip, RFC 9110, 8.4.1) to clients that say that they take that, shorter ones to those that take
nothing else.

A coding of an answer is a representation of its own, so its strong ETag is one too: `"3-gzip"` goes out where the service said `"3"`, and comes
back to the service as `"3"` (RFC 9110, 8.8.3.3). A stream of events, a part of something, what must not be transformed, and what is compressed
already stay as they are.
"""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tailrace.http.preferences import weighed

RawHeaders = list[tuple[bytes, bytes]]
AT_LEAST = 1024
"""Bytes."""
_LEVEL = 3
"""Of 65 kB of JSON it makes 18.9 kB in 0.75 ms; 5 makes 17.6 kB in 1.6 ms, and who waits for a screen waits for that."""
_GZIP = 16 + zlib.MAX_WBITS
_KINDS = (b"application/json", b"text/", b"image/svg+xml")
_SUFFIX = b"-gzip"
_CODED = re.compile(rb'-gzip"')
_REMEMBERED = 200
"""Characters of `Accept-Encoding`: what browsers and libraries say is shorter, and who says more is to fill no memory."""
_CONDITIONS = (b"if-match", b"if-none-match")
_AS_IT_IS = frozenset({204, 205, 206, 304})
"""Without content, or a part of what somebody began to take as it is."""


class Compression:
    """See the module."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        coding = Coding.of(scope["headers"], scope["method"])
        scope["headers"] = coding.known_again(scope["headers"])

        async def send_on(message: Message) -> None:
            for each in coding.take(message):
                await send(each)

        await self._app(scope, receive, send_on)
        for each in coding.break_off():
            await send(each)


@dataclass(slots=True)
class Coding:
    """How one request is answered. The head of the answer waits for the first piece of its body, which tells how long it is."""

    _gzip: bool
    _least: int
    """Bytes from which on it is compressed."""
    _seen: bytes
    _head: bool
    _start: Message | None = None
    _compressor: "zlib._Compress | None" = None

    @classmethod
    def of(cls, asked: RawHeaders, method: str) -> "Coding":
        seen = b",".join(value for name, value in asked if name in _CONDITIONS)
        said = ",".join(value.decode("latin-1") for name, value in asked if name == b"accept-encoding")
        gzip, refuses = _remembered(said) if len(said) <= _REMEMBERED else _taken(said)
        return cls(gzip, 1 if refuses else AT_LEAST, seen, method == "HEAD")

    def known_again(self, asked: RawHeaders) -> RawHeaders:
        """The headers of the request with the ETags that the service gave."""
        if _SUFFIX not in self._seen:
            return asked
        return [(name, _CODED.sub(b'"', value) if name in _CONDITIONS else value) for name, value in asked]

    def take(self, message: Message) -> list[Message]:
        """What goes out now, of what the service says next."""
        if message["type"] == "http.response.start":
            said = _said(message["headers"])
            if message["status"] == 304:
                headers = MutableHeaders(raw=list(message["headers"]))
                self._name_coding(headers)
                # The 200 that it stands for would have said so (RFC 9110, 15.4.5).
                if b"no-transform" not in said.get(b"cache-control", b"").lower():
                    _vary(headers)
                message = {**message, "headers": headers.raw}
            if _may_be_coded(message["status"], said):
                self._start = message
                return []
        elif message["type"] == "http.response.body":
            return self._body(message)
        return [message]

    def _body(self, message: Message) -> list[Message]:
        body, more = message.get("body", b""), message.get("more_body", False)
        start, self._start = self._start, None
        headers = None
        if start is not None:
            headers = MutableHeaders(raw=list(start["headers"]))
            _vary(headers)
            size = _said(start["headers"]).get(b"content-length") if self._gzip else None
            if self._gzip and (int(size) if size else AT_LEAST if more or self._head else len(body)) >= self._least:
                self._compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
                _code(headers)
        if self._compressor is not None:
            body = self._compressor.compress(body) + self._compressor.flush(
                zlib.Z_SYNC_FLUSH if more else zlib.Z_FINISH
            )
            if headers is not None and not more and not self._head:
                headers["Content-Length"] = str(len(body))
            message = {**message, "body": body}
        return [message] if headers is None else [{**(start or {}), "headers": headers.raw}, message]

    def break_off(self) -> list[Message]:
        """The answer ended before its body began: let its head go out, so that it is seen as broken off."""
        return [] if self._start is None else [self._start]

    def _name_coding(self, headers: MutableHeaders) -> None:
        """What the client has is what it named."""
        tag = headers.get("etag", "")
        if tag.endswith('"') and (coded := coded_tag(tag)).encode("latin-1") in self._seen:
            headers["ETag"] = coded


def _taken(said: str) -> tuple[bool, bool]:
    """Whether gzip is taken by what `Accept-Encoding` says, and whether nothing else is."""
    asked = Headers({"accept-encoding": said} if said else {})
    return takes_gzip(asked), refuses_identity(asked)


_remembered = lru_cache(1024)(_taken)


def takes_gzip(asked: Headers) -> bool:
    """Whether `Accept-Encoding` lists gzip, or `*`, with a weight above 0 (RFC 9110, 12.5.3)."""
    weights = weighed(asked, "accept-encoding")
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0


def refuses_identity(asked: Headers) -> bool:
    """Whether what is not compressed is not taken: then the shortest answer is, if it may be and the client takes gzip."""
    weights = weighed(asked, "accept-encoding")
    return weights.get("identity", weights.get("*", 1.0)) == 0


def _said(headers: RawHeaders) -> dict[bytes, bytes]:
    """The headers of an answer by their names; of several of one name, the first."""
    return dict(reversed(headers))


def _may_be_coded(status: int, said: Mapping[bytes, bytes]) -> bool:
    kind = said.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if status < 200 or status in _AS_IT_IS or b"content-encoding" in said or kind == b"text/event-stream":
        return False
    # RFC 9110, 7.7: the origin counts on the bytes, as a file with a hash and ranges does.
    if b"no-transform" in said.get(b"cache-control", b"").lower():
        return False
    return kind.startswith(_KINDS) or kind.endswith(b"+json")


def _vary(headers: MutableHeaders) -> None:
    said = headers.get("vary")
    if said is None:
        headers.append("Vary", "Accept-Encoding")
    elif "accept-encoding" not in said.lower():
        headers.add_vary_header("Accept-Encoding")


def _code(headers: MutableHeaders) -> None:
    """The head of the compressed answer. Its length is not known yet."""
    headers["Content-Encoding"] = "gzip"
    del headers["Content-Length"]
    if headers.get("etag", "").startswith('"'):
        headers["ETag"] = coded_tag(headers["etag"])


def coded_tag(tag: str) -> str:
    """The strong ETag of the compressed form."""
    return tag.removesuffix('"') + _SUFFIX.decode() + '"'
