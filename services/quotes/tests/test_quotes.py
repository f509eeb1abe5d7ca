"""What a quote is made of: prices of lists and agreed ones, discounts, texts, options, and what its customer's copy says."""

from datetime import timedelta
from typing import Any

import pytest
from printed import text_of

from contracts.quotes import QuoteAccepted, QuoteCreated
from tailrace_testing import today

from .conftest import AT, Desk


async def test_a_quote_is_priced_by_the_customers_list_and_taxed_by_its_day(desk: Desk) -> None:
    quote = await desk.create(desk.line(), desk.line(item_id=str(desk.flour), quantity="2.5"))
    assert quote["number"] == f"Q-{today().year}-00001"
    assert (quote["revision"], quote["status"], quote["currency"]) == (1, "draft", "EUR")
    assert (quote["dated"], quote["valid_until"]) == (str(today()), str(today() + timedelta(days=30)))
    assert [(line["list_price"], line["net"], line["tax"]) for line in quote["lines"]] == [
        ("120.5", 1205, 121),
        ("80", 200, 16),
    ]
    assert (quote["net"], quote["tax"], quote["total"]) == (1405, 137, 1542)
    assert quote["customer"] == {
        "name": "Ada Works",
        "number": "C-1",
        "lines": ["12 Analytical Row", "KT1 Ockham", "GB"],
        "tax_id": None,
        "contact": None,
        "language": "en",
    }
    assert quote["payment_terms_days"] == 14
    (created,) = [one.event for one in await desk.h.published()]
    assert isinstance(created, QuoteCreated)
    assert (created.net, created.customer_name) == (1405, "Ada Works")


async def test_discounts_by_line_and_on_the_whole(desk: Desk) -> None:
    """1,205 less 10 % is 1,084.5, rounded 1,085; with 100 that is 1,185; 5 % of it are 59.25, rounded 59."""
    quote = await desk.create(
        desk.line(discount_rate="0.1"), desk.line(quantity="1", unit_price="100"), discount_rate="0.05"
    )
    assert [line["amount"] for line in quote["lines"]] == [1085, 100]
    assert (quote["discount"], quote["net"]) == (59, 1126)
    assert [line["net"] for line in quote["lines"]] == [1031, 95]
    assert quote["tax"] == 113


async def test_a_box_costs_as_many_pieces_as_it_holds(desk: Desk) -> None:
    quote = await desk.create(desk.line(quantity="2", unit="box"))
    (line,) = quote["lines"]
    assert (line["quantity"], line["unit"], line["unit_price"], line["net"]) == ("2", "box", "1446", 2892)


async def test_what_a_price_or_a_cost_of_one_cannot_hold_is_named_or_not_known(desk: Desk) -> None:
    await desk.prices(("1", "100000000000"))
    refused = await desk.create(desk.line(quantity="1", unit="box"), status=422)
    assert refused["errors"][0]["field"] == "/lines/0/unit", refused
    large = [desk.line(quantity="1000", unit_price="999999999999")] * 2
    refused = await desk.create(*large, discount_rate="0.9", status=422)
    assert refused["errors"][0]["field"] == "/lines", refused
    await desk.came_in(desk.bolt, "10", 500, days_ago=1)
    await desk.came_in(desk.bolt, "1", 10**15)
    quote = await desk.create(desk.line(quantity="1000000", unit_price="0.01"))
    here = f"/v1/quotes/{quote['id']}"
    earned = (await desk.h.client.get(f"{here}/margin")).json()
    assert (earned["cost"], earned["lines"][0]["unit_cost"]) == (None, None)
    costs = {"lines": [{"line_id": quote["lines"][0]["id"], "unit_cost": "999999999999"}]}
    said = await desk.h.client.put(f"{here}/costs", json=costs)
    assert said.status_code == 200, said.text
    assert (said.json()["cost"], said.json()["margin"]) == (999_999_999_999 * 10**6, 10_000 - 999_999_999_999 * 10**6)


async def test_texts_options_and_alternatives_are_no_part_of_the_total(desk: Desk) -> None:
    quote = await desk.create(
        desk.text("For the bridge"),
        desk.line(),
        desk.line(quantity="1", inclusion="optional"),
        desk.line(quantity="5", inclusion="alternative", alternative_to=2),
    )
    assert [(line["kind"], line["counts"], line["net"]) for line in quote["lines"]] == [
        ("text", False, 0),
        ("item", True, 1205),
        ("item", False, 150),
        ("item", False, 750),
    ]
    assert quote["net"] == 1205


@pytest.mark.parametrize(
    "case",
    [
        ({"quantity": "0.5"}, "/lines/0/quantity"),
        ({"unit": "barrel"}, "/lines/0/unit"),
        ({"unit_price": "1", "discount_rate": "0.1"}, "/lines/0/unit_price", "/lines/0/discount_rate"),
        ({"inclusion": "alternative"}, "/lines/0/alternative_to"),
        ({"inclusion": "alternative", "alternative_to": 1}, "/lines/0/alternative_to"),
        ({"kind": "text", "name": "Bolt"}, "/lines/0/item_id", "/lines/0/quantity"),
        ({"discount_rate": "1.01"}, "/lines/0/discount_rate"),
        ({"quantity": "999999999999", "unit_price": "999999999999"}, "/lines/0/unit_price"),
    ],
)
async def test_a_line_that_says_no_one_thing_is_refused(desk: Desk, case: tuple[Any, ...]) -> None:
    line, *fields = case
    refused = await desk.create(desk.line(**line), status=422)
    assert [error["field"] for error in refused["errors"]] == fields
    assert await desk.h.published() == []


@pytest.mark.parametrize(
    "case",
    [
        ({"currency": "USD"}, "/lines/0/unit_price"),
        ({"valid_until": -1}, "/valid_until"),
        ({"valid_until": 4000}, "/valid_until"),
        ({"dated": -400}, "/dated"),
        ({"customer_id": "0196f0a0-0000-7000-8000-000000000000"}, "/customer_id"),
        ({"warehouse_id": "0196f0a0-0000-7000-8000-000000000000"}, "/warehouse_id"),
        ({"contact_id": "0196f0a0-0000-7000-8000-000000000000"}, "/contact_id"),
        ({"discount_amount": 1206}, "/discount_amount"),
        ({"discount_amount": 1, "discount_rate": "0.1"}, "/discount_rate", "/discount_amount"),
    ],
)
async def test_terms_that_cannot_be_are_refused(desk: Desk, case: tuple[Any, ...]) -> None:
    given, *fields = case
    days = {name: str(today() + timedelta(days=given[name])) for name in given.keys() & {"valid_until", "dated"}}
    refused = await desk.create(status=422, **given | days)
    assert [error["field"] for error in refused["errors"]] == fields
    assert await desk.h.published() == []


async def test_a_service_is_quoted_discounted_and_taxed_as_goods_are(desk: Desk) -> None:
    hours = desk.line(item_id=str(desk.hour), quantity="2.5", unit_price="8000")
    quote = await desk.create(desk.line(quantity="1", unit_price="1000"), hours, discount_rate="0.1")
    service = quote["lines"][1]
    assert (service["sku"], service["unit"], service["net"], service["tax"]) == ("HOUR", "h", 18_000, 1_800)
    assert (quote["net"], quote["tax"]) == (18_900, 1_890)


async def test_a_customers_later_name_does_not_change_the_document(desk: Desk) -> None:
    quote = await desk.create(contact_id=str(desk.person))
    await desk.customer(desk.ada, "C-1", "Lovelace Works")
    now = await desk.read(quote)
    assert (now["customer"]["name"], now["customer"]["contact"]) == ("Ada Works", "Bo Buyer")
    assert (await desk.put(quote))["customer"]["name"] == "Lovelace Works"


async def test_lists_are_narrowed_and_found_by_number(desk: Desk) -> None:
    first, second = await desk.create(), await desk.create(valid_until=str(today() + timedelta(days=3)))
    await desk.act(second, "cancel", reason="no")

    async def found(**narrowed: Any) -> list[str]:
        page = await desk.h.client.get(AT, params=narrowed)
        assert page.status_code == 200, page.text
        return [one["id"] for one in page.json()["items"]]

    assert await found(number=second["number"]) == [second["id"]]
    assert await found(status="draft") == [first["id"]]
    assert await found(valid_until_until=str(today() + timedelta(days=4))) == [second["id"]]
    assert await found(customer_id=str(desk.ada), owner_id=str(desk.h.user)) == [first["id"], second["id"]]
    assert await found(owner_id=str(desk.ada)) == []


async def test_terms_of_payment_are_printed_and_go_with_the_acceptance(desk: Desk) -> None:
    agreed, said = await desk.sent(), await desk.sent(payment_terms_days=60)
    for quote, days in ((agreed, 14), (said, 60)):
        printed = text_of((await desk.h.client.get(f"{AT}/{quote['id']}/document")).content)
        assert f"Paymentterms{days}daysaftertheinvoice" in printed
        await desk.act(quote, "accept")
    told = [one.event for one in await desk.h.published(QuoteAccepted)]
    assert [one.payment_terms_days for one in told] == [14, 60]


async def test_other_terms_of_payment_are_another_document(desk: Desk) -> None:
    quote = await desk.waiting()
    before = await desk.subject()
    await desk.put(quote, desk.line(discount_rate="0.2"), payment_terms_days=90)
    await desk.act(quote, "submit")
    assert (await desk.subject()).sha256 != before.sha256


async def test_the_opportunity_that_a_quote_is_for_goes_with_it_to_the_end(desk: Desk) -> None:
    opportunity = str(await desk.opportunity())
    quote = await desk.sent(opportunity_id=opportunity)
    assert quote["opportunity_id"] == opportunity
    revised = await desk.act(quote, "revise", 201)
    assert revised["opportunity_id"] == opportunity
    await desk.act(revised, "submit")
    await desk.act(revised, "send")
    await desk.act(revised, "accept")
    (told,) = await desk.h.published(QuoteAccepted)
    assert str(told.event.opportunity_id) == opportunity
    listed = await desk.h.client.get(AT, params={"opportunity_id": opportunity})
    assert [each["revision"] for each in listed.json()["items"]] == [1, 2]
