"""What the company's template says of invoices, credit notes and reminders: how they are numbered and look, and what else is said of them."""

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from billing import ISSUER, Billing, beginning
from printed import text_of

from accounting.invoices.numbering import next_number
from accounting.invoices.refusals import OutOfOrder
from contracts.catalog import TemplateChoiceUpdated, TemplateCreated, TemplateUpdated
from contracts.invoices import InvoiceCreated, InvoiceIssued, InvoiceUpdated
from contracts.templates import TemplateSettings
from tailrace.core.ids import uuid7
from tailrace_testing import today

PROJECT = {"key": "project", "label": "Project", "required": True, "pattern": "^P-"}
GROUP = {"key": "group", "label": "Group", "kind": "choice", "choices": ["north", "south"]}
FIELDS = {"invoice": [PROJECT, GROUP]}


def year() -> int:
    return today().year


async def says(billing: Billing, id: UUID | None = None, /, **said: object) -> UUID:
    """The company's template says this; instead of what it said before, by its id."""
    template = id or uuid7()
    settings = TemplateSettings.model_validate(said)
    told = (TemplateCreated if id is None else TemplateUpdated)(
        template_id=template,
        code="H",
        name="House",
        level="standard",
        parent_id=None,
        settings=settings,
        effective=settings,
    )
    await billing.h.deliver(told, aggregate_id=template)
    if id is None:
        choice = uuid7()
        chosen = TemplateChoiceUpdated(template_choice_id=choice, template_id=template)
        await billing.h.deliver(chosen, aggregate_id=choice)
    return template


async def number(billing: Billing, **body: Any) -> str:
    return str((await billing.invoiced(**body))["number"])


async def test_numbers_have_the_form_of_the_template_and_count_on(billing: Billing) -> None:
    assert await number(billing) == f"INV-{year()}-00001"
    template = await says(billing, numbering={"invoice": "R{series}/{number:04}", "credit_note": "G-{series}.{number}"})
    invoice = await billing.invoiced()
    assert invoice["number"] == f"R{year()}/0002"
    note = await billing.post(f"/invoices/{invoice['id']}/credit-notes", reason="Broken")
    assert note["number"] == f"G-{year()}.1"
    await says(billing, template)
    assert await number(billing) == f"INV-{year()}-00003"
    note = await billing.post(f"/invoices/{(await billing.invoiced())['id']}/credit-notes", reason="Broken")
    assert note["number"] == f"CN-{year()}-00002"
    assert (await billing.read(invoice))["number"] == invoice["number"], "what is issued keeps its number"


async def test_what_accounting_says_itself_comes_before_the_template(billing: Billing) -> None:
    assert (await billing.get("/billing"))["number_prefix"] is None
    await says(billing, numbering={"invoice": "R-{series}-{number}"})
    await billing.put("/billing", number_prefix="HW", issuer=ISSUER)
    assert await number(billing) == f"HW-{year()}-00001"
    await billing.put("/billing", number_prefix=None, issuer=ISSUER)
    assert await number(billing) == f"R-{year()}-2"


async def test_no_number_is_given_twice_nor_left_out_whatever_forms_print_it(billing: Billing) -> None:
    assert [await number(billing) for _ in range(2)] == [f"INV-{year()}-00001", f"INV-{year()}-00002"]
    # Without a series, it counts by itself from one; the first two are there.
    template = await says(billing, numbering={"invoice": f"INV-{year()}-" + "{number:05}"})
    assert await number(billing) == f"INV-{year()}-00003"
    await says(billing, template)
    assert [await number(billing) for _ in range(2)] == [f"INV-{year()}-00004", f"INV-{year()}-00005"]


async def test_who_issues_at_once_while_the_form_changes_leaves_no_gap(billing: Billing) -> None:
    """Both forms write the same, and each counts in a series of its own."""
    template = await says(billing, numbering={"invoice": "INV-{series}-{number:05}"})
    drafts = []
    for _ in range(6):
        shipment = await billing.ship(await billing.order(("1", 500, "0.1")))
        drafts.append(await billing.post("/invoices", shipment_ids=[str(shipment)]))
    changed = says(billing, template, numbering={"invoice": f"INV-{year()}-{{number:05}}"})
    issued, _ = await asyncio.gather(asyncio.gather(*(billing.issue(each) for each in drafts)), changed)
    assert sorted(each["number"] for each in issued) == [f"INV-{year()}-{at:05}" for at in range(1, 7)]


async def test_numbers_follow_days_within_the_year_and_without_a_series_always(billing: Billing) -> None:
    last, first = date(year() - 1, 12, 31), date(year(), 1, 1)

    async def given(day: date, *, said: bool = True) -> tuple[str, date]:
        async with billing.h.tx() as tx:
            return await next_number(tx, "invoice", day, said=said)

    await billing.invoiced(dated=first.isoformat())
    assert await given(last) == (f"INV-{year() - 1}-00001", last), "the year before has days of its own"
    template = await says(billing, numbering={"invoice": "R{number}"})
    with pytest.raises(OutOfOrder):
        await given(last)
    assert await given(last, said=False) == ("R1", first)
    await says(billing, template, numbering={"invoice": "{series}/{number}"})
    assert (await given(last))[0] == f"{year() - 1}/2"


async def test_documents_look_as_the_template_says_and_say_the_same(billing: Billing) -> None:
    invoice = await billing.invoiced()
    note = await billing.post(f"/invoices/{invoice['id']}/credit-notes", reason="Broken", lines=_part(invoice))
    papers = [f"/invoices/{invoice['id']}", f"/credit-notes/{note['id']}"]
    for at, title in zip(papers, ("Invoice", "Creditnote"), strict=True):
        assert title in await printed(billing, at) and "Unitprice" in await printed(billing, at)
    words = {"title": {"invoice": "Bill", "credit_note": "Refund slip", "reminder": "Nudge"}, "item": "What we did"}
    columns = ["item", "quantity", "amount"]
    await says(billing, layout={"columns": columns, "footer": "Registered in London", "words": {"en": words}})
    for at, title in zip(papers, ("Bill", "Refundslip"), strict=True):
        text = await printed(billing, at)
        assert all(word in text for word in (title, "Whatwedid", "RegisteredinLondon", "Quantity"))
        assert "Unitprice" not in text
    assert invoice["number"] in await printed(billing, papers[0])


async def test_a_reminder_looks_as_the_template_says_with_the_columns_that_it_has(billing: Billing) -> None:
    await billing.put("/dunning-policy", levels=[{"days": 1}])
    old = (today() - timedelta(days=60)).isoformat()
    invoice = await billing.invoiced(dated=old)
    notice = await billing.post("/dunning-notices", invoice_id=invoice["id"])
    plain = await printed(billing, f"/dunning-notices/{notice['id']}")
    assert "Quantity" not in plain and "Nudge" not in plain
    words = {"title": {"reminder": "Nudge"}}
    await says(billing, layout={"columns": ["quantity", "item", "amount"], "words": {"en": words}})
    text = await printed(billing, f"/dunning-notices/{notice['id']}")
    assert "Nudge" in text and "Quantity" not in text and invoice["number"] in text


async def test_a_person_is_asked_for_the_companys_own_fields(billing: Billing) -> None:
    order = await billing.order(("10", 10_000, "0.1"))
    shipment = str(await billing.ship(order))
    await says(billing, fields=FIELDS)
    for values, field in (
        ({}, "project"),
        ({"project": "X"}, "project"),
        ({"project": "P-1", "group": "east"}, "group"),
        ({"project": "P-1", "other": "x"}, "other"),
    ):
        refused = await billing.post("/invoices", 422, shipment_ids=[shipment], custom_fields=values)
        assert [each["field"] for each in refused["errors"]] == [f"/custom_fields/{field}"]
    own = {"project": "P-1", "group": "south"}
    draft = await billing.post("/invoices", shipment_ids=[shipment], custom_fields=own)
    assert draft["custom_fields"] == own
    refused = await billing.put(f"/invoices/{draft['id']}", 422, payment_terms_days=7)
    assert [each["field"] for each in refused["errors"]] == ["/custom_fields/project"]
    own = {"project": "P-2"}
    changed = await billing.put(f"/invoices/{draft['id']}", payment_terms_days=7, custom_fields=own)
    assert changed["custom_fields"] == own
    issued = await billing.issue(changed)
    assert (await billing.read(issued))["custom_fields"] == own
    drafted = [each.event.custom_fields for each in await billing.h.published(InvoiceCreated)]
    changes = [each.event.custom_fields for each in await billing.h.published(InvoiceUpdated)]
    issues = [each.event.custom_fields for each in await billing.h.published(InvoiceIssued)]
    assert [*drafted, *changes, *issues] == [draft["custom_fields"], own, own]


async def test_a_prepayment_has_them_too(billing: Billing) -> None:
    order = await billing.order(("10", 10_000, "0.1"))
    await says(billing, fields=FIELDS)
    asked = {"order_id": str(order.id), "prepayment": {"share": "0.5"}}
    refused = await billing.post("/invoices", 422, **asked)
    assert [each["field"] for each in refused["errors"]] == ["/custom_fields/project"]
    draft = await billing.post("/invoices", custom_fields={"project": "P-1"}, **asked)
    changed = await billing.put(
        f"/invoices/{draft['id']}", payment_terms_days=3, custom_fields={"project": "P-2", "group": None}
    )
    assert (draft["custom_fields"], changed["custom_fields"]) == ({"project": "P-1"}, {"project": "P-2"})
    assert (await billing.issue(changed))["status"] == "issued"


async def test_what_arises_by_itself_is_asked_for_nothing_until_a_person_issues_it(billing: Billing) -> None:
    await says(billing, fields=FIELDS)
    await billing.put("/billing", mode="per_shipment", issues=True, issuer=ISSUER)
    await billing.ship(await billing.order(("1", 100, "0.1")))
    await billing.put("/billing", mode="per_shipment", issues=False, issuer=ISSUER)
    await billing.ship(await billing.order(("1", 200, "0.1")))
    made = {each["net"]: each for each in (await billing.get("/invoices"))["items"]}
    assert (made[100]["status"], made[200]["status"]) == ("issued", "draft")
    assert (await billing.read(made[100]))["custom_fields"] == {}
    refused = await billing.post(f"/invoices/{made[200]['id']}/issue", 422)
    assert [each["field"] for each in refused["errors"]] == ["/custom_fields/project"]
    await billing.put(f"/invoices/{made[200]['id']}", payment_terms_days=7, custom_fields={"project": "P-1"})
    assert (await billing.issue(made[200]))["number"] == f"INV-{year()}-00002"


async def test_a_template_that_changes_changes_no_draft(billing: Billing) -> None:
    template = await says(billing, fields=FIELDS)
    shipment = await billing.ship(await billing.order(("1", 100, "0.1")), at=beginning(today().isoformat()))
    own = {"project": "P-1", "group": "north"}
    draft = await billing.post("/invoices", shipment_ids=[str(shipment)], custom_fields=own)
    await says(billing, template, fields={"invoice": [PROJECT]})
    assert (await billing.issue(draft))["custom_fields"] == own, "what it says, it keeps"


def _part(invoice: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"line_id": invoice["lines"][0]["id"], "net": 1_000}]


async def printed(billing: Billing, at: str) -> str:
    made = await billing.h.client.get(f"/v1/accounting{at}/document")
    assert made.status_code == 200, made.text
    return text_of(made.content)
