"""Requests that two parsers may read differently, as data: each kind is a combination of what may be wrong.

In what is sent, `{token}` stands for a good token and `{n}` for the number of the case, by which its origin is told apart. A request for
`smuggled` is one that hides in what is refused whole, or in the body of another, and reaches no service; one for `second` is a request of its
own for those who let the first one in.
"""

from collections.abc import Iterator
from itertools import product

_SMUGGLED = b"GET /v1/orders/smuggled-{n} HTTP/1.1\r\nHost: h\r\nX-Case: {n}\r\nAuthorization: Bearer {token}\r\n\r\n"
_SECOND = _SMUGGLED.replace(b"smuggled", b"second")
_AUTH = (b"Host: h", b"X-Case: {n}", b"Authorization: Bearer {token}")


def _request(line: bytes, *headers: bytes, body: bytes = b"", usual: tuple[bytes, ...] = _AUTH) -> bytes:
    return b"\r\n".join([line, *usual, *headers, b"", body])


def _get(*headers: bytes, target: bytes = b"/v1/orders/{n}") -> bytes:
    return _request(b"GET " + target + b" HTTP/1.1", *headers)


def _post(*headers: bytes, body: bytes = b"") -> bytes:
    return _request(b"POST /v1/orders/{n} HTTP/1.1", *headers, body=body)


def _lengths() -> Iterator[tuple[str, bytes]]:
    """Where the body ends, said in ways that contradict each other, or none."""
    lengths = [
        b"6",
        b"06",
        b"+6",
        b"-6",
        b"6 ",
        b" 6",
        b"6,6",
        b"6, 6",
        b"0x6",
        b"6.0",
        b"",
        b"\xd9\xa6",
        b"9" * 30,
        b"6\t",
        b"6;",
        b"1e1",
    ]
    codings = [
        b"",
        b"chunked",
        b"Chunked",
        b"chunked ",
        b"xchunked",
        b"chunked, identity",
        b"identity",
        b"chunked;q=1",
        b"\tchunked",
        b"chunked\x0b",
    ]
    body = b"0\r\n\r\nX"
    for length, coding in product([None, *lengths], codings):
        said = [] if length is None else [b"Content-Length:" + length]
        said += [b"Transfer-Encoding:" + coding] if coding else []
        behind = _SMUGGLED if len(said) > 1 else _SECOND
        yield f"length {length!r}, coding {coding!r}", _post(*said, body=body + behind)
    for first, second in product([b"6", b"0", b"7"], repeat=2):
        yield (
            f"lengths {first!r} and {second!r}",
            _post(
                b"Content-Length: " + first,
                b"Content-Length: " + second,
                body=b"abcdef" + (_SECOND if first == second else _SMUGGLED),
            ),
        )
        yield (
            f"lengths {first!r} and {second!r}, and nothing behind",
            _post(b"Content-Length: " + first, b"Content-Length: " + second, body=b"abcdef"),
        )
    for names in (
        (b"Content-Length", b"content-length"),
        (b"Content-Length", b"Content_Length"),
        (b"Content-Length", b"X-Content-Length"),
    ):
        yield f"length as {names}", _post(names[0] + b": 6", names[1] + b": 0", body=b"abcdef")
    yield "two codings", _post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=body)
    yield "two equal codings", _post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=body)
    yield "a read with a body", _get(b"Content-Length: 6") + b"abcdef"
    yield "a read with a body of chunks", _get(b"Transfer-Encoding: chunked") + b"3\r\nabc\r\n0\r\n\r\n"
    yield "a read with no body", _get(b"Content-Length: 0")
    for method in (b"DELETE", b"PUT", b"PATCH"):
        yield (
            f"{method!r} with a body",
            _request(method + b" /v1/orders/{n} HTTP/1.1", b"Content-Length: 3", body=b"abc"),
        )
        yield f"{method!r} without", _request(method + b" /v1/orders/{n} HTTP/1.1")


def _twice() -> Iterator[tuple[str, bytes]]:
    names = [
        b"Host", b"Authorization", b"Content-Type", b"Content-Encoding", b"Idempotency-Key", b"Range", b"If-Range", b"Last-Event-ID",
        b"Origin", b"traceparent", b"Connection", b"X-Request-Id", b"Accept-Encoding", b"If-Match", b"X-Case-2", b"Accept",
    ]  # fmt: skip
    for name, same in product(names, (True, False)):
        values = (b"a", b"a" if same else b"b")
        yield f"two {name!r}, {same}", _get(*(name + b": " + value for value in values))
    for name in (b"authorization", b"AUTHORIZATION", b"Authorization\t", b"Authorization "):
        yield f"another {name!r}", _get(name + b": Bearer other")


def _lines() -> Iterator[tuple[str, bytes]]:
    """Where lines end."""
    whole = _get(b"X-A: b")
    for name, end in {"LF": b"\n", "CR": b"\r", "LFCR": b"\n\r", "CRCRLF": b"\r\r\n", "none": b""}.items():
        yield f"{name} for every end", whole.replace(b"\r\n", end)
        yield f"{name} in the middle", whole.replace(b"\r\nX-A", end + b"X-A")
        yield f"{name} before the end", whole.replace(b"b\r\n\r\n", b"b" + end + b"\r\n")
        yield f"{name} at the end", whole.replace(b"b\r\n\r\n", b"b\r\n" + end)
        yield f"{name} after the first line", whole.replace(b"HTTP/1.1\r\n", b"HTTP/1.1" + end)
        behind = _SMUGGLED if end else _SECOND
        yield f"{name} in a value", _get(b"X-A: b" + end + b"Content-Length: 6") + behind
    for before in (b"\r\n", b"\r\n\r\n", b"\n", b" ", b"\t", b"\0", b"\r"):
        yield f"{before!r} before all", before + whole
    for fold, field in product(
        (b"\r\n ", b"\r\n\t", b"\n ", b"\r "), (b"X-A", b"Host2", b"Content-Length", b"Transfer-Encoding")
    ):
        yield f"{field!r} folded by {fold!r}", _post(field + b":" + fold + b"3", body=b"abc")
    yield "the first line folded", _get(b"X-A: b").replace(b"\r\nHost", b"\r\n Host", 1)


def _fields() -> Iterator[tuple[str, bytes]]:
    """Lines that are no fields, or hardly."""
    lines = [
        b"X-A : b", b"X-A\t: b", b" X-A: b", b"X A: b", b": b", b"X-A", b"X-A:", b"X-A:   ", b"X-A: b\0c", b"X\0A: b", b"X-A: b\x01c", b"X-A: b\x7fc",
        b"X-A: \xff\xfe", b"X-A: \xc3\xa9", b"X-\xc3\xa9: b", b"X-A: b\x0bc", b"X-A: b\x0cc", b"X-(A): b", b"X-A: b:c", b'"X-A": b', b"X_A: b",
        b"Content-Length : 6", b"Content-Length\x0b: 6", b"\0Content-Length: 6", b"Content-Length:\0 6", b"Content-Length: 6\0",
        b"Transfer-Encoding : chunked", b"Transfer-Encoding\0: chunked", b"Transfer_Encoding: chunked", b"X: y\rTransfer-Encoding: chunked",
    ]  # fmt: skip
    for line in lines:
        yield f"field {line!r}", _post(line, body=b"abcdef" + _SMUGGLED)
        yield f"field {line!r} of a read", _get(line)
    for host in (b"", b"h/x", b"h:80", b"h:x", b"h@other", b"h h", b"h?x", b"[::1]:80", b"[", b"h\xff", b"h,other"):
        yield (
            f"host {host!r}",
            _request(b"GET /v1/orders/{n} HTTP/1.1", b"X-Case: {n}", _AUTH[2], usual=(b"Host: " + host,)),
        )
    yield "no host", _request(b"GET /v1/orders/{n} HTTP/1.1", usual=_AUTH[1:])


def _first_lines() -> Iterator[tuple[str, bytes]]:
    for method in (
        b"get",
        b"GeT",
        b"TRACE",
        b"CONNECT",
        b"G ET",
        b"HEAD",
        b"OPTIONS",
        b"QUERY",
        b"PRI",
        b"BREW",
        b"",
        b"GET\0",
        b"GET\xff",
        b"POST",
    ):
        yield f"method {method!r}", _request(method + b" /v1/orders/{n} HTTP/1.1")
    versions = [
        b"HTTP/0.9", b"HTTP/1.0", b"HTTP/1.2", b"HTTP/1.10", b"HTTP/2.0", b"HTTP/3.0", b"http/1.1", b"HTTP/1.1 ", b"HTTP/11", b"HTTP/1",
        b"", b"HTTP/ 1.1", b"HTTP/1.1\t", b"HTTP/1.1 x", b"XTTP/1.1", b"HTTP/1,1", b"HTTP/+1.1",
    ]  # fmt: skip
    for version in versions:
        yield f"version {version!r}", _request(b"GET /v1/orders/{n} " + version)
    for space in (b"  ", b"\t", b" \t", b"\x0b", b"\xa0", b""):
        yield f"{space!r} between", _request(b"GET" + space + b"/v1/orders/{n}" + space + b"HTTP/1.1")
    yield "HTTP/0.9", b"GET /v1/orders/{n}\r\n"
    yield "the first line of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    yield "1.0 that stays", _request(b"GET /v1/orders/{n} HTTP/1.0", b"Connection: keep-alive")


def _targets() -> Iterator[tuple[str, bytes]]:
    under = b"/v1/orders/{n}"
    paths = [
        b"/..", b"/../../admin", b"/.", b"/./x", b"//x", b"/", b"/%2e%2e/x", b"/%2E/x", b"/.%2e/x", b"/%2fx", b"/%2Fx", b"/%5cx", b"\\x", b"/..%5cx",
        b"/%00", b"/%0d%0ax", b"/%zz", b"/%", b"/%2", b"/%ff", b"/%C3%A9", b"/%c3", b"/%252e%252e", b";x=1", b"/;x", b"/..;/x", b"#f", b"/a b", b'/"',
        b"/<>", b"/|", b"/[x]", b"/{{}}", b"/^", b"/`", b"/~!$&'()*+,=:@-._", b"/\xc3\xa9", b"/\x7f", b"/\x01", b"/%7f", b"/%20", b"/%3f", b"/%23",
    ]  # fmt: skip
    for path in paths:
        yield f"path {path!r}", _get(target=under + path.replace(b"{{}}", b"{}"))
    for query in (
        b"?",
        b"??",
        b"?a=b&c",
        b"?a=%2f..",
        b"?a=%",
        b"?a=\xff",
        b'?"',
        b"?a#b",
        b"?a=b c",
        b"?/../x",
        b"?[]=1",
        b"?\x01",
        b"?a=%00",
    ):
        yield f"query {query!r}", _get(target=under + query)
    for target in (
        b"http://h/v1/orders/{n}", b"http://H/v1/orders/{n}", b"http://other/v1/orders/{n}", b"https://h/v1/orders/{n}", b"ftp://h/v1/orders/{n}",
        b"http://h", b"http://h/v1/../orders/{n}", b"http://u@h/v1/orders/{n}", b"//h/v1/orders/{n}", b"*", b"h:80", b"v1/orders/{n}", b"",
        b"/v1//orders/{n}", b"/v1/orders%2f{n}", b"/v1/%6frders/{n}", b"/V1/orders/{n}", b"/v1/orders/catalog/{n}", b"/v1/public/{n}",
        b"/v1/orderss/{n}", b"/health/live", b"/v1/orders", b"/v1/orders/never/{n}", b"/v1/down/{n}", b"/graphql", b"/v1/screens/{n}",
    ):  # fmt: skip
        yield f"target {target!r}", _get(target=target)


def _connections() -> Iterator[tuple[str, bytes]]:
    """What belongs to one connection, or claims to be of another."""
    lists = [
        b"close", b"keep-alive", b"Keep-Alive", b"KEEP-ALIVE", b"upgrade", b"keep-alive, x-secret", b"content-length", b"authorization", b"host",
        b"x-tenant", b"transfer-encoding", b"", b",", b"close, keep-alive", b"x-other", b"keep-alive\t",
    ]  # fmt: skip
    for said in lists:
        yield f"connection {said!r}", _get(b"Connection: " + said, b"X-Secret: s")
        yield f"connection {said!r} of a write", _post(b"Connection: " + said, b"Content-Length: 3", body=b"abc")
    for line in (
        b"Expect: 100-continue", b"Expect: 100-Continue", b"Expect: other", b"Upgrade: h2c", b"Upgrade: websocket", b"TE: trailers", b"TE: chunked",
        b"Trailer: X-A", b"Proxy-Connection: keep-alive", b"Proxy-Authorization: x", b"Keep-Alive: timeout=5", b"HTTP2-Settings: x", b"X-Tenant: t",
        b"X_Tenant: t", b"x-tenant-id: t", b"X-User: u", b"X-User-Roles: admin", b"Forwarded: for=1.2.3.4", b"X-Forwarded-For: 1.2.3.4",
        b"X-Forwarded-Host: other", b"X-Forwarded-Proto: https", b"X-Real-IP: 1.2.3.4", b"X-Envoy-Expected-Rq-Timeout-Ms: 1000", b"Origin: http://a",
        b"X-Request-Id: 01900000-0000-7000-8000-000000000000", b"X-Request-Id: no", b"traceparent: no", b"tracestate: a=b", b"baggage: a=b",
        b"Accept-Encoding: gzip", b"Accept-Encoding: gzip, identity;q=0", b'If-None-Match: "7-gzip"', b'If-Match: "7-gzip"', b"Range: bytes=0-1",
        b"Tailrace-After: orders.events/x@1", b"Cookie: a=b", b"Via: 1.1 x", b"Max-Forwards: 0",
    ):  # fmt: skip
        yield f"with {line!r}", _get(line)
        yield f"a write with {line!r}", _post(line, b"Content-Length: 3", body=b"abc")
    yield (
        "a socket",
        _get(b"Connection: upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: x", b"Sec-WebSocket-Version: 13"),
    )
    yield "expecting what does not come", _post(b"Expect: 100-continue", b"Content-Length: 6")
    yield "no token", _request(b"GET /v1/orders/{n} HTTP/1.1", usual=_AUTH[:2])
    for said in (
        b"Bearer",
        b"Bearer ",
        b"Bearer  {token}",
        b"bearer {token}",
        b"Basic {token}",
        b"Bearer {token} x",
        b"Bearer {token},",
        b"{token}",
    ):
        yield (
            f"authorization {said!r}",
            _request(b"GET /v1/orders/{n} HTTP/1.1", b"Authorization: " + said, usual=_AUTH[:2]),
        )


def _pipelined() -> Iterator[tuple[str, bytes]]:
    yield "two reads", _get() + _SECOND
    yield "a write and a read", _post(b"Content-Length: 3", body=b"abc") + _SECOND
    yield "a body that is a request", _post(b"Content-Length: %d" % 1000, body=_SMUGGLED.ljust(1000))
    for length in (0, 1, 2, 4, 5, 100):
        yield f"a body of 3 said to be {length}", _post(b"Content-Length: %d" % length, body=b"abc" + _SECOND[:0])
    yield "bytes behind a body", _post(b"Content-Length: 3", body=b"abcX")
    yield "line ends behind a body", _post(b"Content-Length: 3", body=b"abc\r\n") + _SECOND
    yield "half of a second", _get() + _SECOND[:40]
    yield "nonsense for a second", _get() + b"nonsense\r\n\r\n"
    yield "three reads", _get() + _SECOND + _SECOND
    yield "one refused, then one", _get(target=b"/v1/orders/{n}/..") + _SECOND
    yield "too long a body", _post(b"Content-Length: 2000", body=b"x" * 2000)
    yield "no token, then one", _request(b"GET /v1/orders/{n} HTTP/1.1", usual=_AUTH[:2]) + _SECOND
    yield "a head, then one", _request(b"HEAD /v1/orders/{n} HTTP/1.1") + _SECOND


def _chunks() -> Iterator[tuple[str, bytes]]:
    sizes = [
        b"3",
        b"3;ext=1",
        b"3 ;ext",
        b'3; ext="a\r\n"',
        b"03",
        b"0x3",
        b"+3",
        b"-3",
        b"g",
        b"",
        b"F" * 17,
        b" 3",
        b"3 ",
        b"3\0",
        b"3_0",
    ]
    for size in sizes:
        yield f"chunk {size!r}", _post(b"Transfer-Encoding: chunked", body=size + b"\r\nabc\r\n0\r\n\r\n")
    bodies = {
        "bare line feeds": b"3\nabc\n0\n\n",
        "too long a chunk": b"3\r\nabcX\r\n0\r\n\r\n",
        "no line end behind a chunk": b"3\r\nabc0\r\n\r\n",
        "trailers": b"3\r\nabc\r\n0\r\nContent-Length: 6\r\n\r\n",
        "trailers that claim": b"3\r\nabc\r\n0\r\nTransfer-Encoding: chunked\r\nX-Tenant: t\r\n\r\n",
        "no last chunk": b"3\r\nabc\r\n",
        "two last chunks": b"0\r\n\r\n0\r\n\r\n",
        "a capital": b"A\r\n0123456789\r\n0\r\n\r\n",
        "a request in a chunk": b"%x\r\n%s\r\n0\r\n\r\n" % (len(_SMUGGLED), _SMUGGLED),
        "a request behind it": b"3\r\nabc\r\n0\r\n\r\n" + _SECOND,
        "a long extension": b"3;" + b"x" * 20_000 + b"\r\nabc\r\n0\r\n\r\n",
    }
    for name, body in bodies.items():
        yield f"chunks: {name}", _post(b"Transfer-Encoding: chunked", body=body)


def _long() -> Iterator[tuple[str, bytes]]:
    yield "a long target", _get(target=b"/v1/orders/{n}/" + b"a" * 70_000)
    yield "a long query", _get(target=b"/v1/orders/{n}?" + b"a" * 30_000)
    yield "a long field", _get(b"X-A: " + b"a" * 70_000)
    yield "a long name", _get(b"X-" + b"a" * 9_000 + b": b")
    yield "many fields", _get(*(b"X-%d: a" % number for number in range(150)))
    yield "nothing but a colon, often", _get(*[b":"] * 100)


def all_cases() -> dict[str, bytes]:
    """What is sent, by what it is."""
    kinds = (_lengths, _twice, _lines, _fields, _first_lines, _targets, _connections, _pipelined, _chunks, _long)
    return {name: sent for kind in kinds for name, sent in kind()}
