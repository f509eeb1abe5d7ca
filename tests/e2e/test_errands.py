"""On the real stack: a customer's tax id is checked by a stand-in that fails first; the gateway shows no stand-in."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from tailrace.stack.embedded import Stack
from tailrace.stack.layout import HOST
from tailrace_testing.gateway import Gateway, Member, eventually

TAX = {"country": "DE", "number": "136695976"}


@pytest.fixture
async def stubs(fleet: Stack) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=f"http://{HOST}:{fleet.plan.ports.services['stubs']}", timeout=60) as client:
        yield client
        await client.put("/stubs/faults", json=[])


async def _checked(member: Member, id: str) -> list[str]:
    return [each["result"] for each in (await member.get(f"/v1/customers/{id}"))["tax_id_checks"]]


async def test_a_tax_id_is_checked_however_the_partner_fails_first(gateway: Gateway, stubs: httpx2.AsyncClient) -> None:
    faults = [
        {"partner": "verification", "kind": kind, "times": 1}
        for kind in ("drop", "truncated", "garbage", "content_type")
    ]
    (await stubs.put("/stubs/faults", json=faults)).raise_for_status()
    member = await gateway.new_tenant()
    body = {"name": "Ada Works", "currency": "EUR", "tax_ids": [TAX]}
    ada = await member.post("/v1/customers", body)
    await member.post(f"/v1/customers/{ada['id']}/verify-tax-id", TAX)
    await eventually(lambda: _checked(member, ada["id"]), lambda found: found == ["valid"], what="the check")
    asked = (await stubs.get("/stubs/log", params={"partner": "verification", "contains": TAX["number"]})).json()
    assert [each["fault"] for each in asked] == ["drop", "truncated", "garbage", "content_type", None]
    assert len({each["key"] for each in asked}) == 1


async def test_no_stand_in_is_shown_to_the_world(gateway: Gateway) -> None:
    for path in ("/stubs/log", "/verification/tax-ids", "/bank/statement"):
        assert (await gateway.client.get(path)).status_code in {401, 404}
    document = (await gateway.client.get("/openapi.json")).text
    assert "verify-tax-id" in document
    assert "/stubs" not in document
