"""Identity's own tokens open Kafka to the platform's clients, of aiokafka, librdkafka and Java, and no others do; certificates of their own do, too.

The broker is one of its own, with a listener for tokens and one for certificates (mTLS), and asks identity's published keys over HTTP.
"""

import asyncio
import base64
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
import uvicorn
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError
from authority import Authority
from joserfc import jwt

from identity.kafka_tokens import LIFETIME
from identity.service import service
from tailrace.core.addresses.kafka import BROKER, KafkaAddress
from tailrace.core.operator_error import OperatorError
from tailrace.core.private_files import write_private
from tailrace.kafka import clients
from tailrace.kafka.topics import create_topics
from tailrace.runtime import access
from tailrace.stack.artifacts import Lock, cache_folder
from tailrace.stack.connect import java_properties, java_settings
from tailrace.stack.embedded import Stack
from tailrace.stack.errand import run_tool
from tailrace.stack.java import Machine
from tailrace.stack.layout import HOST, Ports
from tailrace.stack.plan import External
from tailrace_testing import Harness, MakeHarness

from .conftest import Company

AT = "/internal/kafka/token"
ASKED = {"grant_type": "client_credentials"}
MINE, OTHERS = "mine.events", "others.events"
REFUSED = (KafkaError, OSError, TimeoutError, AssertionError)


@pytest.fixture
async def identity(make_harness: MakeHarness) -> Harness:
    return await make_harness(service)


async def _ask(identity: Harness, user: str, secret: str, **form: str) -> httpx2.Response:
    return await identity.anonymous().post(AT, data={**ASKED, **form}, auth=(user, secret))


async def test_identity_is_ready_before_kafka_is(identity: Harness) -> None:
    """Kafka may ask for one of its tokens, or its keys, first: in a cluster nobody who is not ready is reached."""
    identity.app.state.consumer = SimpleNamespace(ready=asyncio.Event(), waiting_for="Kafka: no token", backfilling={})
    answer = await identity.anonymous().get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert answer.json()["consumer"] == "Kafka: no token"
    # A process that is its consumer alone has nobody to issue tokens to.
    identity.app.state.serves_api = False
    answer = await identity.anonymous().get("/health/ready")
    assert (answer.status_code, answer.json()["for"]) == (503, {"consumer": "Kafka: no token"})
    identity.app.state.consumer.ready.set()
    assert (await identity.anonymous().get("/health/ready")).status_code == 200


async def test_a_token_is_its_users_good_at_kafka_and_short(identity: Harness) -> None:
    answer = await _ask(identity, "orders", identity.settings.kafka_client_secret("orders"), scope="whatever")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("Bearer", LIFETIME)
    claims = await _claims(identity.app.state.issuer.keys, body["access_token"])
    assert (claims["sub"], claims["aud"], claims["iss"]) == ("orders", "tailrace:kafka", "tailrace")
    assert claims["exp"] - claims["iat"] == LIFETIME
    # No service takes it, identity itself included.
    refused = await identity.anonymous().get("/v1/auth/me", headers={"Authorization": f"Bearer {body['access_token']}"})
    assert refused.status_code == 401


async def _claims(keys: Any, token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, await keys.current(None)).claims)


@pytest.mark.parametrize(
    ("user", "whose"), [("orders", None), ("shipping", "orders"), (BROKER, BROKER), ("", "orders"), (None, None)]
)
async def test_who_has_not_the_secret_gets_no_token(identity: Harness, user: str | None, whose: str | None) -> None:
    """Another's is not one's own, and the broker's is nobody's."""
    secret = "guessed" if whose is None else identity.settings.kafka_client_secret(whose)
    client = identity.anonymous()
    if user is not None:
        client.auth = (user, secret)
    answer = await client.post(AT, data=ASKED)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")


async def test_what_is_no_such_form_is_refused(identity: Harness) -> None:
    secret = identity.settings.kafka_client_secret("orders")
    for form in ({"grant_type": "password"}, {"grant_type": ""}):
        assert (await _ask(identity, "orders", secret, **form)).status_code == 400
    answer = await identity.anonymous().post(AT, content="ü".encode(), auth=("orders", secret))
    assert answer.status_code == 400


async def test_in_a_cluster_identity_knows_the_secrets_by_a_key_that_tells_it_nothing_else(identity: Harness) -> None:
    fleet = identity.settings
    there = fleet.model_copy(update={"secret": fleet.own_secret("identity")})
    assert there.kafka_client_secret("orders") != fleet.kafka_client_secret("orders")
    given = type(fleet)(secret=there.secret, kafka_client_key=fleet.own_kafka_client_key())
    assert given.kafka_client_secret("orders") == fleet.kafka_client_secret("orders")
    assert given.kafka_user_password("orders") != fleet.kafka_user_password("orders")


@asynccontextmanager
async def _served(identity: Harness) -> AsyncIterator[str]:
    """Identity over HTTP, where a broker and clients that are no Python find it."""
    server = uvicorn.Server(uvicorn.Config(identity.app, lifespan="off", log_level="error"))
    with socket.create_server((HOST, 0)) as listening:
        serving = asyncio.create_task(server.serve([listening]))
        try:
            yield f"http://{HOST}:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


def _broker(authority: Authority, keys_url: str, ports: Ports) -> dict[str, str]:
    """As `docs/how-to/operator.md` says, beside the listener that there is."""
    at = {
        "CLIENT": ports.kafka,
        "CONTROLLER": ports.controller,
        "TOKENS": _tokens(ports),
        "CERTIFICATES": _certificates(ports),
    }
    listeners = ",".join(f"{name}://{HOST}:{port}" for name, port in at.items())
    oauth = "org.apache.kafka.common.security.oauthbearer"
    return {
        "listeners": listeners,
        "advertised.listeners": listeners,
        "listener.security.protocol.map": "CONTROLLER:SASL_PLAINTEXT,CLIENT:SASL_PLAINTEXT,TOKENS:SASL_SSL,CERTIFICATES:SSL",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(authority.certify("broker")),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.file),
        "listener.name.certificates.ssl.client.auth": "required",
        "ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/",
        "listener.name.tokens.sasl.enabled.mechanisms": "OAUTHBEARER",
        "listener.name.tokens.oauthbearer.sasl.jaas.config": f"{oauth}.OAuthBearerLoginModule required;",
        "listener.name.tokens.oauthbearer.sasl.server.callback.handler.class": f"{oauth}.OAuthBearerValidatorCallbackHandler",
        "sasl.oauthbearer.jwks.endpoint.url": keys_url,
        "sasl.oauthbearer.expected.issuer": "tailrace",
        "sasl.oauthbearer.expected.audience": "tailrace:kafka",
    }


def _tokens(ports: Ports) -> int:
    return ports.base + 5


def _certificates(ports: Ports) -> int:
    return ports.base + 6


@pytest.mark.embedded("the broker is one of the test's own")
async def test_kafka_takes_identitys_tokens_and_certificates_and_no_others(
    identity: Harness, acme: Company, postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, strangers = Authority(tmp_path, "ours"), Authority(tmp_path, "strangers")
    ports = Ports.free()
    tokens, certificates = _tokens(ports), _certificates(ports)
    async with _served(identity) as url:
        keys_url = f"{url}/.well-known/jwks.json"
        monkeypatch.setenv("TAILRACE_JAVA_OPTIONS", f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={keys_url}")
        stack = Stack(
            tmp_path / "data",
            only="kafka",
            ports=ports,
            external=External(postgres=postgres),
            broker=_broker(mine, keys_url, ports),
        )
        async with stack:
            monkeypatch.delenv("TAILRACE_JAVA_OPTIONS")
            await create_topics(stack.kafka, [MINE, OTHERS], 1, 1)
            await asyncio.to_thread(access.grant, stack.kafka, access.rights_of_reader("orders", [MINE]))
            by_token = "sasl_ssl://{}:{}@{}:{}?" + urlencode(
                {"mechanism": "OAUTHBEARER", "token_url": url + AT, "scope": "kafka", "ca": str(mine.file)}
            )

            def as_user(user: str, of: str | None = None) -> str:
                return by_token.format(user, identity.settings.kafka_client_secret(of or user), HOST, tokens)

            await _reads_its_own_topic_alone(as_user("orders"))
            with pytest.raises(REFUSED):
                await _ends(as_user("orders", of="shipping"), MINE)
            member = (await acme.log_in()).json()["access_token"]
            stolen = (member, _unsigned(), await _ended(identity))
            asked = [_ends(as_user("orders"), MINE, _Given(token)) for token in stolen]
            for answer in await asyncio.gather(*asked, return_exceptions=True):
                assert isinstance(answer, REFUSED)

            # Librdkafka, which sets rights, and Java, which is Connect's.
            await asyncio.to_thread(access.grant, as_user("operator"), access.rights_of_reader("shipping", [MINE]))
            assert await _ends(as_user("shipping"), MINE)
            with pytest.raises(OperatorError):
                await asyncio.to_thread(access.grant, as_user("orders"), access.rights_of_reader("orders", [OTHERS]))
            assert MINE in await _topic_by_java(as_user("operator"), tmp_path)

            # A certificate in the place of a password.
            def with_certificate(of: Path) -> str:
                return f"ssl://{HOST}:{certificates}?" + urlencode({"ca": str(mine.file), "cert": str(of)})

            await _reads_its_own_topic_alone(with_certificate(mine.certify("orders")))
            for other in (with_certificate(strangers.certify("orders")), f"ssl://{HOST}:{certificates}?ca={mine.file}"):
                with pytest.raises(REFUSED):
                    await _ends(other, MINE)
            operators = with_certificate(mine.certify("operator"))
            await asyncio.to_thread(access.grant, operators, access.rights_of_reader("catalog", [MINE]))
            assert MINE in await _topic_by_java(operators, tmp_path)
        stack.discard()


async def _reads_its_own_topic_alone(address: str) -> None:
    assert await _ends(address, MINE)
    with pytest.raises(REFUSED):
        await _ends(address, OTHERS)


async def _ends(address: str, topic: str, provider: AbstractTokenProvider | None = None) -> dict[Any, int]:
    """Where the topic ends, for who may read it. Raises one of REFUSED."""
    with pytest.MonkeyPatch.context() as patch:
        if provider is not None:
            patch.setattr(clients, "tokens_for", lambda _: provider)
        consumer = clients.consumer(address, topic, request_timeout_ms=3000)
    async with asyncio.timeout(60), consumer:
        assert consumer.assignment(), f"{topic} is not shown"
        return dict(await consumer.end_offsets(consumer.assignment()))


class _Given(AbstractTokenProvider):  # type: ignore[misc]
    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self) -> str:
        return self._token


def _unsigned() -> str:
    """What a broker takes that was not told whose tokens it is to take."""
    parts = (
        {"alg": "none"},
        {"sub": "orders", "aud": "tailrace:kafka", "iss": "tailrace", "iat": 1, "exp": 9999999999},
    )
    return ".".join([*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), ""])


async def _ended(identity: Harness) -> str:
    """A token for Kafka that was good an hour ago."""
    token = (await _ask(identity, "orders", identity.settings.kafka_client_secret("orders"))).json()["access_token"]
    keys = identity.app.state.issuer.keys
    claims = await _claims(keys, token)
    return str(await keys.sign({**claims, "iat": claims["iat"] - 7200, "exp": claims["exp"] - 7200}))


async def _topic_by_java(address: str, folder: Path) -> str:
    """What Kafka's own tool says of the topic, that logs in as the embedded Connect does."""
    to = KafkaAddress.parse(address)
    file = folder / "client.properties"
    write_private(file, "".join(f"{name}={value}\n" for name, value in java_settings(to).items()))
    machine = Machine.locate(Lock.load(), cache_folder(folder), folder / "java")
    asked = ("--bootstrap-server", to.brokers, "--command-config", str(file), "--describe", "--topic", MINE)
    argv = machine.argv("client", "kafka.admin.ConfigCommand", *asked, properties=java_properties(to))
    return await run_tool(argv, machine.environment)
