"""Requests by chance: what the cases are made of, put together otherwise, with a byte more, less or another here and there."""

import random
from collections.abc import Sequence

_BITS = (
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b" ",
        b"\t",
        b":",
        b";",
        b",",
        b"/",
        b"..",
        b"%2e",
        b"%2f",
        b"%00",
        b"?",
        b"#",
        b"\xff",
        b"\x0b",
        b"\x80",
    ),
    *(
        b"Content-Length: 3\r\n",
        b"Content-Length: 0\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: identity\r\n",
    ),
    *(
        b"Connection: close\r\n",
        b"Connection: keep-alive\r\n",
        b"Expect: 100-continue\r\n",
        b"Host: other\r\n",
        b"X-Tenant: t\r\n",
    ),
    *(b"HTTP/1.0", b"HTTP/1.1", b"GET ", b"POST ", b"\r\n\r\n", b"0\r\n\r\n", b"3\r\nabc\r\n"),
)


def mutated(chance: random.Random, cases: Sequence[bytes], many: int) -> dict[int, bytes]:
    """So many requests, by a number that is no case's. A long one would only be the same for longer."""
    short = [case for case in cases if len(case) < 2000]
    return {10_000 + number: _one(chance, short) for number in range(many)}


def _one(chance: random.Random, cases: Sequence[bytes]) -> bytes:
    one = bytearray(chance.choice(cases))
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        at = chance.randrange(len(one) + 1)
        match chance.randrange(5):
            case 0:
                one[at:at] = chance.choice(_BITS)
            case 1:
                del one[at : at + chance.choice((1, 1, 2, 8))]
            case 2:
                one[at : at + 1] = bytes([chance.randrange(256)])
            case 3:
                other = chance.choice(cases)
                one[at:] = other[min(at, len(other)) :]
            case 4:
                lines = bytes(one).split(b"\r\n")
                lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
                one = bytearray(b"\r\n".join(lines))
    return bytes(one)
