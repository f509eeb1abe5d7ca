"""Which requests are plain: one whole request in one piece, so written that every parser reads the same in it.

What is not is not refused here: h11 gets it as it came. So the grammar below may be as narrow as it likes, and is narrower than that of RFC 9112 and
of h11 in everything: no bare line feed, no folding, no space around names, no other version, no target but a path, a length that is the length, and
none of the headers that say something about the connection or the framing.
"""

import re
from dataclasses import dataclass
from typing import Any

from gateway.head import Headers
from gateway.headers import HOP_BY_HOP
from tailrace.http.protocol.admission import DEADLINE
from tailrace.http.protocol.uvicorn_protocol import LONGEST_HEAD

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
FIELDS = rb"(?:" + _TOKEN + rb"++:[\t\x20-\x7e\x80-\xff]*+\r\n)"
"""Of a message, each on a line of its own, as the answers of services have them, too."""
_HEAD = re.compile(rb"(GET|POST|PUT|PATCH|DELETE) (/[\x21-\x7e]*+) HTTP/1\.1\r\n(" + FIELDS + rb"++)\r\n")
_BENT = HOP_BY_HOP - {b"connection"} | {b"expect", DEADLINE.encode()}
"""`Connection` may say that it is kept."""


@dataclass(slots=True)
class Plain:
    """A request as it was read. `scope` holds what `read_head` reads; `missing` is how much of the body has not come yet."""

    method: str
    scope: dict[str, Any]
    body: bytes
    missing: int


def read_request(data: bytes, longest_body: int, bent: frozenset[bytes] = _BENT) -> Plain | None:
    """None for what is not plain, or not whole up to its body. One with a header named in `bent` is not plain."""
    end = data.find(b"\r\n\r\n", 0, LONGEST_HEAD)
    found = _HEAD.fullmatch(data, 0, end + 4) if end > 0 else None
    if found is None:
        return None
    method, target, fields = found.groups()
    headers = read_fields(fields)
    length = _length(headers, bent)
    missing = end + 4 + length - len(data) if length is not None else -1
    # More than this request is the beginning of another, for which somebody has to wait.
    if length is None or length > longest_body or missing < 0 or (length and method == b"GET"):
        return None
    path, _, query = target.partition(b"?")
    said = method.decode()
    scope = {"method": said, "raw_path": path, "query_string": query, "headers": headers}
    return Plain(said, scope, data[end + 4 :], missing)


def read_fields(fields: bytes) -> Headers:
    """The lines of a head that `FIELDS` matched, with names in lower case."""
    headers = []
    for line in fields[:-2].split(b"\r\n"):
        name, _, value = line.partition(b":")
        headers.append((name.lower(), value.strip(b" \t")))
    return headers


def _length(headers: Headers, bent: frozenset[bytes]) -> int | None:
    """Of the body; None when something about the request is not plain."""
    hosts, length = 0, None
    for name, value in headers:
        if name in bent:
            return None
        if name == b"host":
            hosts += 1
        elif name == b"content-length":
            if length is not None or not value.isdigit() or len(value) > _DIGITS:
                return None
            length = int(value)
        elif name == b"connection" and value.lower() != b"keep-alive":
            return None
    return (length or 0) if hosts == 1 else None


_DIGITS = 9


def bent_with(*names: bytes) -> frozenset[bytes]:
    """The headers with which no request is plain, and these."""
    return _BENT.union(names)
