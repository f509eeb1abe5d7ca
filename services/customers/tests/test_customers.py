"""Customers: numbered, described whole, assigned, limited, asked for consent."""

from datetime import timedelta
from uuid import uuid4

import pytest

from contracts.catalog import PriceListCreated, PriceListDeleted, PriceListRestored
from contracts.customers import CustomerAssigned, CustomerCreated, CustomerCreditChanged, CustomerUpdated
from contracts.users import DateBounds, TenantDatePolicyChanged
from tailrace.core.ids import uuid7
from tailrace_testing import SetClock, today

from .conftest import AT, Sales


async def test_a_customer_is_numbered_and_told_whole(sales: Sales) -> None:
    by_hand = await sales.create("By hand", number="C-000002")
    first, second = await sales.create("First"), await sales.create("Second")
    assert (first["number"], second["number"]) == ("C-000001", "C-000003")
    changed = await sales.put(first, "", name="Better", currency="EUR", status="active")
    assert (changed["number"], changed["status"], changed["version"]) == ("C-000001", "active", 2)
    taken = await sales.put(second, "", 409, name="Second", currency="EUR", number=by_hand["number"])
    assert (taken["type"], taken["errors"][0]["field"]) == ("urn:tailrace:problem:code-taken", "/number")
    told = [one.event for one in await sales.h.published() if str(one.aggregate_id) == first["id"]]
    assert [(type(event), getattr(event, "name", None)) for event in told] == [
        (CustomerCreated, "First"),
        (CustomerUpdated, "Better"),
    ]


async def test_a_customer_has_so_many_people(sales: Sales, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.routes.MOST_PEOPLE", 1)
    customer = await sales.create()
    await sales.act(customer, "people", 201, name="Grace")
    refused = await sales.act(customer, "people", 422, name="Edsger")
    assert [each["field"] for each in refused["errors"]] == [""]


async def test_people_are_told_with_their_customer(sales: Sales) -> None:
    customer = await sales.create()
    grace = await sales.act(customer, "people", 201, name="Grace", emails=[{"address": "Grace@ada.example"}])
    assert grace["emails"] == [{"address": "grace@ada.example", "label": "work"}]
    await sales.act(customer, "people", 201, name="Edsger")
    await sales.put(customer, f"/people/{grace['id']}", name="Grace H.", position="Buyer")
    assert [one["name"] for one in (await sales.read(customer))["people"]] == ["Grace H.", "Edsger"]
    gone = await sales.h.client.delete(f"{AT}/{customer['id']}/people/{grace['id']}")
    assert gone.status_code == 204
    newest = (await sales.h.published(CustomerUpdated))[-1].event
    assert [one.name for one in newest.people] == ["Edsger"]
    again = await sales.h.client.delete(f"{AT}/{customer['id']}/people/{grace['id']}")
    assert again.status_code == 404
    kept = await sales.put(customer, "", name="Ada Works", currency="EUR")
    assert [one["name"] for one in kept["people"]] == ["Edsger"]


async def test_who_looks_after_a_customer_must_be_there(sales: Sales) -> None:
    customer = await sales.create()
    assert (await sales.assigned(customer, sales.bo))["sales_rep_id"] == str(sales.bo)
    assert (await sales.assigned(customer, sales.bo))["version"] == 3, "the same again changes nothing"
    assert (await sales.assigned(customer, uuid7(), 409))["type"].endswith("not-yet-known")
    assert (await sales.assigned(customer, uuid4(), 422))["errors"][0]["field"] == "/sales_rep_id"
    await sales.leaves(sales.cy)
    assert (await sales.assigned(customer, sales.cy, 422))["errors"][0]["field"] == "/sales_rep_id"
    (assigned,) = [one.event for one in await sales.h.published(CustomerAssigned)]
    assert (assigned.sales_rep_id, assigned.previous_sales_rep_id) == (sales.bo, None)
    mine = await sales.h.client.get(f"{AT}/by-sales/{sales.bo}")
    assert [item["id"] for item in mine.json()["items"]] == [customer["id"]]
    assert (await sales.h.client.get(f"{AT}/by-sales/{sales.cy}")).json()["items"] == []
    assert (await sales.h.client.get(f"{AT}/by-sales/{uuid7()}")).status_code == 404


async def test_a_price_list_must_be_in_use_when_it_is_chosen(sales: Sales) -> None:
    id = uuid7()
    listed = PriceListCreated(price_list_id=id, code="TRADE", name="Trade", currency="EUR", prices=[])
    await sales.h.deliver(listed, aggregate_id=id)
    customer = await sales.create(price_list_id=str(id))
    await sales.h.deliver(PriceListDeleted(price_list_id=id, code="TRADE"), aggregate_id=id)
    await sales.put(customer, "", name="Ada", currency="EUR", price_list_id=str(id))
    other = await sales.create("Other")
    refused = await sales.put(other, "", 422, name="Other", currency="EUR", price_list_id=str(id))
    assert refused["errors"][0]["field"] == "/price_list_id"


async def test_the_currency_stays_while_a_limit_is_set_in_it(sales: Sales) -> None:
    customer = await sales.create()
    limited = await sales.put(customer, "/credit", credit_limit=500_000, reason="Pays in time")
    assert limited["credit_limit"] == 500_000
    refused = await sales.put(customer, "", 422, name="Ada Works", currency="JPY")
    assert refused["errors"][0]["field"] == "/currency"
    await sales.put(customer, "/credit", credit_limit=None, reason="Prepays")
    await sales.put(customer, "", name="Ada Works", currency="JPY")
    changes = [one.event for one in await sales.h.published(CustomerCreditChanged)]
    assert [(one.previous_credit_limit, one.credit_limit) for one in changes] == [(None, 500_000), (500_000, None)]


async def test_credit_needs_a_scope_of_its_own(sales: Sales) -> None:
    customer = await sales.create()
    writer = sales.h.client_as("customers:read customers:write")
    limit = {"credit_limit": 1, "reason": "Because"}
    assert (await writer.put(f"{AT}/{customer['id']}/credit", json=limit)).status_code == 403


async def test_consents_and_the_profile_are_kept_with_when_and_how(sales: Sales) -> None:
    customer = await sales.create(kind="person")
    asked = {"given_at": "2026-01-15T09:00:00Z", "source": "Form 12"}
    await sales.put(customer, "/consents", purpose="marketing_email", granted=True, **asked)
    shown = await sales.put(customer, "/consents", purpose="profiling", granted=False, **asked)
    assert {purpose: one["granted"] for purpose, one in shown["consents"].items()} == {
        "marketing_email": True,
        "profiling": False,
    }
    for purpose, numbers in (("marketing_email", [customer["number"]]), ("profiling", []), ("data_sharing", [])):
        found = (await sales.h.client.get(AT, params={"consent": purpose})).json()["items"]
        assert [each["number"] for each in found] == numbers
    assert (await sales.h.client.get(AT, params={"consent": "everything"})).status_code == 422
    refused = await sales.put(
        customer, "/consents", 422, purpose="marketing_email", granted=True, given_at="2199-01-01T00:00:00Z", source="?"
    )
    assert refused["errors"][0]["field"] == "/given_at"
    # A company may say how long ago is long ago.
    policy = TenantDatePolicyChanged(tenant_id=sales.h.tenant, bounds=[DateBounds(kind="consent", days_back=1)])
    await sales.h.deliver(policy, aggregate_id=sales.h.tenant)
    refused = await sales.put(customer, "/consents", 422, purpose="profiling", granted=True, **asked)
    assert refused["errors"][0]["field"] == "/given_at"
    profile = {
        "risk_tolerance": "balanced",
        "experience": "good",
        "objectives": ["growth", "income"],
        "horizon_years": 10,
        "assets": 1_000_000,
        "reviewed_on": "2026-01-15",
        "review_due_on": "2027-01-15",
    }
    assert (await sales.put(customer, "/profile", **profile))["profile"] == {**profile, "currency": "EUR"}
    late = await sales.put(customer, "/profile", 422, **{**profile, "review_due_on": "2026-01-15"})
    assert "review_due_on" in late["detail"]
    bounds = [DateBounds(kind="review", days_back=2, days_ahead=3)]
    policy = TenantDatePolicyChanged(tenant_id=sales.h.tenant, bounds=bounds)
    await sales.h.deliver(policy, aggregate_id=sales.h.tenant)

    async def reviewed(back: int, ahead: int) -> str:
        """The field that is refused, if any: so many days ago, and in so many days."""
        said = {
            "reviewed_on": str(today() - timedelta(days=back)),
            "review_due_on": str(today() + timedelta(days=ahead)),
        }
        answer = await sales.h.client.put(f"{AT}/{customer['id']}/profile", json={**profile, **said})
        return "" if answer.status_code == 200 else str(answer.json()["errors"][0]["field"])

    assert [await reviewed(*each) for each in ((1, 2), (4, 2), (1, 5))] == ["", "/reviewed_on", "/review_due_on"]


async def test_what_is_deleted_is_found_no_more_and_frees_its_number(sales: Sales) -> None:
    customer = await sales.create("Ada Works", number="A-1")
    assert (await sales.h.client.delete(f"{AT}/{customer['id']}")).status_code == 204
    assert await sales.found("ada") == []
    assert (await sales.h.client.get(f"{AT}/{customer['id']}")).status_code == 404
    assert await sales.h.admin.fetchval("SELECT count(*) FROM search_entry WHERE id = $1", customer["id"]) == 0
    other = await sales.create("Another", number="A-1")
    taken = await sales.act(customer, "restore", 409)
    assert (taken["type"], taken["errors"][0]["field"]) == ("urn:tailrace:problem:code-taken", "/number")
    assert (await sales.h.client.delete(f"{AT}/{other['id']}")).status_code == 204
    assert (await sales.act(customer, "restore"))["number"] == "A-1"
    assert await sales.found("ada") == ["Ada Works"]


async def test_a_restored_customer_is_not_looked_after_by_somebody_who_left(sales: Sales) -> None:
    customer = await sales.create()
    await sales.assigned(customer, sales.bo)
    assert (await sales.h.client.delete(f"{AT}/{customer['id']}")).status_code == 204
    await sales.leaves(sales.bo)
    await sales.h.fire_timers()
    assert (await sales.act(customer, "restore"))["sales_rep_id"] is None


async def test_a_customer_is_not_restored_with_what_is_deleted(sales: Sales) -> None:
    """Its price list; and whom it was merged into."""
    retail = uuid7()
    listed = PriceListCreated(price_list_id=retail, code="RETAIL", name="Retail", currency="EUR", prices=[])
    await sales.h.deliver(listed, aggregate_id=retail)
    ada, twin = await sales.create(price_list_id=str(retail)), await sales.create("Twin")
    await sales.act(twin, "merge", into_customer_id=ada["id"], reason="The same")
    for one in (twin, ada):
        assert (await sales.h.client.delete(f"{AT}/{one['id']}")).status_code == 204
    await sales.h.deliver(PriceListDeleted(price_list_id=retail, code="RETAIL"), aggregate_id=retail)
    for one, field in ((twin, "/merged_into_id"), (ada, "/price_list_id")):
        refused = await sales.act(one, "restore", 409)
        assert (refused["type"], refused["errors"][0]["field"]) == ("urn:tailrace:problem:refers-to-deleted", field)
    restored = PriceListRestored(price_list_id=retail, code="RETAIL", name="Retail", currency="EUR", prices=[])
    await sales.h.deliver(restored, aggregate_id=retail)
    for one in (ada, twin):
        await sales.act(one, "restore")


async def test_tax_numbers_and_telephone_numbers_are_checked(sales: Sales) -> None:
    right = [
        ("DE", "136 695 976", "136695976"),
        ("JP", "T5835678256246", "5835678256246"),
        ("FR", "40303265045", "40303265045"),
        ("AQ", "penguin 7", "PENGUIN 7"),
        ("AQ", "Ｐｅｎｇｕｉｎ　７", "PENGUIN 7"),
        ("JP", "Ｔ５８３５６７８２５６２４６", "5835678256246"),
        ("DE", "１３６６９５９７６", "136695976"),
    ]
    for number, (country, given, kept) in enumerate(right):
        customer = await sales.create(f"Right {number}", tax_ids=[{"country": country, "number": given}])
        assert customer["tax_ids"] == [{"country": country, "number": kept}]
    for country, wrong in (("DE", "136695977"), ("JP", "T5835678256247"), ("FR", "41303265045")):
        answer = await sales.h.client.post(
            AT, json={"name": "Wrong", "currency": "EUR", "tax_ids": [{"country": country, "number": wrong}]}
        )
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/tax_ids/0/number")
    phone = (await sales.create("Phone", phones=[{"number": "+81 (3) 1234-5678"}]))["phones"]
    assert phone == [{"number": "+81312345678", "label": "work"}]
    local = await sales.h.client.post(AT, json={"name": "L", "currency": "EUR", "phones": [{"number": "03-1234"}]})
    assert (local.status_code, local.json()["errors"][0]["field"]) == (422, "/phones/0/number")


async def test_a_consent_of_a_plain_day_is_of_the_companys(sales: Sales, clock: SetClock) -> None:
    clock("2026-11-02T07:00:00+09:00")
    await sales.h.count_days_in("Asia/Tokyo")
    customer = await sales.create(kind="person")
    said = {"purpose": "profiling", "granted": True, "source": "Form 12"}
    shown = await sales.put(customer, "/consents", given_at="2026-11-02", **said)
    assert shown["consents"]["profiling"]["given_at"] == "2026-11-01T15:00:00Z"
    refused = await sales.put(customer, "/consents", 422, given_at="2026-11-03", **said)
    assert refused["errors"][0]["field"] == "/given_at"
