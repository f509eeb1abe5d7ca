"""What goes out compressed, to whom, and under which ETag."""

import gzip
import json
from typing import Any

import pytest
from gateway_stand import MakeStand, Stand, bearer
from starlette.datastructures import Headers

from gateway.compression import takes_gzip

_GZIP = {"Accept-Encoding": "gzip"}
_LONG = {"X-Padding": "x" * 2000}


async def _got(stand: Stand, path: str, method: str = "GET", **headers: str) -> tuple[Any, bytes]:
    async with stand.client.request(method, path, headers={**bearer(), **headers}) as answer:
        return answer, await answer.read()


async def test_a_long_answer_is_compressed_for_those_who_take_it(stand: Stand) -> None:
    answer, body = await _got(stand, "/v1/orders", **_GZIP, **_LONG)
    assert (answer.headers["Content-Encoding"], answer.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert len(body) == int(answer.headers["Content-Length"]) < 1500
    assert json.loads(gzip.decompress(body))["path"] == "/v1/orders"
    for refusing in ({}, {"Accept-Encoding": "br"}, {"Accept-Encoding": "gzip;q=0, *"}):
        answer, body = await _got(stand, "/v1/orders", **refusing, **_LONG)
        assert "Content-Encoding" not in answer.headers
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert json.loads(body)["path"] == "/v1/orders"


async def test_a_short_answer_and_a_stream_are_not(stand: Stand) -> None:
    answer, body = await _got(stand, "/v1/public/problem", **_GZIP)
    assert ("Content-Encoding" in answer.headers, json.loads(body)["status"]) == (False, 409)
    async with stand.client.get("/v1/public/events", headers=_GZIP) as answer:
        assert "Content-Encoding" not in answer.headers
        assert await answer.content.readany() == b"data: first\n\n"
        stand.orders.release.set()


async def test_what_somebody_counts_on_byte_for_byte_is_not(stand: Stand) -> None:
    """Neither a file, whose ETag is its hash, nor a part of one, which `Content-Range` counts in its own bytes."""
    for asked, status in ({}, 200), ({"Range": "bytes=0-4999"}, 206):
        answer, body = await _got(stand, "/v1/public/file", **_GZIP, **asked)
        assert (answer.status, answer.headers["ETag"], body) == (status, '"7"', b"0123456789" * 500)
        assert "Content-Encoding" not in answer.headers


async def test_an_answer_of_unknown_length_is_compressed_as_it_is_made(stand: Stand) -> None:
    async with stand.client.get("/v1/public/text", headers=_GZIP) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        first = await answer.content.readany()
        stand.orders.release.set()
        assert gzip.decompress(first + await answer.content.read()) == b"firstsecond"


async def test_each_coding_has_an_etag_of_its_own_that_the_service_knows_again(stand: Stand) -> None:
    answer, _ = await _got(stand, "/v1/orders", **_GZIP, **_LONG)
    assert answer.headers["ETag"] == '"7-gzip"'
    answer, _ = await _got(stand, "/v1/orders", **_LONG)
    assert answer.headers["ETag"] == '"7"'
    for name in ("If-Match", "If-None-Match"):
        await _got(stand, "/v1/orders", "PUT", **{name: 'W/"1-gzip", "7-gzip"'})
        assert dict(stand.orders.seen[-1]["headers"])[name.lower()] == 'W/"1", "7"'
    # Several lines are one list (RFC 9110, 5.3).
    head = "GET /v1/orders HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
    said = f"Authorization: {bearer()['Authorization']}\r\n"
    answer = await stand.raw(f'{head}{said}If-None-Match: "1-gzip"\r\nIf-None-Match: "2"\r\n\r\n'.encode())
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    lines = [value for name, value in stand.orders.seen[-1]["headers"] if name == "if-none-match"]
    assert ", ".join(lines) == '"1", "2"'


async def test_what_has_not_changed_goes_by_the_tag_that_the_client_named(stand: Stand) -> None:
    for tag in ('"7"', '"7-gzip"'):
        answer, body = await _got(stand, "/v1/public/same", **{"If-None-Match": tag}, **_GZIP)
        assert (answer.status, answer.headers["ETag"], body) == (304, tag, b"")
        # As the 200 would: a cache keeps what it has under what it varies by (RFC 9110, 15.4.5).
        assert answer.headers["Vary"] == "Accept-Encoding"


async def test_a_head_says_what_a_get_would(stand: Stand) -> None:
    answer, body = await _got(stand, "/v1/public/text", "HEAD", **_GZIP)
    assert (answer.status, answer.headers["Content-Encoding"], body) == (200, "gzip", b"")
    assert "Content-Length" not in answer.headers


async def test_pages_are_compressed_once_and_not_sent_twice(make_stand: MakeStand) -> None:
    stand = await make_stand()
    for page in ("/", "/docs", "/docs/redoc-3.0.1.js", "/openapi.json"):
        plain, body = await _got(stand, page)
        coded, zipped = await _got(stand, page, **_GZIP)
        assert gzip.decompress(zipped) == body
        assert coded.headers["ETag"] == plain.headers["ETag"].removesuffix('"') + '-gzip"'
        assert coded.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
        for tag in (
            plain.headers["ETag"],
            coded.headers["ETag"],
            f"W/{plain.headers['ETag']}",
            f'"x", {coded.headers["ETag"]}',
            "*",
        ):
            for method in ("GET", "HEAD"):
                again, nothing = await _got(stand, page, method, **{"If-None-Match": tag})
                assert (again.status, nothing) == (304, b""), (page, tag)
                assert again.headers["Cache-Control"] == plain.headers["Cache-Control"]
        other, _ = await _got(stand, page, **{"If-None-Match": '"x"'})
        assert other.status == 200


@pytest.mark.parametrize(
    ("said", "takes"),
    [
        ("gzip", True),
        ("br, GZip ; q=0.5", True),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0", False),
        ("gzip;q=0.0, *;q=1", False),
        ("identity, deflate", False),
        ("gzip;q=much", False),
        ("x-gzipped", False),
        ("", False),
    ],
)
def test_who_takes_gzip(said: str, takes: bool) -> None:
    assert takes_gzip(Headers({"accept-encoding": said})) is takes


async def test_who_takes_nothing_but_gzip_gets_the_shortest_answer_so(stand: Stand) -> None:
    for said in ("gzip, identity;q=0", "gzip;q=0.5, *;q=0"):
        answer, body = await _got(stand, "/v1/public/problem", **{"Accept-Encoding": said})
        assert answer.headers["Content-Encoding"] == "gzip"
        assert json.loads(gzip.decompress(body))["type"] == "urn:mine"
