"""The head of a request, read strictly: what two parsers could understand differently is refused, so that gateway and service agree."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from starlette.types import Scope

from tailrace.core.errors import BadRequest

Headers = list[tuple[bytes, bytes]]

_PATH = re.compile(rb"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)+")
_QUERY = re.compile(rb"[\x21\x22\x24-\x7e]*")
_HOST = re.compile(rb"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_AMBIGUOUS = re.compile(r"[/\\\x00-\x1f\x7f]")
_NOWHERE = frozenset({"", ".", ".."})
_ONCE = frozenset(
    (
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"host",
        b"idempotency-key",
        b"if-range",
        b"last-event-id",
        b"origin",
        b"range",
        b"traceparent",
        b"transfer-encoding",
    )
)
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Head:
    """`path` and `query` are as they were sent; `segments` is the path decoded. `length` is in bytes, None when it was not declared."""

    method: str
    path: str
    query: str
    segments: tuple[str, ...]
    headers: Headers
    host: str
    length: int | None
    has_body: bool
    authorization: str

    @property
    def writes(self) -> bool:
        return self.method not in SAFE


def read_head(scope: Scope) -> Head:
    """Raises BadRequest."""
    headers: Headers = scope["headers"]
    singles = _singles(headers)
    length = singles.get(b"content-length")
    chunked = b"transfer-encoding" in singles
    if chunked and length is not None:
        raise BadRequest("Content-Length and Transfer-Encoding contradict each other.", field="Content-Length")
    host = singles.get(b"host", b"")
    if host and not _HOST.fullmatch(host):
        raise BadRequest("The Host header is malformed.", field="Host")
    path, query = scope["raw_path"], scope["query_string"]
    if not _QUERY.fullmatch(query):
        raise BadRequest("The query has characters that must be percent-encoded.", field="?")
    return Head(
        method=scope["method"],
        path=path.decode("ascii", "replace"),
        query=query.decode("ascii"),
        segments=_segments(path),
        headers=headers,
        host=host.decode("ascii"),
        length=None if length is None else _length(length),
        has_body=chunked or length not in (None, b"0"),
        authorization=singles.get(b"authorization", b"").decode("latin-1"),
    )


def names_of(query: str) -> list[str]:
    """The parameters of a query, for those who take some or none. Raises BadRequest."""
    return [name for name, _ in pairs_of(query)]


def pairs_of(query: str) -> list[tuple[str, str]]:
    """The parameters of a query with their values, empty ones included. Raises BadRequest."""
    try:
        return parse_qsl(query, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise BadRequest("The parameters are not UTF-8 in percent-encoding.", field="?") from error


def _singles(headers: Headers) -> dict[bytes, bytes]:
    """The headers that may appear once only. Raises BadRequest when one is there twice, or one is not UTF-8."""
    found: dict[bytes, bytes] = {}
    twice = set()
    for name, value in headers:
        if name in _ONCE:
            if name in found:
                twice.add(name)
            found[name] = value
    if twice:
        name = min(twice)
        raise BadRequest(f"The header {name.decode()} may be sent once only.", field=_titled(name))
    for name, value in headers:
        if not value.isascii():
            _check_utf8(name, value)
    return found


def _titled(name: bytes) -> str:
    """A header's name as it is written in documents: `Content-Type`."""
    return name.decode("latin-1").title()


def _check_utf8(name: bytes, value: bytes) -> None:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest(f"The header {name.decode('latin-1')} is not UTF-8.", field=_titled(name)) from error


def _length(value: bytes) -> int:
    if not value.isdigit():
        raise BadRequest("Content-Length must be a number.", field="Content-Length")
    return int(value)


def _segments(path: bytes) -> tuple[str, ...]:
    """The decoded segments. Refuses what a service could resolve to another path: dot segments, empty ones, encoded slashes."""
    if not _PATH.fullmatch(path):
        raise BadRequest("The path has characters that must be percent-encoded.")
    if b"%" not in path:
        plain = tuple(path.decode("ascii")[1:].split("/"))
        if _NOWHERE.isdisjoint(plain):
            return plain
    segments = []
    for raw in path.decode("ascii")[1:].split("/"):
        try:
            segment = unquote(raw, errors="strict")
        except UnicodeDecodeError as error:
            raise BadRequest("The path is not UTF-8.") from error
        if segment in _NOWHERE or _AMBIGUOUS.search(segment):
            raise BadRequest("The path has an empty or dot segment, an encoded slash, or a control character.")
        segments.append(segment)
    return tuple(segments)
