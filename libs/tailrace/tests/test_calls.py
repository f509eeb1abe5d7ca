"""A call follows nobody, hears out nobody for ever, keeps no secret, and connects where its guard says by the name that it was given."""

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from partner import DROP, HANG, PartnerListener, answer, truncated

from tailrace.errands.calls import Call, Caller
from tailrace.errands.guard import Guard
from tailrace.errands.response import Response, Unanswered
from tailrace.errands.secrets import Secret, SecretMissing, look_up


async def _call(
    partner: PartnerListener, call: Call | None = None, *, within: float = 30, largest: int = 1000
) -> Response:
    caller = Caller(Guard([partner.target]), Path("/nowhere"))
    return await caller.call(call or Call("GET", partner.url), key="key-1", within=within, largest=largest)


async def _why(partner: PartnerListener, **given: float) -> Unanswered:
    with pytest.raises(Unanswered) as why:
        await _call(partner, **given)  # type: ignore[arg-type]
    return why.value


async def test_what_is_sent_and_what_is_kept_of_the_answer() -> None:
    async with PartnerListener([answer(201, b'{"id": 7}', headers={"Set-Cookie": "a=b", "Location": "/7"})]) as partner:
        response = await _call(partner, Call("PUT", f"{partner.url}/x", {"X-One": "1"}, json={"a": 1}))
        (asked,) = partner.asked
    assert response == Response(201, {"content-type": "application/json", "location": "/7"}, b'{"id": 7}')
    assert (asked.line, asked.body, asked.headers["x-one"]) == ("PUT /x HTTP/1.1", b'{"a": 1}', "1")
    assert (asked.headers["idempotency-key"], asked.headers["content-type"]) == ("key-1", "application/json")


async def test_a_redirect_is_an_answer_and_nobody_follows_it() -> None:
    async with PartnerListener() as inside:
        async with PartnerListener([answer(302, headers={"Location": inside.url})]) as partner:
            response = await _call(partner)
        assert (response.status, inside.connections) == (302, 0)


async def test_a_proxy_of_the_environment_is_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    async with PartnerListener() as proxy, PartnerListener() as partner:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("NO_PROXY", "")
        assert (await _call(partner)).status == 200
        assert (proxy.connections, partner.connections) == (0, 1)


@pytest.mark.parametrize(
    ("said", "kind", "passing", "down"),
    [
        (DROP, "broken-off", True, True),
        (truncated(), "broken-off", True, True),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "broken-off", True, True),
        (answer(503), "status-503", True, True),
        (answer(500), "status-500", True, False),
        (answer(429), "status-429", True, False),
        (answer(408), "status-408", True, False),
        (answer(body=b"x" * 1001), "too-large", False, False),
        (answer(headers={"Content-Encoding": "gzip"}), "encoded", False, False),
    ],
)
async def test_what_settles_nothing(said: bytes, kind: str, passing: bool, down: bool) -> None:
    async with PartnerListener([said]) as partner:
        why = await _why(partner)
    assert (why.kind, why.passing, why.down) == (kind, passing, down)


async def test_an_endless_answer_is_cut_off_at_its_bound() -> None:
    """It says no length, and sends far more than is read."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
    async with PartnerListener([head + b"x" * 5_000_000]) as partner:
        assert (await _why(partner)).kind == "too-large"


async def test_one_that_says_nothing_is_left_after_its_time() -> None:
    async with PartnerListener([HANG]) as partner:
        why = await _why(partner, within=0.3)
    assert (why.kind, why.down) == ("timed-out", True)


async def test_one_that_drips_is_left_after_its_time_in_all() -> None:
    """Each byte comes in time, and all of them never."""

    class Dripping(PartnerListener):
        async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n")
            try:
                for _ in range(100):
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(0.05)
            except ConnectionError:
                pass
            finally:
                writer.close()

    async with Dripping() as partner:
        assert (await _why(partner, within=0.5)).kind == "timed-out"


async def test_nobody_there() -> None:
    async with PartnerListener() as partner:
        pass
    why = await _why(partner)
    assert (why.kind, why.passing, why.down) == ("unreached", True, True)


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [
        ("7", 7, 7),
        ("Fri, 27 Nov 2126 12:00:00 GMT", 3e9, 4e9),
        ("Fri, 27 Nov 2016 12:00:00 GMT", 0, 0),
        ("soon", None, None),
    ],
)
async def test_retry_after_is_seconds_or_a_date(said: str, least: float | None, most: float | None) -> None:
    async with PartnerListener([answer(429, headers={"Retry-After": said})]) as partner:
        why = await _why(partner)
    if least is None or most is None:
        assert why.retry_after is None
    else:
        assert why.retry_after is not None and least <= why.retry_after <= most


async def test_a_secret_is_sent_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARTNER_SECRET_ONE", "s3cr3t-value\n")
    echoing = answer(200, b'{"you sent": "s3cr3t-value"}', headers={"Location": "/?t=s3cr3t-value"})
    async with PartnerListener([echoing]) as partner:
        call = Call("GET", partner.url, {"Authorization": Secret("env:PARTNER_SECRET_ONE", "Bearer ")})
        response = await _call(partner, call)
        assert partner.asked[0].headers["authorization"] == "Bearer s3cr3t-value"
    assert "s3cr3t" not in f"{response} {call.stored()} {call!r}"
    assert Call.read(*call.stored()).headers == call.headers


@pytest.mark.parametrize("value", ["", "two\r\nlines: x", "nul\x00", "ü", "x" * 9000])
def test_a_secret_that_cannot_be_sent_is_not_quoted(value: str) -> None:
    with pytest.raises(SecretMissing) as why:
        look_up(Secret("env:PARTNER_SECRET_X"), Path("/nowhere"), {"PARTNER_SECRET_X": value})
    assert str(why.value) == "env:PARTNER_SECRET_X"
    assert why.value.__cause__ is None


def test_a_file_holds_a_secret_and_only_files_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "bank").write_text("abc\n")
    (tmp_path / "other").write_text("no")
    assert look_up(Secret("file:bank"), folder) == "abc"
    with pytest.raises(SecretMissing):
        look_up(Secret("file:none"), folder)
    for reference in (
        "file:../other",
        "file:/etc/passwd",
        "file:",
        "file:.hidden",
        "env:TAILRACE_SECRET",
        "env:PATH",
        "env:",
        "bank",
        "env:PARTNER_SECRET_a",
    ):
        with pytest.raises(ValueError, match="a secret is"):
            Secret(reference)


async def test_over_tls_the_name_is_the_targets_and_the_address_the_guards(tmp_path: Path) -> None:
    """The certificate is for the name alone, and the connection goes to an address that the name has here only."""
    served, trusted, other = _certificate(tmp_path, "partner.example")
    seen: list[str | None] = []
    served.sni_callback = lambda socket, name, context: seen.append(name)

    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async with PartnerListener(tls=served) as partner:
        guard = Guard([f"partner.example:{partner.port}", f"another.example:{partner.port}"], resolve=resolve)
        call = Call("GET", f"https://partner.example:{partner.port}/")
        response = await Caller(guard, tmp_path, trust=trusted).call(call, key="k", within=30, largest=1000)
        assert (response.status, seen) == (200, ["partner.example"])
        assert partner.asked[0].headers["host"] == f"partner.example:{partner.port}"
        for url, trust in ((f"https://another.example:{partner.port}/", trusted), (call.url, other)):
            with pytest.raises(Unanswered, match="unreached"):
                await Caller(guard, tmp_path, trust=trust).call(Call("GET", url), key="k", within=30, largest=1000)
        assert len(partner.asked) == 1


def _certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext, ssl.SSLContext]:
    """What serves it, what trusts it, and what trusts others."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A test")])
    names = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("192.0.2.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "pair.pem").write_bytes(private + pem)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(folder / "pair.pem")
    return served, ssl.create_default_context(cadata=pem.decode()), ssl.create_default_context()
