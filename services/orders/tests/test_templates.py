"""What the company's template says of orders: fields of its own, and whether any leaves in parts."""

import csv
import io
import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.event import listen, remove

from contracts.catalog import TemplateChoiceUpdated, TemplateCreated, TemplateUpdated
from contracts.templates import TemplateSettings
from tailrace.core.ids import uuid7

from .conftest import Desk
from .test_from_quotes import accepted, only_order
from .test_imports import HEAD
from .test_reopening import reopened, versions
from .test_returns import Counter

AT = "/v1/orders"
GATE = {"key": "gate", "label": "Gate", "required": True, "pattern": "^[A-Z]$"}
FLOOR = {"key": "floor", "label": "Floor", "kind": "number", "decimals": 0}
FIELDS = {"order": [GATE, FLOOR], "quote": [{"key": "project", "label": "Project"}]}
OWN = {"gate": "B", "floor": "3"}


async def says(desk: Desk, id: UUID | None = None, **said: Any) -> UUID:
    """The company's template says so; with an `id`, it does so by now."""
    settings = TemplateSettings.model_validate(said)
    template, kind = id or uuid7(), TemplateUpdated if id else TemplateCreated
    told = kind(
        template_id=template,
        code="H",
        name="House",
        level="standard",
        parent_id=None,
        settings=settings,
        effective=settings,
    )
    await desk.h.deliver(told, aggregate_id=template)
    if id is None:
        chosen = TemplateChoiceUpdated(template_choice_id=uuid7(), template_id=template)
        await desk.h.deliver(chosen, aggregate_id=chosen.template_choice_id)
    return template


async def refused(desk: Desk, **given: Any) -> set[str]:
    answer = await desk.h.client.post(AT, json=desk.body(**given))
    assert answer.status_code == 422, answer.text
    return {each["field"] for each in answer.json()["errors"]}


async def test_values_are_held_to_the_template_and_told(desk: Desk) -> None:
    await says(desk, fields=FIELDS)
    order = await desk.create(custom_fields={"gate": "B", "floor": 3})
    assert order["custom_fields"] == (await desk.read(order))["custom_fields"] == OWN
    changed = await desk.h.client.put(f"{AT}/{order['id']}", json=desk.body(custom_fields={"gate": "C"}))
    assert changed.json()["custom_fields"] == {"gate": "C"}
    confirmed = await desk.act(order, "confirm")
    assert confirmed["custom_fields"] == {"gate": "C"}
    told = [
        one.custom_fields for kind in ("created", "changed", "confirmed") for one in await desk.asked(f"order.{kind}")
    ]
    assert told == [OWN, {"gate": "C"}, {"gate": "C"}]


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ({}, {"gate"}),
        ({"gate": "bb", "floor": "1.5"}, {"gate", "floor"}),
        ({**OWN, "project": "P-7"}, {"project"}),
    ],
)
async def test_what_the_template_does_not_say_is_refused_by_name(
    desk: Desk, values: dict[str, Any], fields: set[str]
) -> None:
    assert await refused(desk, custom_fields={"gate": "B"}) == {"/custom_fields/gate"}, "without a template"
    await says(desk, fields=FIELDS)
    assert await refused(desk, custom_fields=values) == {f"/custom_fields/{key}" for key in fields}


async def test_a_change_of_the_template_asks_at_the_next_change_and_not_before(desk: Desk) -> None:
    order = await desk.create()
    await says(desk, fields=FIELDS)
    assert (await desk.act(order, "confirm"))["status"] == "confirmed"
    other = await desk.create(custom_fields=OWN)
    answer = await desk.h.client.put(f"{AT}/{other['id']}", json=desk.body())
    assert [each["field"] for each in answer.json()["errors"]] == ["/custom_fields/gate"]


async def test_an_order_of_a_quote_takes_over_what_its_own_fields_are_and_misses_none(desk: Desk) -> None:
    await says(desk, fields=FIELDS)
    event = accepted(desk, custom_fields={"project": "P-7", "floor": "4", "gate": "much too long"})
    await desk.h.deliver(event, aggregate_id=event.quote_id)
    order = await only_order(desk, event)
    assert (order["status"], order["custom_fields"]) == ("confirmed", {"floor": "4"})


async def test_a_revision_that_bound_keeps_them(desk: Desk) -> None:
    await says(desk, fields=FIELDS)
    order = await reopened(desk, custom_fields=OWN)
    assert (await desk.read(order))["custom_fields"] == OWN
    answer = await desk.h.client.put(f"{AT}/{order['id']}", json=desk.body(custom_fields={"gate": "C"}))
    assert answer.json()["custom_fields"] == {"gate": "C"}
    assert [each["custom_fields"] for each in await versions(desk, order)] == [OWN]


async def test_what_is_sent_in_exchange_has_the_fields_of_the_order(desk: Desk) -> None:
    template = await says(desk, fields={"order": [FLOOR]}, shipping={"in_parts": True})
    counter = await Counter(desk).open(custom_fields={"floor": "3"}, partial_allowed=True)
    await says(desk, template, fields={"order": [GATE]}, shipping={"in_parts": False})
    made = await counter.ask(counter.line("1", outcome="exchange"), authorise=True)
    await counter.came(made, 1)
    await counter.judged(made, restock=1)
    sent = (await desk.h.client.get(f"{AT}/{(await counter.read(made))['exchange_order_id']}")).json()
    assert (sent["custom_fields"], sent["partial_allowed"]) == ({"floor": "3"}, False)


async def test_they_are_exported_and_imported(desk: Desk) -> None:
    await says(desk, fields=FIELDS)
    head = HEAD.replace("Confirm", "独自項目")
    row = 'PO-1,Ada,EUR,2026-01-31,"{""gate"": ""B"", ""floor"": 3}",BOLT,N,2,box,4800,\n,,,,,FLOUR,S,1.5,,300,\n'
    wrong = 'PO-2,Ada,EUR,2026-01-31,"{""floor"": 3}",BOLT,N,2,box,4800,\n'
    job = await desk.h.import_rows(f"{AT}/import", head + row + wrong)
    assert job["counts"] == {"created": 1, "refused": 1}
    assert "A value is needed" in job["messages"][0]
    exported = (await desk.h.client.get(AT, headers={"Accept": "text/csv"})).text
    (shown,) = csv.DictReader(io.StringIO(exported.removeprefix("\ufeff")))
    assert json.loads(shown["custom_fields"]) == OWN


async def test_whether_an_order_leaves_in_parts_is_the_template_s_where_it_does_not_say(desk: Desk) -> None:
    async def said(**given: Any) -> bool:
        return bool((await desk.create(**given))["partial_allowed"])

    assert (await said(), await said(partial_allowed=True)) == (False, True)
    template = await says(desk, shipping={"in_parts": True})
    assert (await said(), await said(partial_allowed=None), await said(partial_allowed=False)) == (True, True, False)
    draft = await desk.create()
    event = accepted(desk)
    await desk.h.deliver(event, aggregate_id=event.quote_id)
    assert (await only_order(desk, event))["partial_allowed"]
    await says(desk, template, shipping={"in_parts": False})
    assert (await said(), await said(partial_allowed=False)) == (False, False)
    assert await refused(desk, partial_allowed=True) == {"/partial_allowed"}
    answer = await desk.h.client.put(f"{AT}/{draft['id']}", json=desk.body(partial_allowed=True))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/partial_allowed")
    confirmed = await desk.act(draft, "confirm")
    assert confirmed["partial_allowed"], "a draft keeps what it was given"
    other = accepted(desk, number="Q-2026-00002")
    await desk.h.deliver(other, aggregate_id=other.quote_id)
    assert not (await only_order(desk, other))["partial_allowed"]


async def test_an_order_asks_once_what_the_template_says(desk: Desk) -> None:
    await says(desk, numbering={"order": "A-{number}"}, fields=FIELDS)
    sent: list[str] = []

    def note(_: Any, __: Any, statement: str, *more: Any) -> None:
        sent.append(statement)

    engine = desk.h.database.engine.sync_engine
    listen(engine, "before_cursor_execute", note)
    try:
        order = await desk.create(custom_fields=OWN)
    finally:
        remove(engine, "before_cursor_execute", note)
    assert (order["number"], order["custom_fields"]) == ("A-1", OWN)
    assert len([statement for statement in sent if "template_copy" in statement]) == 1
