"""The parts that count and forget, with the clock in hand."""

from uuid import UUID

import pytest
from gateway_stand import KEY, claims, signed, token
from joserfc.jwk import KeySet

from gateway.limits import Limit
from gateway.refusals import TooManyRequests
from gateway.table import Table
from gateway.tokens import Tokens
from tailrace.codegen.manifests import manifest_of
from tailrace.core.manifest import Manifest, routes_of
from tailrace.core.retries.breaker import Breaker
from tailrace.http.auth import Verifier
from tailrace.http.protocol.addresses import address_key
from tailrace.service import Exposed, Service
from tailrace.settings import Settings


class Clock:
    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def test_an_allowance_refills_at_its_rate() -> None:
    clock = Clock()
    limit = Limit("tenant", rate=2, burst=4, clock=clock)
    for _ in range(4):
        limit.take("a")
    with pytest.raises(TooManyRequests) as refused:
        limit.take("a")
    assert refused.value.headers["Retry-After"] == "1"
    clock.now = 0.5
    assert limit.take("a") == {"RateLimit-Policy": '"tenant";q=4;w=2', "RateLimit": '"tenant";r=0;t=2'}
    clock.now = 100
    assert limit.take("a")["RateLimit"] == '"tenant";r=3;t=1'


def test_allowances_are_kept_for_a_bounded_number_of_keys() -> None:
    limit = Limit("address", rate=1, burst=2, most=10, clock=Clock())
    for key in range(1000):
        limit.take(key)
    assert len(limit) == 10


def test_an_ipv6_site_is_one_address() -> None:
    assert address_key("2001:db8::1") == address_key("2001:db8::ffff:1")
    assert address_key("2001:db8:0:1::1") != address_key("2001:db8::1")
    assert address_key("::ffff:192.0.2.1") == address_key("192.0.2.1")


def test_a_breaker_opens_probes_and_closes() -> None:
    clock = Clock()
    breaker = Breaker(threshold=3, cool_off=1, clock=clock)
    breaker.failed()
    breaker.failed()
    breaker.succeeded()
    for _ in range(3):
        assert breaker.allows()
        breaker.failed()
    assert not breaker.allows()
    assert breaker.retry_after() == 1
    clock.now = 1
    assert [breaker.allows(), breaker.allows()] == [True, False]
    breaker.failed()
    assert not breaker.allows()
    clock.now = 2
    assert breaker.allows()
    breaker.succeeded()
    assert [breaker.allows(), breaker.allows()] == [True, True]


class Keys:
    async def current(self, key_id: str | None) -> KeySet:
        return KeySet([KEY])


async def test_verified_tokens_are_remembered_within_bounds() -> None:
    issued = claims()
    clock = Clock(issued["iat"])
    tokens = Tokens(Verifier(Keys(), issuer="tailrace", audiences={"tailrace"}), keep=30, most=3, clock=clock)
    mine = signed({**issued, "exp": issued["iat"] + 10})
    assert tokens.known(mine) is None
    await tokens.verify(mine)
    known = tokens.known(mine)
    assert known is not None
    assert known.principal.tenant_id == UUID(issued["tenant"])
    clock.now += 10
    assert tokens.known(mine) is None
    for _ in range(10):
        await tokens.verify(token())
    assert len(tokens) == 3


def test_routes_come_from_the_manifests_in_one_order() -> None:
    a = Service(name="a", exposes=[Exposed(prefix="/v1/b", public=True), Exposed(prefix="/v1/a", read_timeout=9)])
    b = Service(name="b", exposes=[Exposed(prefix="/v1/a/b", body_limit=10)])
    manifests = [Manifest.model_validate_json(manifest_of(service).text()) for service in (a, b)]
    rows = routes_of(manifests)
    assert rows == routes_of(reversed(manifests))
    assert [row.prefix for row in rows] == ["/v1/a", "/v1/a/b", "/v1/b"]
    assert rows[0].model_dump() == {
        "service": "a",
        "prefix": "/v1/a",
        "public": False,
        "stream": False,
        "read_timeout": 9.0,
        "write_timeout": 5.0,
        "body_limit": 2 * 1024 * 1024,
    }
    table = Table(rows)
    found = [table.match(path.split("/")[1:]) for path in ("/v1/a/b/c", "/v1/a/c")]
    assert [route and route.service for route in found] == ["b", "a"]


@pytest.mark.parametrize("prefix", ["v1/a", "/v1/a/", "/", "/v1//a", "/v1/a b", "/v1/%61"])
def test_a_prefix_that_is_no_plain_path_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        manifest_of(Service(name="a", exposes=[Exposed(prefix=prefix)]))


def test_two_services_cannot_claim_one_prefix() -> None:
    with pytest.raises(ValueError, match="both expose /v1/a"):
        routes_of(manifest_of(Service(name=name, exposes=[Exposed(prefix="/v1/a")])) for name in ("a", "b"))


def test_an_upstream_is_where_its_own_setting_the_pattern_or_its_port_says() -> None:
    given = Settings(upstreams={"c": "http://elsewhere"}, upstream="http://{service}:8080")
    assert [given.upstream_of(name) for name in ("a", "c")] == ["http://a:8080", "http://elsewhere"]
    assert Settings(ports={"a": 8110}).upstream_of("a") == "http://127.0.0.1:8110"
