"""Every service checks the token itself: no forgery of any class gets into any of them, and a token for one service into no other."""

import httpx2
import pytest
from findings import say_all

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
    found = []
    for name, token in forged.items():
        answer = await _ask(harness, path, token)
        said = [answer.headers.get(head) for head in ("content-type", "www-authenticate")]
        if (answer.status_code, said) != (401, ["application/problem+json", "Bearer"]):
            found.append(f"{name}: {answer.status_code} {said} {answer.text}")
    say_all(found)


async def test_a_token_for_one_service_is_good_there_alone(
    service: Service, harness: Harness, issuer: TestIssuer, services: list[Service]
) -> None:
    path = _a_list(harness)
    found = []
    for other in services:
        answer = await _ask(harness, path, issuer.token(tenant=harness.tenant, aud=other.name))
        if answer.status_code != (200 if other.name == service.name else 401):
            found.append(f"a token for {other.name} gets {answer.status_code}")
    say_all(found)
