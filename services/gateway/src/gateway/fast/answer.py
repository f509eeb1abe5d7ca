"""Which answers of services are plain: a status of its own, a length that is the length, and nothing else about the framing.

All others (in chunks, up to the end of the connection, interim ones, long ones) are read by aiohttp's parser, as those of the ASGI path are.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto

from gateway.fast.request import FIELDS, read_fields
from gateway.forward import AT_ONCE, HEADER_SIZE
from gateway.head import Headers

_HEAD = re.compile(rb"HTTP/1\.1 ([2-5][0-9][0-9])(?: [\t\x20-\x7e\x80-\xff]*+)?\r\n(" + FIELDS + rb"*+)\r\n")
_BARE = re.compile(rb"(?<!\r)\n")
"""What ends no line: of such a head the end may never come."""
_DIGITS = 6
_NO_CONTENT, _NOT_MODIFIED = 204, 304


class Unread(Enum):
    """Why there is no plain answer."""

    PART = auto()
    """Its head is not whole yet."""
    OTHER = auto()
    """It is none."""


@dataclass(slots=True)
class Answer:
    """The head of a plain answer: where its body begins and how long that is, and whether the connection is good for another request."""

    status: int
    headers: Headers
    begins: int
    length: int
    keeps: bool


def read_answer(data: bytes) -> Answer | Unread:
    """What has come of an answer, from its first byte on."""
    end = data.find(b"\r\n\r\n", 0, HEADER_SIZE)
    if end < 0:
        return Unread.OTHER if len(data) >= HEADER_SIZE or _BARE.search(data) else Unread.PART
    found = _HEAD.fullmatch(data, 0, end + 4)
    if found is None:
        return Unread.OTHER
    status, fields = int(found[1]), found[2]
    headers = read_fields(fields) if fields else []
    length, keeps = None, True
    for name, value in headers:
        if name in (b"transfer-encoding", b"upgrade"):
            return Unread.OTHER
        if name == b"content-length":
            if length is not None or not value.isdigit() or len(value) > _DIGITS:
                return Unread.OTHER
            length = int(value)
        elif name == b"connection":
            keeps = keeps and b"close" not in value.lower()
    if status == _NOT_MODIFIED or (status == _NO_CONTENT and not length):
        length = 0
    if length is None or length > AT_ONCE or (status == _NO_CONTENT and length):
        return Unread.OTHER
    return Answer(status, headers, end + 4, length, keeps)
