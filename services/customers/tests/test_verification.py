"""A customer's tax id is checked by a partner on a real port, whatever that partner does, and a changed one takes no late answer."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from partner import DROP, PartnerListener, answer

from contracts.customers import CustomerTaxIdChecked
from tailrace.core.ids import uuid7
from tailrace.settings import PartnerAddress

from .conftest import AT, Sales

TAX = {"country": "DE", "number": "136695976"}
OTHER = {"country": "DE", "number": "129274202"}
VALID = answer(body=b'{"result": "valid", "reference": "V-1", "checked_on": "2026-11-27"}')


@pytest.fixture
async def office(sales: Sales) -> AsyncIterator[PartnerListener]:
    async with PartnerListener([VALID]) as office:
        sales.h.settings.partners = {"verification": PartnerAddress(url=office.url + "/verification")}
        sales.h.settings.errands_allow = [office.target]
        yield office


async def _check(sales: Sales, customer: dict[str, Any]) -> dict[str, Any]:
    (check,) = (await sales.read(customer))["tax_id_checks"]
    return {name: check[name] for name in ("result", "checked_on", "reference")}


async def _said(sales: Sales) -> list[str]:
    return [each.event.result for each in await sales.h.published(CustomerTaxIdChecked)]


async def test_what_the_partner_says_is_noted_with_its_reference_and_day(sales: Sales, office: PartnerListener) -> None:
    ada = await sales.create(tax_ids=[TAX, OTHER])
    accepted = await sales.act(ada, "verify-tax-id", 202, **TAX)
    assert accepted["tax_id_checks"][0]["result"] == "asked"
    assert await sales.h.run_errands() == 1
    assert (office.asked[0].line, office.asked[0].body) == (
        "POST /verification/tax-ids HTTP/1.1",
        b'{"country": "DE", "number": "136695976"}',
    )
    assert await _check(sales, ada) == {"result": "valid", "checked_on": "2026-11-27", "reference": "V-1"}
    (said,) = await sales.h.published(CustomerTaxIdChecked)
    assert said.event.model_dump(mode="json", exclude={"customer_id"}) == {
        **TAX,
        "result": "valid",
        "reference": "V-1",
        "checked_on": "2026-11-27",
    }


@pytest.mark.parametrize(
    "bad",
    [
        DROP,
        answer(503),
        answer(200, b"<html>", kind="text/html"),
        answer(200, b'{"result": "perhaps"}'),
        answer(200, b'{"result": "valid", "reference": "V\\u0000", "checked_on": "2026-11-27"}'),
        answer(200, b'{"result": "valid", "reference": "V", "checked_on": 1795737600}'),
    ],
)
async def test_what_settles_nothing_is_asked_again(sales: Sales, office: PartnerListener, bad: bytes) -> None:
    office.answers = [bad, VALID]
    ada = await sales.create(tax_ids=[TAX])
    await sales.act(ada, "verify-tax-id", 202, **TAX)
    await sales.h.run_errands()
    assert (await _check(sales, ada))["result"] == "asked"
    await sales.h.make_errands_due()
    await sales.h.run_errands()
    assert await _said(sales) == ["valid"]


async def test_who_does_not_answer_in_time_left_it_unanswered(sales: Sales, office: PartnerListener) -> None:
    office.answers = [answer(404)]
    ada = await sales.create(tax_ids=[TAX])
    await sales.act(ada, "verify-tax-id", 202, **TAX)
    await sales.h.run_errands()
    assert await _check(sales, ada) == {"result": "unanswered", "checked_on": None, "reference": None}


@pytest.mark.parametrize("then", ["replaced", "deleted", "replaced and back", "merged"])
async def test_a_late_answer_is_void_when_the_tax_id_is_another(
    sales: Sales, office: PartnerListener, then: str
) -> None:
    ada, other = await sales.create(tax_ids=[TAX]), await sales.create("Bea", tax_ids=[])
    await sales.act(ada, "verify-tax-id", 202, **TAX)
    if then == "deleted":
        assert (await sales.h.client.delete(f"{AT}/{ada['id']}")).status_code == 204
    elif then == "merged":
        await sales.act(ada, "merge", into_customer_id=other["id"], reason="Same")
    else:
        await sales.put(ada, "", name="Ada", currency="EUR", tax_ids=[OTHER])
        if then == "replaced and back":
            await sales.put(ada, "", name="Ada", currency="EUR", tax_ids=[TAX])
    assert await sales.h.run_errands() == 1
    # A merged one is still itself, and has that tax id.
    assert await _said(sales) == (["valid"] if then == "merged" else [])
    if then != "deleted":
        assert len((await sales.read(ada))["tax_id_checks"]) == (1 if then == "merged" else 0)
    assert await sales.h.admin.fetchval("SELECT count(*) FROM errand") == 0


async def test_asked_twice_the_newer_one_counts_and_the_older_is_given_up(
    sales: Sales, office: PartnerListener
) -> None:
    ada = await sales.create(tax_ids=[TAX])
    for _ in range(2):
        await sales.act(ada, "verify-tax-id", 202, **TAX)
    assert await sales.h.run_errands() == 1
    assert await _said(sales) == ["valid"]
    # Once it is settled it can be asked again.
    await sales.act(ada, "verify-tax-id", 202, **TAX)
    assert (await _check(sales, ada))["result"] == "asked"
    await sales.h.run_errands()
    assert await _said(sales) == ["valid", "valid"]


async def test_refused_with_the_field_and_nothing_happens(sales: Sales, office: PartnerListener) -> None:
    ada = await sales.create(tax_ids=[TAX])
    refused = await sales.act(ada, "verify-tax-id", 422, **OTHER)
    assert [error["field"] for error in refused["errors"]] == ["/number"]
    await sales.act(ada, "verify-tax-id", 422, country="DE", number="1")
    await sales.act({"id": str(uuid7())}, "verify-tax-id", 404, **TAX)
    sales.h.settings.partners = {}
    assert (await sales.act(ada, "verify-tax-id", 409, **TAX))["type"].endswith("nobody-to-ask")
    assert await sales.h.admin.fetchval("SELECT count(*) FROM errand") == 0
    assert [each.type for each in await sales.h.published()] == ["customer.created"]
