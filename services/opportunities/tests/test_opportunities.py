"""An opportunity goes through its stages, closes once, and follows its customer and its owner."""

from typing import Any
from uuid import UUID

import pytest

from contracts import catalog, customers, quotes, users
from tailrace.core.ids import uuid7
from tailrace_testing import SetClock

from .conftest import AT, LEADS, Desk


def accepted(desk: Desk, one: Any, **given: Any) -> quotes.QuoteAccepted:
    said: dict[str, Any] = {
        "quote_id": uuid7(),
        "number": "Q-2026-00001",
        "revision": 2,
        "customer_id": desk.ada,
        "customer_name": "Ada Works",
        "customer_reference": "PO-7",
        "opportunity_id": one["id"],
        "accepted_at": "2026-11-27T12:00:00Z",
        "currency": "EUR",
        "warehouse_id": uuid7(),
        "net": 12_345,
        "tax": 0,
        "lines": [],
    }
    return quotes.QuoteAccepted.model_validate({**said, **given})


async def deliver(desk: Desk, event: quotes.QuoteAccepted) -> None:
    await desk.h.deliver(event, aggregate_id=event.quote_id)


async def test_lines_make_the_amount_unless_another_is_said(desk: Desk) -> None:
    lines = [
        {"name": "Steel", "quantity": "1.5", "unit_price": "33.33"},
        {"name": "Work", "quantity": "1", "unit_price": "10.5"},
    ]
    made = await desk.create(amount=None, lines=lines)
    assert ([line["amount"] for line in made["lines"]], made["amount"]) == ([50, 11], 61)
    said = await desk.create(amount=7, lines=lines)
    assert (said["amount"], said["currency"], said["number"]) == (7, "EUR", "OP-000002")
    assert (said["stage"], said["owner_id"]) == ("PROSPECT", str(desk.h.user))
    nothing = str(UUID(int=7))
    await desk.create(422, customer_id=nothing)
    refused = await desk.create(422, lines=[{"item_id": nothing, "quantity": "1", "unit_price": "1"}])
    assert refused["errors"][0]["field"] == "/lines/0/item_id"


async def test_lines_and_what_they_come_to_are_amounts(desk: Desk) -> None:
    dear = {"name": "Bridge", "quantity": "1000", "unit_price": "999999999999"}
    for lines, amount, field in (
        ([dear, {**dear, "quantity": "1001"}], 7, "/lines/1/unit_price"),
        ([{**dear, "quantity": "999999999999"}], None, "/lines/0/unit_price"),
        ([dear, dear], None, "/lines"),
    ):
        refused = await desk.create(422, amount=amount, lines=lines)
        assert [each["field"] for each in refused["errors"]] == [field]
    assert (await desk.create(amount=7, lines=[dear, dear]))["amount"] == 7
    most = await desk.create(amount=10**15)
    assert (await desk.create(amount=None, lines=[dear]))["amount"] == 10**15 - 1000
    (row,) = (await desk.ask("GET", "/v1/forecast", period="2026-12"))["rows"]
    assert row["pipeline"] == 2 * 10**15 - 993
    (pipeline,) = (await desk.ask("GET", "/v1/pipelines"))["items"]
    board = await desk.ask("GET", f"/v1/pipelines/{pipeline['id']}/board")
    (amounts,) = [each["amounts"] for each in board["stages"] if each["code"] == most["stage"]]
    assert [each["amount"] for each in amounts] == [2 * 10**15 - 993]


async def test_what_is_counted_in_pieces_is_whole(desk: Desk) -> None:
    item, unit = uuid7(), uuid7()
    said: dict[str, Any] = {"code": "pcs", "name": "Piece", "dimension": "count", "factor": "1", "decimals": 0}
    bolt = catalog.ItemCreated.model_validate(
        {"item_id": item, "sku": "BOLT", "name": "Bolt", "unit": "pcs", "tax_rate": "0.1"}
    )
    await desk.h.deliver(bolt, aggregate_id=item)
    line = {"item_id": str(item), "quantity": "1.5", "unit_price": "10"}
    assert (await desk.create(lines=[line]))["lines"][0]["quantity"] == "1.5", "its unit is not known yet"
    await desk.h.deliver(catalog.UnitCreated.model_validate({"unit_id": unit, **said}), aggregate_id=unit)
    free = {**line, "item_id": None, "name": "Work"}
    refused = await desk.create(422, lines=[free, line])
    assert (refused["type"].rpartition(":")[2], refused["errors"][0]["field"]) == (
        "conversion-inexact",
        "/lines/1/quantity",
    )
    assert (await desk.create(lines=[free, {**line, "quantity": "2"}]))["lines"][1]["name"] == "Bolt"
    wider = catalog.UnitUpdated.model_validate({"unit_id": unit, **said, "decimals": 1})
    await desk.h.deliver(wider, aggregate_id=unit)
    await desk.create(lines=[line])


async def test_a_stage_asks_for_what_it_needs(desk: Desk) -> None:
    (pipeline,) = (await desk.ask("GET", "/v1/pipelines"))["items"]
    stages = [
        {**each, "requires": ["amount", "competitors"] if each["code"] == "PROPOSE" else []}
        for each in pipeline["stages"]
    ]
    body = {"code": "STANDARD", "name": "Standard", "stages": stages}
    await desk.ask("PUT", f"/v1/pipelines/{pipeline['id']}", 200, body)
    one = await desk.create(amount=0)
    refused = await desk.act(one, "move", 409, stage="PROPOSE")
    assert [each["field"] for each in refused["errors"]] == ["/amount", "/competitors"]
    put = {
        "name": "A bridge",
        "customer_id": str(desk.ada),
        "expected_close_on": "2026-12-15",
        "amount": 1,
        "competitors": ["Others"],
    }
    await desk.ask("PUT", f"{AT}/{one['id']}", 200, put)
    moved = await desk.act(one, "move", stage="Ｐropose")
    assert moved["stage"] == "PROPOSE"
    for stage, found in (("propose", 1), ("ＰROPOSE", 1), ("prop", 0)):
        assert len((await desk.ask("GET", AT, stage=stage))["items"]) == found
    told = (await desk.told("crm.opportunity.stage_changed"))[-1]
    assert (told.from_stage, told.to_stage) == ("PROSPECT", "PROPOSE")
    await desk.ask("PUT", f"{AT}/{one['id']}", 409, {**put, "competitors": []})
    for stage, status in (("WON", 422), ("NOWHERE", 422)):
        await desk.act(one, "move", status, stage=stage)


async def test_a_pipeline_keeps_the_stages_that_opportunities_are_in(desk: Desk) -> None:
    one = await desk.create()
    (pipeline,) = (await desk.ask("GET", "/v1/pipelines"))["items"]
    here = f"/v1/pipelines/{pipeline['id']}"
    without = [each for each in pipeline["stages"] if each["code"] != "PROSPECT"]
    body = {"code": "STANDARD", "name": "Standard"}
    refused = await desk.ask("PUT", here, 409, {**body, "stages": without})
    assert refused["type"].endswith("in-use")
    await desk.ask("DELETE", here, 409)
    # Spelled otherwise, it is the same one, and is still called what opportunities say.
    spelled = [{**each, "code": each["code"].lower()} for each in pipeline["stages"]]
    same = await desk.ask("PUT", here, 200, {**body, "stages": spelled})
    assert [each["code"] for each in same["stages"]] == [each["code"] for each in pipeline["stages"]]
    assert (await desk.act(one, "move", stage="qualify"))["stage"] == "QUALIFY"
    await desk.ask("PUT", here, 200, {**body, "stages": without})
    twice = {**without[0], "code": without[0]["code"].lower()}
    for stages in (
        without[:-1],
        [*without, without[0]],
        [*without, twice],
        [{**without[0], "kind": "won"}, *without[1:]],
    ):
        await desk.ask("PUT", here, 422, {**body, "stages": stages})


async def test_without_a_pipeline_only_a_new_company_is_told_to_wait(desk: Desk) -> None:
    body = {"name": "A bridge", "customer_id": str(desk.ada), "amount": 1, "expected_close_on": "2026-12-15"}
    new = desk.h.client_as(tenant=desk.h.other_tenant)
    waits = await new.post(AT, json=body)
    assert (waits.status_code, waits.json()["type"].rpartition(":")[2]) == (409, "not-yet-known"), waits.text
    lead = await desk.lead(company="Navy Ltd", currency="EUR")
    await desk.ask("DELETE", f"/v1/pipelines/{desk.pipeline}", 204)
    refused = await desk.ask("POST", AT, 422, body)
    assert refused["errors"][0]["field"] == "/pipeline_id"
    wanted = {"opportunity": {"expected_close_on": "2026-12-15"}}
    refused = await desk.ask("POST", f"{LEADS}/{lead['id']}/convert", 422, wanted)
    assert refused["errors"][0]["field"] == "/opportunity/pipeline_id"


async def test_won_and_lost_are_told_once_and_can_be_undone(desk: Desk) -> None:
    one, other = await desk.create(), await desk.create()
    won = await desk.act(one, "win", reason_id=desk.reasons["BEST_FIT"], amount=9_000)
    assert (won["status"], won["stage"], won["amount"], won["closed_on"] is not None) == ("won", "WON", 9_000, True)
    await desk.act(one, "win", 409)
    await desk.act(other, "lose", 422, reason_id=desk.reasons["BEST_FIT"])
    await desk.act(other, "lose", 422, reason_id=desk.reasons["PRICE"], closed_on="2999-01-01")
    lost = await desk.act(other, "lose", reason_id=desk.reasons["PRICE"], competitor="Others")
    assert (lost["status"], lost["stage"], lost["competitors"]) == ("lost", "LOST", ["Others"])
    (told,) = await desk.told("crm.opportunity.won")
    assert (told.amount, told.customer_id, told.reason_id) == (9_000, desk.ada, UUID(desk.reasons["BEST_FIT"]))
    assert [each.competitor for each in await desk.told("crm.opportunity.lost")] == ["Others"]
    again = await desk.act(other, "reopen", reason="They came back", stage="NEGOTIATE")
    assert (again["status"], again["stage"], again["closed_on"], again["reason_id"]) == (
        "open",
        "NEGOTIATE",
        None,
        None,
    )
    await desk.act(other, "reopen", 409, reason="again")


async def test_an_accepted_quote_proposes_and_somebody_confirms(desk: Desk) -> None:
    one = await desk.create(owner_id=str(desk.bo))
    await deliver(desk, accepted(desk, one))
    now = await desk.read(one)
    assert (now["status"], now["proposal"]["number"], now["proposal"]["confirmer_id"]) == (
        "open",
        "Q-2026-00001/2",
        str(desk.bo),
    )
    assert len(await desk.told("crm.opportunity.win_proposed")) == 1
    await desk.act(one, "dismiss-proposal")
    await desk.act(one, "dismiss-proposal", 409)
    await deliver(desk, event := accepted(desk, one))
    won = await desk.act(one, "win")
    assert (won["status"], won["amount"], won["closed_on"], won["quote_id"], won["proposal"]) == (
        "won",
        12_345,
        "2026-11-27",
        str(event.quote_id),
        None,
    )
    (told,) = await desk.told("crm.opportunity.won")
    assert told.quote_id == event.quote_id
    await deliver(desk, accepted(desk, one))
    assert (await desk.read(one))["version"] == won["version"], "it is closed"


async def test_the_company_may_let_quotes_win_at_once(desk: Desk) -> None:
    await desk.ask("PUT", f"{AT}/closing", 200, {"win_on_quote": "automatic"})
    one = await desk.create()
    await desk.h.count_days_in("Asia/Tokyo")
    await deliver(desk, accepted(desk, one, accepted_at="2026-11-27T16:00:00Z"))
    won = await desk.read(one)
    assert (won["status"], won["amount"], won["closed_on"]) == ("won", 12_345, "2026-11-28")
    await deliver(desk, accepted(desk, {"id": str(uuid7())}))


async def test_opportunities_follow_a_merge_and_come_back(desk: Desk) -> None:
    b, c = uuid7(), uuid7()
    for id, number in ((b, "C-2"), (c, "C-3")):
        await desk.customer(id, number)
    of_a, of_b, of_c = [await desk.create(customer_id=str(each)) for each in (desk.ada, b, c)]

    async def at() -> list[str]:
        await desk.h.make_timers_due()
        await desk.fire()
        return [(await desk.read(each))["customer_id"] for each in (of_a, of_b, of_c)]

    a, b_, c_ = str(desk.ada), str(b), str(c)
    await desk.h.deliver(
        customers.CustomerMerged(customer_id=desk.ada, into_customer_id=b, reason="x"), aggregate_id=desk.ada
    )
    assert await at() == [b_, b_, c_]
    await desk.h.deliver(customers.CustomerMerged(customer_id=b, into_customer_id=c, reason="x"), aggregate_id=b)
    assert await at() == [c_, c_, c_]
    made = await desk.create(customer_id=a)
    assert made["customer_id"] == c_
    await desk.h.deliver(customers.CustomerUnmerged(customer_id=b, from_customer_id=c, reason="x"), aggregate_id=b)
    assert await at() == [b_, b_, c_]
    await desk.h.deliver(
        customers.CustomerUnmerged(customer_id=desk.ada, from_customer_id=b, reason="x"), aggregate_id=desk.ada
    )
    assert await at() == [a, b_, c_]


async def test_what_a_leaver_had_open_goes_to_the_one_who_takes_over(desk: Desk) -> None:
    opens, closed = await desk.create(owner_id=str(desk.bo)), await desk.create(owner_id=str(desk.bo))
    await desk.act(closed, "win")
    lead = await desk.lead()
    await desk.ask("POST", f"/v1/leads/{lead['id']}/assign", 200, {"owner_id": str(desk.bo)})
    await desk.h.deliver(users.UserDeleted(user_id=desk.bo, successor_id=desk.cy), aggregate_id=desk.bo)
    await desk.fire()
    owners = [(await desk.read(each))["owner_id"] for each in (opens, closed)]
    assert owners == [str(desk.cy), str(desk.bo)], "who closed it stays"
    assert (await desk.read_lead(lead))["owner_id"] == str(desk.cy)
    await desk.create(422, owner_id=str(desk.bo))
    await desk.h.deliver(users.UserDeleted(user_id=desk.cy), aggregate_id=desk.cy)
    await desk.fire()
    assert (await desk.read(opens))["owner_id"] is None


async def test_ages_are_counted_in_the_companys_days(desk: Desk, clock: SetClock) -> None:
    """Berlin: midnight is at 22:00 before the clocks go back on 25 October 2026, and at 23:00 after."""
    await desk.h.count_days_in("Europe/Berlin")
    clock("2026-10-23T21:59:00Z")
    one = await desk.create()
    clock("2026-10-23T22:01:00Z")
    await desk.act(one, "move", stage="QUALIFY")
    clock("2026-10-25T22:59:00Z")
    await desk.act(one, "move", stage="PROPOSE")
    clock("2026-10-25T23:01:00Z")
    await desk.act(one, "move", stage="QUALIFY")
    await desk.act(one, "assign", owner_id=str(desk.cy))
    clock("2026-10-31T12:00:00Z")
    stays = (await desk.ask("GET", f"{AT}/{one['id']}/stages"))["stays"]
    assert [(each["stage"], each["days"]) for each in stays] == [
        ("PROSPECT", 1),
        ("QUALIFY", 1),
        ("PROPOSE", 1),
        ("QUALIFY", 5),
    ]
    assert [each["left_at"] for each in stays[:-1]] == [each["entered_at"] for each in stays[1:]]
    assert stays[-1]["left_at"] is None
    board = (await desk.ask("GET", f"/v1/pipelines/{desk.pipeline}/board"))["stages"]
    column = next(each for each in board if each["code"] == "QUALIFY")
    assert (column["opportunities"], column["amounts"][0]["amount"], column["oldest_days"]) == (1, 10_000, 5)
    assert [each["code"] for each in board] == ["PROSPECT", "QUALIFY", "PROPOSE", "NEGOTIATE"]


@pytest.mark.parametrize("reach", [":own", ":team"])
async def test_a_caller_sees_own_ones_or_the_teams_everywhere(desk: Desk, reach: str) -> None:
    mine, theirs, other = [
        await desk.create(name=name, owner_id=str(owner))
        for name, owner in (("Mine", desk.cy), ("Bos", desk.bo), ("Others", desk.h.user))
    ]
    client = desk.h.client_as(f"opportunities:read{reach} opportunities:write{reach}", user=desk.cy)
    seen = {mine["id"]} if reach == ":own" else {mine["id"], theirs["id"]}
    for path in (AT, f"{AT}/search?q=s", f"{AT}/search", f"{AT}?sort=-amount"):
        found = {each["id"] for each in (await client.get(path)).json()["items"]}
        assert found <= seen and (found == seen or "q=s" in path), path
    for more in ("", "/stages"):
        assert (await client.get(f"{AT}/{other['id']}{more}")).status_code == 404
    assert (await client.post(f"{AT}/{other['id']}/win")).status_code == 404
    board = (await client.get(f"/v1/pipelines/{desk.pipeline}/board")).json()["stages"]
    assert board[0]["opportunities"] == len(seen)
    forecast = (await client.get("/v1/forecast?period=2026-12")).json()["rows"]
    assert {row["id"] for row in forecast} == {str(desk.cy)} | ({str(desk.bo)} if reach == ":team" else set())
    exported = (await client.get(AT, headers={"Accept": "text/csv"})).text
    assert other["id"] not in exported and mine["id"] in exported


async def test_a_company_says_how_far_off_opportunities_are_expected_and_closed(desk: Desk, clock: SetClock) -> None:
    clock("2026-11-27T12:00:00Z")
    for day in ("2016-11-01", "2036-12-31"):
        assert (await desk.create(422, expected_close_on=day))["errors"][0]["field"] == "/expected_close_on"
    made = await desk.create(expected_close_on="2027-06-30")
    bounds = [
        users.DateBounds(kind="expected_close", days_back=0, days_ahead=30),
        users.DateBounds(kind="close", days_back=2),
    ]
    policy = users.TenantDatePolicyChanged(tenant_id=desk.h.tenant, bounds=bounds)
    await desk.h.deliver(policy, aggregate_id=desk.h.tenant)
    for day, status in (("2026-11-26", 422), ("2026-11-27", 201), ("2026-12-27", 201), ("2026-12-28", 422)):
        said = await desk.create(status, expected_close_on=day)
        assert status == 201 or said["type"] == "urn:tailrace:problem:implausible-date"
    lead = await desk.lead(company="Rods Ltd")
    body = {"currency": "EUR", "opportunity": {"name": "Rods", "expected_close_on": "2026-12-28"}}
    refused = await desk.ask("POST", f"{LEADS}/{lead['id']}/convert", 422, body)
    assert refused["errors"][0]["field"] == "/opportunity/expected_close_on"
    for day in ("2026-11-24", "2026-11-28"):
        assert (await desk.act(made, "win", 422, closed_on=day))["errors"][0]["field"] == "/closed_on"
    assert (await desk.act(made, "win", closed_on="2026-11-25"))["closed_on"] == "2026-11-25"
