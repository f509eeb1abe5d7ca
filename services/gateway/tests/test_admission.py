"""Who gets through: routes, tokens and allowances."""

import asyncio
import time
from uuid import uuid4

import pytest
from gateway_stand import KEY, MakeStand, Stand, bearer, claims, token

from tailrace_testing.forgery import Forger


async def test_the_longest_prefix_decides(stand: Stand) -> None:
    for path, service in {"/v1/orders": "orders", "/v1/orders/1": "orders", "/v1/orders/catalog/1": "catalog"}.items():
        async with stand.client.get(path, headers=bearer()) as answer:
            assert (await answer.json())["service"] == service
    assert [seen["path"] for seen in stand.catalog.seen] == ["/v1/orders/catalog/1"]


@pytest.mark.parametrize("path", ["/v1/orderss", "/v1", "/v1/ordersx/1", "/nothing"])
async def test_a_path_of_no_service_is_a_404_problem(stand: Stand, path: str) -> None:
    async with stand.client.get(path, headers=bearer()) as answer:
        assert answer.status == 404
        assert answer.content_type == "application/problem+json"
        problem = await answer.json()
    assert problem["type"] == "urn:tailrace:problem:unknown"
    assert problem["request_id"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_the_method_passes_through(stand: Stand, method: str) -> None:
    async with stand.client.request(method, "/v1/orders", headers=bearer()) as answer:
        assert (await answer.json())["method"] == method


def _forger() -> Forger:
    return Forger(KEY, "current", claims(), elsewhere="catalog")


async def test_no_forged_token_gets_through(make_stand: MakeStand) -> None:
    stand = await make_stand(address_burst=1000)
    async with stand.client.get("/v1/orders", headers=bearer(_forger().good())) as answer:
        assert answer.status == 200
    forged = _forger().all()
    assert len(forged) >= 60
    for name, text in forged.items():
        async with stand.client.get("/v1/orders", headers=bearer(text)) as answer:
            assert answer.status == 401, name
            assert answer.headers["WWW-Authenticate"] == "Bearer", name
            assert (await answer.json())["type"] == "urn:tailrace:problem:unauthenticated"
    assert len(stand.orders.seen) == 1


async def test_a_token_for_one_service_leads_to_that_service_alone(stand: Stand) -> None:
    mine = bearer(token(aud="orders"))
    for path, status in {"/v1/orders": 200, "/v1/orders/catalog": 401, "/v1/down": 401}.items():
        for _ in range(2):
            async with stand.client.get(path, headers=mine) as answer:
                assert answer.status == status, path
    assert stand.catalog.seen == []


@pytest.mark.parametrize("header", [{}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer "}])
async def test_without_a_token_only_public_paths_answer(stand: Stand, header: dict[str, str]) -> None:
    async with stand.client.get("/v1/orders", headers=header) as answer:
        assert answer.status == 401
    async with stand.client.get("/v1/public/x", headers=header) as answer:
        assert answer.status == 200
    assert [seen["path"] for seen in stand.orders.seen] == ["/v1/public/x"]


async def test_a_tenant_has_an_allowance_of_its_own(make_stand: MakeStand) -> None:
    stand = await make_stand(tenant_rate=0.1, tenant_burst=3)
    mine, other = bearer(token(tenant=str(uuid4()))), bearer()
    statuses = []
    for _ in range(4):
        async with stand.client.get("/v1/orders", headers=mine) as answer:
            statuses.append(answer.status)
            last = answer
            if answer.status == 200:
                assert answer.headers["RateLimit-Policy"] == '"tenant";q=3;w=30'
                assert answer.headers["RateLimit"].startswith(f'"tenant";r={3 - len(statuses)};t=')
    assert statuses == [200, 200, 200, 429]
    assert 1 <= int(last.headers["Retry-After"]) <= 10
    assert last.headers["RateLimit"].startswith('"tenant";r=0;t=')
    async with stand.client.get("/v1/orders", headers=other) as answer:
        assert answer.status == 200


async def test_forwarded_for_does_not_evade_the_limit(make_stand: MakeStand) -> None:
    stand = await make_stand(address_rate=0.1, address_burst=5)
    statuses = []
    for n in range(6):
        headers = {
            "X-Forwarded-For": f"203.0.113.{n}",
            "Forwarded": f"for=203.0.113.{n}",
            "X-Real-IP": f"203.0.113.{n}",
        }
        async with stand.client.get("/v1/public/x", headers=headers) as answer:
            statuses.append(answer.status)
            seen = answer.headers.get("RateLimit")
    assert statuses == [200] * 5 + [429]
    assert seen is not None
    assert seen.startswith('"address";r=0')
    forwarded = [dict(got["headers"]) for got in stand.orders.seen]
    assert {got["x-forwarded-for"] for got in forwarded} == {"127.0.0.1"}


async def test_guessing_tokens_runs_out(make_stand: MakeStand) -> None:
    stand = await make_stand(address_rate=0.1, address_burst=4)
    statuses = []
    for _ in range(5):
        async with stand.client.get(
            "/v1/orders", headers=bearer(_forger().all()["a stranger's key under the genuine id"])
        ) as answer:
            statuses.append(answer.status)
    assert statuses == [401] * 4 + [429]


async def test_a_token_that_was_good_ends_with_its_expiry(stand: Stand) -> None:
    # The kit allows five seconds of clock difference, and the cache none beyond it.
    short = bearer(token(exp=int(time.time())))
    async with stand.client.get("/v1/orders", headers=short) as answer:
        assert answer.status == 200
    async with asyncio.timeout(300):
        while True:
            async with stand.client.get("/v1/orders", headers=short) as answer:
                if answer.status == 401:
                    return
            await asyncio.sleep(0.1)
