"""Requests that two parsers could read differently are refused before anybody else reads them."""

import json

import pytest
from gateway_stand import Stand

from gateway.head import read_head
from tailrace.core.errors import BadRequest

_END = b"Connection: close\r\n\r\n"


def _request(line: bytes, *headers: bytes, body: bytes = b"", host: bytes = b"h") -> bytes:
    return b"\r\n".join([line, b"Host: " + host, *headers, _END]) + body


REFUSED = {
    "two lengths": _request(b"POST /v1/public/x HTTP/1.1", b"Content-Length: 3", b"Content-Length: 5", body=b"abcde"),
    "a list of lengths": _request(b"POST /v1/public/x HTTP/1.1", b"Content-Length: 3, 5", body=b"abcde"),
    "length and chunked": _request(
        b"POST /v1/public/x HTTP/1.1",
        b"Content-Length: 6",
        b"Transfer-Encoding: chunked",
        body=b"0\r\n\r\nGET /v1/orders HTTP/1.1\r\n\r\n",
    ),
    "an unknown coding": _request(b"POST /v1/public/x HTTP/1.1", b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
    "two codings": _request(
        b"POST /v1/public/x HTTP/1.1", b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=b"0\r\n\r\n"
    ),
    "a negative length": _request(b"POST /v1/public/x HTTP/1.1", b"Content-Length: -1"),
    "a signed length": _request(b"POST /v1/public/x HTTP/1.1", b"Content-Length: +3", body=b"abc"),
    "a space before the colon": _request(b"GET /v1/public/x HTTP/1.1", b"X-A : b"),
    "a folded header": _request(b"GET /v1/public/x HTTP/1.1", b"X-A: b\r\n\tc\x00"),
    "two hosts": _request(b"GET /v1/public/x HTTP/1.1", b"Host: other"),
    "no host": b"GET /v1/public/x HTTP/1.1\r\n" + _END,
    "a host with a path": _request(b"GET /v1/public/x HTTP/1.1", host=b"h/v1/orders?"),
    "two tokens": _request(b"GET /v1/public/x HTTP/1.1", b"Authorization: Bearer a", b"Authorization: Bearer b"),
    "two idempotency keys": _request(b"POST /v1/public/x HTTP/1.1", b"Idempotency-Key: a", b"Idempotency-Key: b"),
    "a header that is not UTF-8": _request(b"GET /v1/public/x HTTP/1.1", b"X-A: \xff\xfe"),
    "an absolute target at another host": _request(b"GET http://other/v1/public/x HTTP/1.1"),
    "an absolute target that leads astray": _request(b"GET http://h/v1/public/../orders HTTP/1.1"),
    "another scheme": _request(b"GET ftp://h/v1/public/x HTTP/1.1"),
    "a host alone": _request(b"GET h:80 HTTP/1.1"),
    "a star of what is read": _request(b"GET * HTTP/1.1"),
    "two ranges": _request(b"GET /v1/public/x HTTP/1.1", b"Range: bytes=0-1", b"Range: bytes=2-3"),
    "two places": _request(b"GET /v1/public/x HTTP/1.1", b"Last-Event-ID: 1", b"Last-Event-ID: 2"),
    "two origins": _request(b"GET /v1/public/x HTTP/1.1", b"Origin: http://a", b"Origin: http://b"),
    "dot segments": _request(b"GET /v1/public/../orders HTTP/1.1"),
    "encoded dot segments": _request(b"GET /v1/public/%2e%2e/orders HTTP/1.1"),
    "an encoded slash": _request(b"GET /v1/public%2Fx HTTP/1.1"),
    "an encoded backslash": _request(b"GET /v1/public/..%5corders HTTP/1.1"),
    "a NUL": _request(b"GET /v1/public/%00 HTTP/1.1"),
    "an empty segment": _request(b"GET /v1//public HTTP/1.1"),
    "a path that is not UTF-8": _request(b"GET /v1/public/%ff HTTP/1.1"),
    "half an escape": _request(b"GET /v1/public/%2 HTTP/1.1"),
    "a fragment": _request(b"GET /v1/public/x#y HTTP/1.1"),
    "no HTTP at all": b"\x16\x03\x01\x02\x00\r\n\r\n",
}


@pytest.mark.parametrize(
    ("headers", "query", "field"),
    [
        ([(b"host", b"h/")], b"", "Host"),
        ([(b"if-range", b"1"), (b"if-range", b"2")], b"", "If-Range"),
        ([(b"x-a", b"\xff")], b"", "X-A"),
        ([(b"content-length", b"1"), (b"transfer-encoding", b"chunked")], b"", "Content-Length"),
        ([(b"content-length", b"+1")], b"", "Content-Length"),
        ([], b"a=\xff", "?"),
    ],
)
def test_a_head_that_is_refused_names_what_is_wrong(
    headers: list[tuple[bytes, bytes]], query: bytes, field: str
) -> None:
    scope = {"method": "POST", "raw_path": b"/v1/public/x", "query_string": query, "headers": headers}
    with pytest.raises(BadRequest) as refused:
        read_head(scope)
    assert [each.field for each in refused.value.errors] == [field]


@pytest.mark.parametrize("request_bytes", REFUSED.values(), ids=REFUSED.keys())
async def test_an_ambiguous_request_is_a_400_problem(stand: Stand, request_bytes: bytes) -> None:
    answer = await stand.raw(request_bytes)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 "), answer
    assert b"application/problem+json" in head.lower()
    problem = json.loads(body)
    assert problem["type"] == "urn:tailrace:problem:bad-request"
    assert problem["request_id"].encode() in head
    assert stand.orders.seen == []


async def test_two_equal_lengths_become_one(stand: Stand) -> None:
    answer = await stand.raw(
        _request(b"POST /v1/public/x HTTP/1.1", b"Content-Length: 3", b"Content-Length: 3", body=b"abc")
    )
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert [value for name, value in stand.orders.seen[0]["headers"] if name == "content-length"] == ["3"]


@pytest.mark.parametrize("method", [b"CONNECT", b"get", b"Post", b"BREW"])
async def test_what_is_no_method_of_ours_is_a_501_problem(stand: Stand, method: bytes) -> None:
    answer = await stand.raw(_request(method + b" /v1/public/x HTTP/1.1"))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 501 ")
    assert json.loads(body)["type"] == "urn:tailrace:problem:not-implemented"
    assert stand.orders.seen == []


@pytest.mark.parametrize("version", [b"HTTP/2.0", b"HTTP/3.0", b"HTTP/0.9"])
async def test_another_version_of_http_is_a_505_problem(stand: Stand, version: bytes) -> None:
    for path in (b"/v1/public/x", b"/docs"):
        answer = await stand.raw(_request(b"GET " + path + b" " + version))
        assert answer.startswith(b"HTTP/1.1 505 "), answer
    assert stand.orders.seen == []


async def test_a_later_minor_version_is_spoken_to_in_ours(stand: Stand) -> None:
    assert (await stand.raw(_request(b"GET /v1/public/x HTTP/1.2"))).startswith(b"HTTP/1.1 200 ")


async def test_a_broken_chunk_after_the_head_changes_nothing(stand: Stand) -> None:
    answer = await stand.raw(
        _request(b"POST /v1/public/x HTTP/1.1", b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\nZZ\r\n")
    )
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert stand.orders.seen == []


async def test_a_second_request_in_the_same_packet_is_a_request_of_its_own(stand: Stand) -> None:
    first = b"POST /v1/public/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab"
    answer = await stand.raw(first + _request(b"GET /v1/public/2 HTTP/1.1"))
    assert answer.count(b"HTTP/1.1 200 ") == 2
    assert [(seen["path"], seen["body"]) for seen in stand.orders.seen] == [
        ("/v1/public/1", "ab"),
        ("/v1/public/2", ""),
    ]


async def test_an_absolute_target_at_this_host_means_its_path(stand: Stand) -> None:
    answer = await stand.raw(_request(b"GET http://H/v1/public/x?a=1 HTTP/1.1"))
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    assert [(seen["path"], seen["query"]) for seen in stand.orders.seen] == [("/v1/public/x", "a=1")]


async def test_a_star_asks_what_there_is_at_all(stand: Stand) -> None:
    answer = await stand.raw(_request(b"OPTIONS * HTTP/1.1"))
    assert answer.startswith(b"HTTP/1.1 204 ")
    assert b"\r\nallow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n" in answer
    assert stand.orders.seen == []


async def test_a_head_that_is_too_long_says_which_part(stand: Stand) -> None:
    for request, status in (
        (_request(b"GET /v1/public/x?" + b"a" * 600_000 + b" HTTP/1.1"), b"414"),
        (_request(b"GET /v1/public/x HTTP/1.1", b"X-A: " + b"a" * 600_000), b"431"),
    ):
        answer = await stand.raw(request)
        assert answer.startswith(b"HTTP/1.1 " + status), answer
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == int(status)
