"""Who is refused at the edge while the body is on its way reads the refusal whole, however much of it comes afterwards."""

import asyncio
import json

import pytest
from gateway_stand import MakeStand, Stand, bearer

from tailrace_testing.late_reader import read_late

_PIECES = [b"x" * 65_536] * 32
_CHUNK = b"10000\r\n" + _PIECES[0] + b"\r\n"


def _post(path: str, *headers: str) -> bytes:
    # A token lasts a minute, and a test of a long run begins long after it was collected.
    said = ["Host: h", "Content-Type: application/json", f"Authorization: {bearer()['Authorization']}", *headers]
    return "\r\n".join([f"POST {path} HTTP/1.1", *said, "\r\n"]).encode()


@pytest.mark.parametrize(
    ("path", "headers", "begun", "status"),
    [
        ("/v1/orders", ["Content-Length: 2097152"], b"", 413),
        ("/v1/orders", ["Transfer-Encoding: chunked"], _CHUNK, 413),
        ("/v1/slow/x", ["Transfer-Encoding: chunked"], b"4\r\n", 408),
        ("/v1/nothing", ["Content-Length: 2097152", "Connection: close"], b"", 404),
        ("/v1/orders", ["Content-Length: 2097152", "Content-Encoding: x", "If-Range: 1", "If-Range: 2"], b"", 400),
    ],
)
async def test_a_refusal_is_read_whole(
    make_stand: MakeStand, path: str, headers: list[str], begun: bytes, status: int
) -> None:
    stand = await make_stand(client_grace=0.3)
    await _read_whole(stand, _post(path, *headers) + begun, status)


async def test_one_without_a_token_is_read_whole(make_stand: MakeStand) -> None:
    first = b"POST /v1/orders HTTP/1.1\r\nHost: h\r\nContent-Length: 2097152\r\n\r\n"
    await _read_whole(await make_stand(client_grace=0.3), first, 401)


async def _read_whole(stand: Stand, first: bytes, status: int) -> None:
    answer = await asyncio.to_thread(read_late, stand.port, first, _PIECES)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer
    assert json.loads(body)["status"] == status
    assert stand.orders.seen == []
