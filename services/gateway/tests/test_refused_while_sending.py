"""Who is refused at the edge while the body is on its way reads the refusal whole, however much of it comes afterwards."""

import asyncio
import json

import pytest
from gateway_stand import MakeStand, bearer

from tailrace_testing.late_reader import read_late

_PIECES = [b"x" * 65_536] * 32
_CHUNK = b"10000\r\n" + _PIECES[0] + b"\r\n"


def _post(path: str, *headers: str) -> bytes:
    said = ["Host: h", "Content-Type: application/json", f"Authorization: {bearer()['Authorization']}", *headers]
    return "\r\n".join([f"POST {path} HTTP/1.1", *said, "\r\n"]).encode()


@pytest.mark.parametrize(
    ("first", "status"),
    [
        (_post("/v1/orders", "Content-Length: 2097152"), 413),
        (_post("/v1/orders", "Transfer-Encoding: chunked") + _CHUNK, 413),
        (_post("/v1/slow/x", "Transfer-Encoding: chunked") + b"4\r\n", 408),
        (_post("/v1/nothing", "Content-Length: 2097152", "Connection: close"), 404),
        (_post("/v1/orders", "Content-Length: 2097152", "Content-Encoding: x", "If-Match: 1", "If-Match: 2"), 400),
        (b"POST /v1/orders HTTP/1.1\r\nHost: h\r\nContent-Length: 2097152\r\n\r\n", 401),
    ],
)
async def test_a_refusal_is_read_whole(make_stand: MakeStand, first: bytes, status: int) -> None:
    stand = await make_stand(client_grace=0.3)
    answer = await asyncio.to_thread(read_late, stand.port, first, _PIECES)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer
    assert json.loads(body)["status"] == status
    assert stand.orders.seen == []
