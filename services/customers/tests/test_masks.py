"""What only some may see of a customer is left out for the others, in every answer; they find nobody by it, and change nothing of it."""

from typing import Any

import pytest

from .conftest import AT, Sales

PROFILE = {
    "risk_tolerance": "balanced",
    "experience": "good",
    "objectives": ["growth"],
    "horizon_years": 10,
    "assets": 1_000_000,
    "reviewed_on": "2026-01-15",
    "review_due_on": "2027-01-15",
}
BLIND = "customers:read customers:write customers:merge"
HIDDEN = {"tax_ids", "emails", "phones", "profile"}


@pytest.fixture
async def ada(sales: Sales) -> dict[str, Any]:
    """With everything that is masked."""
    tax = [{"country": "DE", "number": "136695976"}]
    mail, phone = [{"address": "office@ada.example"}], [{"number": "+49301234567"}]
    customer = await sales.create("Ada Works", tax_ids=tax, emails=mail, phones=phone)
    await sales.act(customer, "people", 201, name="Grace", emails=[{"address": "grace@lovelace.example"}])
    return await sales.put(customer, "/profile", **PROFILE)


async def test_a_masked_property_is_left_out_of_every_answer(sales: Sales, ada: dict[str, Any]) -> None:
    at, blind = f"{AT}/{ada['id']}", sales.h.client_as(BLIND)
    assert ada.keys() >= HIDDEN
    person = f"{at}/people/{ada['people'][0]['id']}"
    for answer in (
        await blind.get(at),
        await blind.put(at, json={"name": "Ada Works", "currency": "EUR"}),
        await blind.post(AT, json={"name": "New", "currency": "EUR", "emails": [{"address": "new@ada.example"}]}),
        await blind.put(person, json={"name": "Grace"}),
    ):
        assert answer.status_code < 300, answer.text
        assert not HIDDEN & answer.json().keys()
        assert "@" not in answer.text
    shown = (await sales.h.client_as(f"{BLIND} customers:pii").get(at)).json()
    assert HIDDEN & shown.keys() == HIDDEN - {"profile"}
    assert shown["people"][0]["emails"][0]["address"] == "grace@lovelace.example"


async def test_what_one_does_not_see_stays_when_the_rest_is_replaced(sales: Sales, ada: dict[str, Any]) -> None:
    at, blind = f"{AT}/{ada['id']}", sales.h.client_as(BLIND)
    assert (await blind.put(at, json={"name": "Ada Ltd", "currency": "EUR"})).status_code == 200
    person = ada["people"][0]
    assert (await blind.put(f"{at}/people/{person['id']}", json={"name": "Grace H."})).status_code == 200
    after = await sales.read(ada)
    assert (after["name"], after["people"][0]["name"]) == ("Ada Ltd", "Grace H.")
    assert {name: after[name] for name in HIDDEN} == {name: ada[name] for name in HIDDEN}
    assert after["people"][0]["emails"] == person["emails"]
    for field in ("emails", "tax_ids"):
        refused = await blind.put(at, json={"name": "Ada Ltd", "currency": "EUR", field: []})
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:tailrace:problem:masked")
        assert refused.json()["errors"][0]["field"] == f"/{field}"
    assert (await blind.put(f"{at}/profile", json=PROFILE)).status_code == 403
    seeing = sales.h.client_as(f"{BLIND} customers:pii")
    emptied = await seeing.put(at, json={"name": "Ada Ltd", "currency": "EUR"})
    assert (emptied.json()["emails"], "profile" in emptied.json()) == ([], False)


@pytest.mark.parametrize("asked", ["lovelace", "office", "ada.example", "grace lovelace", "works lovelace"])
async def test_nobody_is_found_by_what_the_searcher_may_not_see(sales: Sales, ada: dict[str, Any], asked: str) -> None:
    async def found(scopes: str) -> list[str]:
        answer = await sales.h.client_as(scopes).get(f"{AT}/search", params={"q": asked})
        return [item["name"] for item in answer.json()["items"]]

    assert await found("customers:read") == []
    assert await found("customers:read customers:pii") == ["Ada Works"]


async def test_names_are_found_without_seeing_more(sales: Sales, ada: dict[str, Any]) -> None:
    blind = sales.h.client_as("customers:read")
    for asked in ("ada", "grace", "C-000001"):
        answer = await blind.get(f"{AT}/search", params={"q": asked})
        assert [item["name"] for item in answer.json()["items"]] == ["Ada Works"]
