"""Fields that the company adds to quotes: held to its template, told, kept by revisions, a part of what is approved, passed on when accepted."""

import csv
import io
import json
from typing import Any

import pytest

from contracts.quotes import QuoteAccepted, QuoteCreated, QuoteUpdated
from quotes.document import fingerprint
from quotes.models import Quote

from .conftest import AT, Desk
from .test_templates import says

PROJECT = {"key": "project", "label": "Project", "required": True}
FLOOR = {"key": "floor", "label": "Floor", "kind": "number", "decimals": 0}
FIELDS = {"quote": [PROJECT, FLOOR], "order": [{"key": "gate", "label": "Gate", "required": True}]}
OWN = {"project": "P-7", "floor": "3"}


async def test_values_are_held_to_the_template_told_and_exported(desk: Desk) -> None:
    await says(desk, fields=FIELDS)
    quote = await desk.create(custom_fields={"project": "P-7", "floor": 3})
    assert quote["custom_fields"] == (await desk.read(quote))["custom_fields"] == OWN
    changed = await desk.put(quote, custom_fields={"project": "P-8", "floor": None})
    assert changed["custom_fields"] == {"project": "P-8"}
    created, updated = [one.event for one in await desk.h.published()]
    assert isinstance(created, QuoteCreated) and isinstance(updated, QuoteUpdated)
    assert (created.custom_fields, updated.custom_fields) == (OWN, {"project": "P-8"})
    exported = (await desk.h.client.get(AT, headers={"Accept": "text/csv"})).text
    (row,) = csv.DictReader(io.StringIO(exported.removeprefix("\ufeff")))
    assert json.loads(row["custom_fields"]) == {"project": "P-8"}


@pytest.mark.parametrize(
    ("values", "field"),
    [({"floor": "3"}, "project"), ({**OWN, "floor": "1.5"}, "floor"), ({**OWN, "gate": "B"}, "gate")],
)
async def test_what_the_template_does_not_say_is_refused_by_name(
    desk: Desk, values: dict[str, Any], field: str
) -> None:
    await says(desk, fields=FIELDS)
    refused = await desk.create(status=422, custom_fields=values)
    assert [each["field"] for each in refused["errors"]] == [f"/custom_fields/{field}"]


async def test_without_a_template_there_is_no_field(desk: Desk) -> None:
    assert (await desk.create())["custom_fields"] == {}
    refused = await desk.create(status=422, custom_fields=OWN)
    assert {each["field"] for each in refused["errors"]} == {"/custom_fields/project", "/custom_fields/floor"}


async def test_what_a_quote_lacks_by_now_is_asked_for_when_it_is_changed_next(desk: Desk) -> None:
    before = await desk.create()
    await says(desk, fields=FIELDS)
    approved = await desk.act(before, "submit")
    assert (approved["status"], approved["custom_fields"]) == ("approved", {})
    await desk.act(approved, "send")
    revised = await desk.act(before, "revise", 201)
    assert revised["custom_fields"] == {}, "the same offer again is no change"
    refused = await desk.put(revised, status=422)
    assert [each["field"] for each in refused["errors"]] == ["/custom_fields/project"]


async def test_a_revision_keeps_them_and_an_acceptance_carries_them(desk: Desk) -> None:
    await says(desk, fields=FIELDS)
    revised = await desk.act(await desk.sent(custom_fields=OWN), "revise", 201)
    assert (revised["revision"], revised["custom_fields"]) == (2, OWN)
    await desk.act(revised, "submit")
    await desk.act(revised, "send")
    await desk.act(revised, "accept")
    (accepted,) = [one.event for one in await desk.h.published("quote.accepted")]
    assert isinstance(accepted, QuoteAccepted) and accepted.custom_fields == OWN
    page = await desk.h.client.get(await desk.link(revised))
    assert page.status_code == 200 and "custom_fields" not in page.json(), "the customer is not shown them"


async def test_an_approval_is_of_the_fields_too(desk: Desk) -> None:
    await says(desk, fields=FIELDS)
    made = await desk.create(custom_fields=OWN)
    async with desk.h.tx() as tx:
        quote = await tx.find(Quote, made["id"])
        first, same = (fingerprint(quote, "Acme Ltd", 1) for _ in range(2))
        tx.expunge(quote)
    quote.custom_fields = {**OWN, "floor": "4"}
    assert first == same != fingerprint(quote, "Acme Ltd", 1)
