"""What can be done with a quote in each state, by a table of its own: everything else is refused, and changes nothing."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from approvals import APPROVED, REJECTED

from contracts import catalog
from contracts.quotes import QuoteAccepted, QuoteRecalled, QuoteRevised
from tailrace.core.ids import uuid7
from tailrace_testing import SetClock, today

from .conftest import AT, Desk

ACTIONS = ("replace", "submit", "recall", "send", "accept", "decline", "cancel", "revise", "delete")
POSSIBLE: dict[str, dict[str, str]] = {
    "draft": {"replace": "draft", "submit": "approved", "cancel": "cancelled", "delete": "cancelled"},
    "in_approval": {"replace": "draft", "recall": "draft", "cancel": "cancelled"},
    "approved": {"replace": "draft", "recall": "draft", "send": "sent", "cancel": "cancelled"},
    "sent": {"accept": "accepted", "decline": "declined", "cancel": "cancelled", "revise": "superseded"},
    "accepted": {"accept": "accepted"},
    "declined": {"decline": "declined", "revise": "superseded"},
    "expired": {"revise": "superseded"},
    "cancelled": {"revise": "superseded"},
    "superseded": {},
}
AGAIN = {("accepted", "accept"), ("declined", "decline")}
"""Said once more, these change nothing."""


async def in_state(desk: Desk, state: str) -> dict[str, Any]:
    ways: dict[str, Callable[[], Awaitable[dict[str, Any]]]] = {
        "draft": desk.create,
        "in_approval": desk.waiting,
        "approved": lambda: _then(desk, desk.create(), "submit"),
        "sent": desk.sent,
        "accepted": lambda: _then(desk, desk.sent(), "accept"),
        "declined": lambda: _then(desk, desk.sent(), "decline", reason="too dear"),
        "expired": lambda: _expired(desk),
        "cancelled": lambda: _then(desk, desk.create(), "cancel", reason="sold out"),
        "superseded": lambda: _revised(desk),
    }
    quote = await desk.read(await ways[state]())
    assert quote["status"] == state
    return quote


async def _then(desk: Desk, made: Awaitable[dict[str, Any]], action: str, **body: Any) -> dict[str, Any]:
    return await desk.act(await made, action, **body)


async def _revised(desk: Desk) -> dict[str, Any]:
    quote = await desk.sent()
    await desk.act(quote, "revise", 201)
    return quote


async def _expired(desk: Desk) -> dict[str, Any]:
    quote = await desk.sent(valid_until=str(today()))
    await desk.h.admin.execute(
        "UPDATE quote SET valid_until = $1 WHERE id = $2", today() - timedelta(days=1), quote["id"]
    )
    await desk.h.make_timers_due()
    await desk.h.fire_timers()
    return quote


async def _attempt(desk: Desk, quote: dict[str, Any], action: str) -> Any:
    here = f"{AT}/{quote['id']}"
    if action == "replace":
        return await desk.h.client.put(here, json=desk.body(desk.line(quantity="1")))
    if action == "delete":
        return await desk.h.client.delete(here)
    body = {"reason": "so it is"} if action in ("decline", "cancel") else None
    return await desk.h.client.post(f"{here}/{action}", json=body)


@pytest.mark.parametrize("state", POSSIBLE)
async def test_each_state_allows_what_the_table_says_and_nothing_else(desk: Desk, state: str) -> None:
    for action in ACTIONS:
        quote = await in_state(desk, state)
        told = len(await desk.h.published())
        answer = await _attempt(desk, quote, action)
        after = POSSIBLE[state].get(action)
        now = await desk.read(quote)
        if after is None:
            assert (answer.status_code, answer.json()["type"]) == (409, "urn:tailrace:problem:quote-state"), action
            assert (now, len(await desk.h.published())) == (quote, told), action
        else:
            assert answer.status_code in (200, 201, 204), (action, answer.text)
            assert now["status"] == after, action
            assert (len(await desk.h.published()) == told) == ((state, action) in AGAIN), action


async def test_a_revision_takes_the_place_of_what_was_sent(desk: Desk) -> None:
    first = await desk.sent(desk.line(discount_rate="0"), notes="As discussed.")
    second = await desk.act(first, "revise", 201)
    assert (second["number"], second["revision"], second["status"]) == (first["number"], 2, "draft")
    same = ("net", "tax", "notes", "customer", "warehouse_id", "price_list_id")
    assert {name: second[name] for name in same} == {name: first[name] for name in same}
    assert (await desk.read(first))["status"] == "superseded"
    shown = await desk.h.client.get(f"{AT}/{second['id']}/versions", params={"sort": "revision"})
    assert [(one["revision"], one["status"]) for one in shown.json()["items"]] == [(1, "superseded"), (2, "draft")]
    (revised,) = [one.event for one in await desk.h.published(QuoteRevised)]
    assert str(revised.by_quote_id) == second["id"]


async def test_a_revision_keeps_prices_and_has_the_tax_of_its_day(desk: Desk) -> None:
    first = await desk.sent()
    await desk.prices(("1", "999"))
    await desk.tax_code("S", ("2020-01-01", "0.1"), (str(today()), "0.2"))
    second = await desk.act(first, "revise", 201)
    assert (second["net"], second["tax"]) == (1205, 241)


async def test_a_quote_expires_after_its_last_day_as_the_company_counts_it(desk: Desk, clock: SetClock) -> None:
    await desk.h.count_days_in("Asia/Tokyo")
    clock("2026-11-27T03:00:00Z")
    quote = await desk.sent(dated="2026-11-27", valid_until="2026-11-30")
    due = await desk.h.admin.fetchval("SELECT due_at FROM timer WHERE name = 'quotes.expiry'")
    assert due.isoformat() == "2026-11-30T15:00:00+00:00"
    clock("2026-11-30T14:59:59Z")
    await desk.h.make_timers_due()
    await desk.h.fire_timers()
    assert (await desk.read(quote))["status"] == "sent"
    again = await desk.h.admin.fetchval("SELECT due_at FROM timer WHERE name = 'quotes.expiry'")
    assert again == due
    clock("2026-11-30T15:00:00Z")
    refused = await desk.act(quote, "accept", 409)
    assert refused["type"].endswith("quote-expired")
    await desk.h.make_timers_due()
    await desk.h.fire_timers()
    assert (await desk.read(quote))["status"] == "expired"
    assert [one.type for one in await desk.h.published("quote.expired")] == ["quote.expired"]


async def test_what_is_no_longer_valid_is_neither_submitted_nor_sent(desk: Desk, clock: SetClock) -> None:
    clock("2026-11-27T12:00:00Z")
    draft = await desk.create(dated="2026-11-27", valid_until="2026-11-27")
    approved = await desk.act(await desk.create(dated="2026-11-27", valid_until="2026-11-27"), "submit")
    clock("2026-11-28T00:00:00Z")
    for quote, action in ((draft, "submit"), (approved, "send")):
        assert (await desk.act(quote, action, 409))["type"].endswith("quote-expired")


@pytest.mark.parametrize("gone", ["item", "warehouse"])
async def test_what_went_out_of_use_is_neither_submitted_nor_sent(desk: Desk, gone: str) -> None:
    draft, approved = await desk.create(), await desk.act(await desk.create(), "submit")
    told: Any = catalog.ItemDeleted(item_id=desk.bolt, sku="BOLT")
    if gone == "warehouse":
        told = catalog.WarehouseDeleted(warehouse_id=desk.north, code="N")
    await desk.h.deliver(told, aggregate_id=desk.bolt if gone == "item" else desk.north)
    field = "/lines/0/item_id" if gone == "item" else "/warehouse_id"
    for quote, action in ((draft, "submit"), (approved, "send")):
        assert [each["field"] for each in (await desk.act(quote, action, 422))["errors"]] == [field]
        assert (await desk.read(quote))["status"] == quote["status"]


async def test_a_rate_that_was_put_right_since_is_not_offered_as_it_was(desk: Desk) -> None:
    draft = await desk.create()
    await desk.tax_code("S", ("2020-01-01", "0.2"))
    refused = await desk.act(draft, "submit", 422)
    assert [each["field"] for each in refused["errors"]] == ["/lines/0/tax_rate"]
    replaced = await desk.put(draft, desk.line())
    assert (replaced["net"], replaced["tax"]) == (1_205, 241)
    assert (await desk.act(draft, "submit"))["status"] == "approved"


async def test_options_that_are_taken_count_and_an_alternative_stands_in_for_its_line(desk: Desk) -> None:
    quote = await desk.sent(
        desk.line(),
        desk.line(quantity="1", inclusion="optional"),
        desk.line(quantity="5", inclusion="alternative", alternative_to=1),
        desk.line(quantity="3", inclusion="alternative", alternative_to=1),
    )
    ids = [line["id"] for line in quote["lines"]]
    for taken, status in ((ids[2:], 422), (ids[:1], 422), ([str(desk.ada)], 422)):
        refused = await desk.act(quote, "accept", status, taken=taken)
        assert refused["errors"][0]["field"] == "/taken"
    accepted = await desk.act(quote, "accept", taken=ids[1:3])
    assert [line["counts"] for line in accepted["lines"]] == [False, True, True, False]
    assert (accepted["net"], accepted["tax"]) == (900, 90)
    (told,) = [one.event for one in await desk.h.published(QuoteAccepted)]
    assert [(str(line.line_id), line.net) for line in told.lines] == [(ids[1], 150), (ids[2], 750)]


async def test_within_the_authority_of_a_role_a_quote_is_approved_at_once(desk: Desk) -> None:
    async def submitted(*lines: dict[str, Any], **given: Any) -> str:
        quote = await desk.act(await desk.create(*lines, **given), "submit")
        return str(quote["status"])

    await desk.join()
    user = str(desk.h.user)
    tenth, unlisted = desk.line(discount_rate="0.1"), desk.line(quantity="1", unit_price="120.5", price_list_id=None)
    assert await submitted() == "approved"
    assert await submitted(tenth) == "in_approval"
    await desk.limit({"user_id": user, "max_discount_rate": "0.1", "max_net": 1084, "currency": "EUR"})
    assert await submitted(tenth) == "in_approval", "1,085 is one too many"
    await desk.limit({"user_id": user, "max_discount_rate": "0.1", "max_net": 1085, "currency": "EUR"})
    assert await submitted(tenth) == "approved"
    assert await submitted(tenth, discount_rate="0.01") == "in_approval"
    assert await submitted(discount_rate="0.1") == "approved"
    assert await submitted(desk.line(unit_price="108.45")) == "approved"
    assert await submitted(desk.line(unit_price="108.44")) == "in_approval"
    assert await submitted(desk.line(), desk.line(inclusion="optional", discount_rate="0.5")) == "in_approval"
    await desk.customer(desk.ada, "C-1", "Ada Works", price_list_id=None)
    assert await submitted(unlisted) == "in_approval"
    await desk.limit({"user_id": user, "max_discount_rate": "0.1", "unlisted_prices": True})
    assert await submitted(unlisted) == "approved"
    assert await submitted(unlisted, discount_rate="0.11") == "in_approval"


async def test_a_limit_of_a_role_counts_unless_the_user_has_one(desk: Desk) -> None:
    token = desk.h.token(user=desk.h.user, roles=["sales"])
    headers = {"Authorization": f"Bearer {token}"}

    async def submitted() -> str:
        quote = await desk.create(desk.line(discount_rate="0.1"))
        answer = await desk.h.client.post(f"{AT}/{quote['id']}/submit", headers=headers)
        return str(answer.json()["status"])

    await desk.join()
    for role in ("buyer", "sales"):
        await desk.role(role, "quotes:write")
    await desk.limit({"role": "buyer", "max_discount_rate": "1"})
    assert await submitted() == "in_approval"
    await desk.limit({"role": "sales", "max_discount_rate": "0.1"})
    assert await submitted() == "approved"
    await desk.limit(
        {"role": "sales", "max_discount_rate": "0.1"}, {"user_id": str(desk.h.user), "max_discount_rate": "0.05"}
    )
    assert await submitted() == "in_approval"


async def test_limits_that_contradict_themselves_are_refused(desk: Desk) -> None:
    for limits, field in (
        ([{"max_discount_rate": "0.1"}], "/limits/0/role"),
        ([{"role": "a", "max_discount_rate": "0.1", "max_net": 5}], "/limits/0/max_net"),
        ([{"role": "a", "max_discount_rate": "0.1"}] * 2, "/limits/1"),
    ):
        refused = await desk.limit(*limits, status=422)
        assert refused["errors"][0]["field"] == field
    assert (await desk.h.client.get(f"{AT}/authority")).json() == {"limits": []}


async def test_a_limit_of_nobody_is_refused(desk: Desk) -> None:
    """A role is known by its name, and a user by an id, which tells how young it is."""
    await desk.join()
    gone = await desk.role("buyer", "quotes:write")
    await desk.role("buyer", id=gone)
    await desk.role("sales", "quotes:write")
    mine = {"user_id": str(desk.h.user), "max_discount_rate": "0.1"}
    long_ago = "0196f0a0-0000-7000-8000-000000000000"
    for limit, field, status in (
        ({"role": "buyer"}, "/limits/1/role", 422),
        ({"role": "seller"}, "/limits/1/role", 422),
        ({"user_id": long_ago}, "/limits/1/user_id", 422),
        ({"user_id": str(uuid7())}, "/limits/1/user_id", 409),
    ):
        refused = await desk.limit(mine, {**limit, "max_discount_rate": "1"}, status=status)
        assert [each["field"] for each in refused["errors"]] == [field]
    assert (await desk.h.client.get(f"{AT}/authority")).json() == {"limits": []}
    kept = await desk.limit(mine, {"role": "sales", "max_discount_rate": "1"})
    assert [each["role"] for each in kept["limits"]] == [None, "sales"]


async def test_an_approval_is_good_for_the_document_that_was_shown(desk: Desk) -> None:
    quote = await desk.waiting()
    subject = await desk.subject()
    assert (subject.kind, str(subject.id), subject.amount, subject.currency) == ("quote", quote["id"], 964, "EUR")
    assert (subject.requester_id, subject.attributes["discount_rate"]) == (desk.h.user, "0.2")
    assert len(subject.sha256) == 64
    await desk.decide(APPROVED, subject.model_copy(update={"sha256": "0" * 64}))
    await desk.decide(APPROVED, subject.model_copy(update={"kind": "contract"}))
    assert (await desk.read(quote))["status"] == "in_approval"
    await desk.decide(APPROVED, subject)
    assert (await desk.read(quote))["status"] == "approved"


async def test_a_change_voids_an_approval_that_was_asked_for(desk: Desk) -> None:
    quote = await desk.waiting()
    first = await desk.subject()
    changed = await desk.put(quote, desk.line(discount_rate="0.3"))
    assert (changed["status"], changed["reason"]) == ("draft", "It was changed.")
    await desk.decide(APPROVED, first)
    assert (await desk.read(quote))["status"] == "draft"
    await desk.act(quote, "submit")
    await desk.decide(APPROVED, first)
    assert (await desk.read(quote))["status"] == "in_approval"
    await desk.decide(APPROVED, await desk.subject())
    assert (await desk.read(quote))["status"] == "approved"
    (recalled,) = [one.event for one in await desk.h.published(QuoteRecalled)]
    assert recalled.sha256 == first.sha256


async def test_the_answer_to_a_recalled_submission_is_none_to_the_next_of_the_same_text(desk: Desk) -> None:
    quote = await desk.waiting()
    first = await desk.subject()
    await desk.act(quote, "recall")
    await desk.act(quote, "submit")
    await desk.decide(APPROVED, first)
    assert (await desk.read(quote))["status"] == "in_approval"


@pytest.mark.parametrize(("then", "status"), [("return", "draft"), ("restart", "in_approval"), ("fail", "cancelled")])
async def test_a_rejection_says_what_becomes_of_it(desk: Desk, then: str, status: str) -> None:
    quote = await desk.waiting()
    await desk.decide(REJECTED, await desk.subject(), reason="too cheap", then=then)
    now = await desk.read(quote)
    assert (now["status"], now["reason"]) == (status, None if then == "restart" else "too cheap")


async def test_a_quote_of_texts_and_options_alone_offers_nothing(desk: Desk) -> None:
    quote = await desk.create(desk.text("Hello"), desk.line(inclusion="optional"))
    assert (await desk.act(quote, "submit", 409))["type"].endswith("quote-empty")
