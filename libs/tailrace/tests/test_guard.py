"""Where a call may not go: hundreds of ways to write an address of this machine or of a network around it, none of which opens a socket."""

import asyncio
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest
from partner import PartnerListener

from tailrace.errands.calls import Call, Caller
from tailrace.errands.guard import Guard, TargetRefused, is_public, parse
from tailrace.errands.response import Unanswered
from tailrace_testing.gateway import eventually

_WITHIN = (
    "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.0.1.1 127.255.255.254"
    " 168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.1"
    " 192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250"
    " 240.0.0.1 255.255.255.255"
).split()
_WITHIN_6 = (
    ":: ::1 ::2 64:ff9b:1::1 100::1 2001::1 2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2620:4f:8000::1 3fff::1 5f00::1"
    " fc00::1 fd00:ec2::254 fdff::1 fe80::1 fe80::a9fe:a9fe fec0::1 ff02::1 ff05::2 4000::1 8000::1 e000::1"
).split()
_LOCALLY = (
    "localhost LOCALHOST localhost.localdomain ip6-localhost foo.localhost printer router.lan nas.home metadata.google.internal"
    " db.corp ldap.intranet box.local secret.private 1.0.0.127.in-addr.arpa kubernetes.default.svc.cluster.local"
).split()


def _wrapped(text: str) -> Iterator[str]:
    """An IPv4 address in the IPv6 addresses that carry one: mapped, compatible, translated (two prefixes), 6to4, Teredo, ISATAP."""
    number = int(IPv4Address(text))
    high, low = number >> 16, number & 0xFFFF
    yield f"::ffff:{text}"
    yield f"::ffff:{high:x}:{low:x}"
    yield f"::ffff:0:{text}"
    yield str(IPv6Address(number)) if number > 1 else "::7f00:1"
    yield f"64:ff9b::{text}"
    yield f"64:ff9b:1::{text}"
    yield f"2002:{high:x}:{low:x}::1"
    flipped = number ^ 0xFFFFFFFF
    yield f"2001:0:102:304:0:ffff:{flipped >> 16:x}:{flipped & 0xFFFF:x}"
    yield f"fe80::5efe:{text}"


def _spelled(text: str) -> Iterator[str]:
    """An IPv4 address in forms that other programs take for it."""
    a, b, c, d = (int(part) for part in text.split("."))
    number = int(IPv4Address(text))
    yield from (str(number), hex(number), hex(number).upper(), f"0{number:o}", f"{number + 2**32}")
    yield from (f"{a}.{b}.{c * 256 + d}", f"{a}.{b * 65536 + c * 256 + d}")
    yield from (f"0{a:o}.0{b:o}.0{c:o}.0{d:o}", f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}", f"0x{a:x}.{b}.0{c:o}.{d}")
    yield from (f"{a:03}.{b:03}.{c:03}.{d:03}", f"{a}.{b}.{c}.0{d:o}", f"{a}.{b}.{c}.0x{d:x}", f"{a}.{b}.{c}.{d}.")
    yield from (
        f"{a + 256}.{b}.{c}.{d}",
        f"{a}..{b}.{c}.{d}",
        f".{text}",
        f"{text}.0x",
        f"example.com.{d}",
        f"{text}%00",
    )
    yield from (text.replace(".", "%2e"), text.replace(".", "。"), text.replace(".", "．"), text.replace(".", "｡"))
    yield "".join(chr(ord(each) + 0xFEE0) if each.isdigit() else each for each in text)
    yield "".join(chr(0x2460 + int(each) - 1) if each in "123456789" else each for each in text)


def _tricks(port: int) -> Iterator[str]:
    """Ways to write one host and mean another, and what is no address of the web."""
    inside = f"127.0.0.1:{port}"
    yield from (
        f"http://public.example@{inside}/",
        f"http://public.example:80@{inside}/",
        f"http://user:pass@{inside}/",
    )
    yield from (f"http://{inside}@public.example/", f"http://public.example%40{inside}/", f"http://@{inside}/")
    yield from (f"http://public.example\\@{inside}/", f"http://{inside}\\@public.example/", f"http:\\\\{inside}/")
    yield from (f"http:/\\{inside}/", f"http://{inside}#@public.example/ ", f"http://public.example#@{inside} /")
    yield from (
        f"http://public.example\t@{inside}/",
        f"http://127.0.0.1\n:{port}/",
        f"\x00http://{inside}/",
        f" http://{inside}/",
    )
    yield from (
        f"http://{inside}\r\nHost: public.example/",
        f"http:/{inside}/",
        f"http:{inside}/",
        f"http:///{inside}/",
    )
    yield from (
        f"//{inside}/",
        inside,
        "",
        "http://",
        "http:///",
        "http://:80/",
        f"http://[::1]{inside}/",
        "http://[::1/",
        "http://::1/",
    )
    yield from (
        f"http://[::1%25lo]:{port}/",
        f"http://[fe80::1%lo]:{port}/",
        f"http://[127.0.0.1]:{port}/",
        "http://[v1.x]/",
    )
    yield from (
        f"http://127.0.0.1:0{port}/",
        f"http://127.0.0.1:+{port}/",
        f"http://127.0.0.1:{port + 65536}/",
        "http://127.0.0.1:/",
    )
    yield from (f"http://127.0.0.1:{port}:80/", "http://127.0.0.1:0/", "http://127.0.0.1:-1/", "http://127.0.0.1:８０/")
    schemes = "file ftp gopher dict ldap tftp sftp ws wss data javascript jar netdoc unix http+unix telnet"
    yield from (f"{scheme}://{inside}/" for scheme in schemes.split())
    yield from (
        "file:///etc/passwd",
        "data:text/plain,x",
        "javascript:alert(1)",
        f"httpx://{inside}/",
        f"HTTP+X://{inside}/",
    )
    # A port that is none of the web's, of a host that may be anywhere.
    yield from (
        f"http://public.example:{number}/" for number in (21, 22, 23, 25, 110, 2375, 3306, 5432, 6379, 9200, 11211)
    )
    yield from (f"http://{'a' * 64}.example/", f"http://{'a.' * 127}example/", f"http://public.example/{'x' * 3000}")
    yield from (
        "http://xn--.example ",
        "http://bücher.example/",
        "http://пример.рф/",
        "http://-a.example/",
        "http://a-.example/",
    )
    yield from (
        "http://a_b..example/",
        "http://exa mple.com/",
        'http://exa"mple.com/',
        "http://exa<mple>.com/",
        "http://a|b.example/",
    )


def payloads(port: int) -> list[str]:
    hosts = [*_WITHIN, *(spelled for text in ("127.0.0.1", "169.254.169.254") for spelled in _spelled(text))]
    hosts += [f"[{text}]" for text in (*_WITHIN_6, *(each for text in _WITHIN for each in _wrapped(text)))]
    hosts += _LOCALLY
    return [f"{scheme}://{host}:{port}/" for host in hosts for scheme in ("http",)] + list(_tricks(port))


_watched: list[list[str]] = []


@contextmanager
def _watching() -> Iterator[list[str]]:
    """What Python looks up and connects to meanwhile."""
    seen: list[str] = []
    _watched.append(seen)
    try:
        yield seen
    finally:
        _watched.remove(seen)


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if event in {"socket.connect", "socket.getaddrinfo"}:
        for seen in _watched:
            seen.append(f"{event} {arguments[-1] if event == 'socket.connect' else arguments[0]}")


sys.addaudithook(_note)


async def test_hundreds_of_payloads_open_no_socket(tmp_path: Path) -> None:
    async with PartnerListener(host="0.0.0.0") as listener:
        given = payloads(listener.port)
        assert len(set(given)) > 400
        # The listener's port is one that may be called, so that it is never the port which saves us.
        caller = Caller(Guard(ports={80, 443, listener.port}), tmp_path)
        passed = []
        with _watching() as seen:
            for url in given:
                try:
                    await caller.call(Call("POST", url, json={}), key="k", within=5, largest=1000)
                    passed.append(url)
                except Unanswered as why:
                    if not why.kind.startswith("refused-") or why.passing:
                        passed.append(f"{url} was {why.kind}")
        assert passed == []
        assert (seen, listener.connections) == ([], 0)


async def _value(count: int) -> int:
    return count


async def test_without_the_guard_they_would_have_come_through() -> None:
    """What the test above looks for can happen, and would be seen."""
    async with PartnerListener(host="0.0.0.0") as listener:
        hosts = "127.0.0.1 127.1 2130706433 0x7f000001 0177.0.0.1 localhost 0.0.0.0 ::ffff:127.0.0.1".split()
        with _watching() as seen:
            for host in hosts:
                _, writer = await asyncio.open_connection(host, listener.port)
                writer.close()
        await eventually(lambda: _value(listener.connections), lambda count: count == len(hosts), what="all of them")
        assert len([each for each in seen if each.startswith("socket.connect")]) >= len(hosts)


@pytest.mark.parametrize(
    "address", [*_WITHIN, *_WITHIN_6, *(wrapped for text in _WITHIN[::5] for wrapped in _wrapped(text))]
)
async def test_a_public_name_with_an_address_within_is_refused(address: str) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["93.184.215.14", address]

    with pytest.raises(TargetRefused, match="address"):
        await Guard(resolve=resolve).pin("https://public.example/")


async def test_a_name_is_looked_up_once_and_its_address_kept(tmp_path: Path) -> None:
    asked = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["192.0.2.1"]

    async with PartnerListener() as listener:
        guard = Guard([f"partner.example:{listener.port}"], resolve=rebinding)
        with _watching() as seen:
            call = Call("GET", f"http://partner.example:{listener.port}/x?y=1")
            await Caller(guard, tmp_path).call(call, key="k", within=30, largest=1000)
        assert asked == ["partner.example"]
        assert [each for each in seen if "partner.example" in each] == []
        assert listener.asked[0].line == "GET /x?y=1 HTTP/1.1"
        assert listener.asked[0].headers["host"] == f"partner.example:{listener.port}"


async def test_one_that_turns_inwards_between_two_calls_is_refused_the_second_time() -> None:
    answers = iter([["93.184.215.14"], ["127.0.0.1"]])

    async def rebinding(host: str, port: int) -> Sequence[str]:
        return next(answers)

    guard = Guard(resolve=rebinding)
    assert (await guard.pin("https://public.example/")).address == "93.184.215.14"
    with pytest.raises(TargetRefused, match="address"):
        await guard.pin("https://public.example/")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.public.example/v1?x=%2F#part", "api.public.example:443"),
        ("HTTP://Public.Example", "public.example:80"),
        ("https://93.184.215.14:443/", "93.184.215.14:443"),
        ("https://[2606:2800:21F:CB07::1]/", "[2606:2800:21f:cb07::1]:443"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example:443"),
        ("https://_acme.public.example/", "_acme.public.example:443"),
    ],
)
def test_what_is_public_and_plainly_written_is_taken(url: str, name: str) -> None:
    assert Guard().target(url).name == name


def test_what_the_operator_means_is_taken_at_its_very_port() -> None:
    guard = Guard(["127.0.0.1:8123", "[::1]:8123", "stubs:8080"])
    for url in ("http://127.0.0.1:8123/", "http://[::1]:8123/", "http://stubs:8080/"):
        guard.target(url)
    for url in ("http://127.0.0.1:8124/", "http://127.0.0.2:8123/", "http://stubs/", "http://127.1:8123/"):
        with pytest.raises(TargetRefused):
            guard.target(url)


@pytest.mark.parametrize("text", ["1.1.1.1", "8.8.8.8", "93.184.215.14", "223.255.255.254"])
def test_the_internet_at_large_is_public(text: str) -> None:
    assert is_public(IPv4Address(text))


@pytest.mark.parametrize("text", ["2606:4700::1111", "2a00:1450:4001::1", "2400:cb00::1"])
def test_the_internet_at_large_is_public_by_ipv6(text: str) -> None:
    assert is_public(IPv6Address(text))


def test_each_refusal_says_what_is_wrong() -> None:
    wrong = {
        "ftp://a.example/": "scheme",
        "http://u@a.example/": "userinfo",
        "http://127.1/": "host",
        "http://a.example:99999/": "port",
        "http://a b/": "url",
    }
    for url, kind in wrong.items():
        with pytest.raises(TargetRefused) as refused:
            parse(url)
        assert refused.value.kind == kind, url


async def test_the_resolver_of_the_machine_is_asked_by_default() -> None:
    assert socket.getaddrinfo("localhost", 80)
    guard = Guard(["localhost:80"])
    pinned = await asyncio.wait_for(guard.pin("http://localhost/"), 60)
    assert pinned.address == "127.0.0.1"
