"""Every service checks the token itself: no forgery of any class gets into any of them, and a token for one service into no other."""

import httpx2
import pytest

from tailrace.service import Service
from tailrace_testing import Harness, MakeHarness
from tailrace_testing.forgery import Forger
from tailrace_testing.tokens import KEY_ID, TestIssuer


@pytest.fixture
async def harness(service: Service, make_harness: MakeHarness) -> Harness:
    return await make_harness(service)


async def _ask(harness: Harness, path: str, token: str) -> httpx2.Response:
    return await harness.anonymous().get(path, headers={"Authorization": f"Bearer {token}"})


def _a_list(harness: Harness) -> str:
    """Some list of the service that anybody with every scope may read."""
    for path, item in harness.app.openapi()["paths"].items():
        operation = item.get("get", {})
        if operation.get("security") and "{" not in path and "limit" in str(operation.get("parameters")):
            return str(path)
    raise AssertionError(f"{harness.service.name} has no list")


async def test_no_forged_token_gets_in(service: Service, harness: Harness, issuer: TestIssuer) -> None:
    path = _a_list(harness)
    elsewhere = "accounting" if service.name != "accounting" else "orders"
    forger = Forger(issuer.key, KEY_ID, issuer.claims(tenant=harness.tenant), elsewhere)
    assert (await _ask(harness, path, forger.good())).status_code == 200
    forged = forger.all()
    assert len(forged) >= 60
    for name, token in forged.items():
        answer = await _ask(harness, path, token)
        assert answer.status_code == 401, f"{name}: {answer.status_code} {answer.text}"
        assert answer.headers["content-type"] == "application/problem+json", name
        assert answer.headers["www-authenticate"] == "Bearer", name


async def test_a_token_for_one_service_is_good_there_alone(
    service: Service, harness: Harness, issuer: TestIssuer, services: list[Service]
) -> None:
    path = _a_list(harness)
    for other in services:
        answer = await _ask(harness, path, issuer.token(tenant=harness.tenant, aud=other.name))
        assert answer.status_code == (200 if other.name == service.name else 401), other.name
