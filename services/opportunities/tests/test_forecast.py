"""A forecast equals what follows from the requests, now and at past dates; periods are the company's, and no two currencies are added."""

import os
import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from selling_month import LIKELY, RAISED, Ledger, Request, end_of, month

from opportunities import sums
from opportunities.forecast import period_of
from tailrace.core.errors import Invalid
from tailrace.core.ids import uuid7
from tailrace_testing import SetClock

from .conftest import AT, Desk

SEED = int(os.environ.get("MONTH_SEED", "1"))
FORECAST = "/v1/forecast"
PERIODS = (
    ("2026-10", date(2026, 10, 1), date(2026, 10, 31)),
    ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
    ("2026", date(2026, 1, 1), date(2026, 12, 31)),
)
SHOWN = ("opportunities", "closed", "committed", "best", "pipeline", "weighted")


class Team:
    """Sends the requests of a month, and notes those that were accepted."""

    def __init__(self, desk: Desk, clock: SetClock) -> None:
        self.desk, self.clock, self.ledger = desk, clock, Ledger()
        self.people = [desk.bo, desk.cy, desk.h.user]
        self.ids: list[str] = []
        self.refused = 0
        self.dice = random.Random(0)

    async def work(self, seed: int) -> None:
        for request in month(seed, len(self.people)):
            self.clock(request.at.isoformat())
            answer = await self._send(request)
            assert answer.status_code in {200, 201, 204, 404, 409}, answer.text
            if answer.status_code >= 400:
                self.refused += 1
                continue
            self.ledger.note(request)
            if request.action == "create":
                self.ids.append(answer.json()["id"])
            if self.dice.random() < 0.1:
                await self.fold()

    async def come_late(self, seed: int) -> None:
        """What was made long before, and is committed only when all days since are folded."""
        await self.fold()
        for request in [each for each in month(seed, len(self.people)) if each.action == "create"][3:12:2]:
            late = replace(request, at=request.at + timedelta(minutes=7), of=len(self.ids))
            self.clock(late.at.isoformat())
            await self.fold()
            self.ids.append((await self._send(late)).json()["id"])
            self.ledger.note(late)

    async def fold(self) -> None:
        """Let the schedule of the kept sums come, for all that was left by now."""
        async with self.desk.h.tx() as tx:
            await sums.begin(tx, datetime.now(UTC))
        await self.desk.fire()

    async def _send(self, request: Request) -> Any:
        client, said = self.desk.h.client, dict(request.said)
        if request.action == "raise":
            kinds = {"WON": "won", "LOST": "lost"}
            stages = [
                {"code": code, "name": code, "kind": kinds.get(code, "open"), "probability": RAISED[code]}
                for code in LIKELY
            ]
            body = {"code": "STANDARD", "name": "Standard", "stages": stages}
            return await client.put(f"/v1/pipelines/{self.desk.pipeline}", json=body)
        if "owner" in said:
            said["owner_id"] = str(self.people[said.pop("owner")])
        fixed = {"name": "One of many", "customer_id": str(self.desk.ada)}
        if request.action == "create":
            return await client.post(AT, json={**fixed, **said})
        here = f"{AT}/{self.ids[request.of]}"
        if request.action == "replace":
            return await client.put(here, json={**fixed, **said})
        if request.action == "delete":
            return await client.delete(here)
        more = {"lose": {"reason_id": self.desk.reasons["PRICE"]}, "reopen": {"reason": "Too early"}}
        return await client.post(f"{here}/{request.action}", json={**said, **more.get(request.action, {})})

    async def shown(self, period: str, as_of: str | None, client: Any = None) -> dict[tuple[int, str], dict[str, int]]:
        asked = {"period": period, **({} if as_of is None else {"as_of": as_of})}
        answer = await (client or self.desk.h.client).get(FORECAST, params=asked)
        assert answer.status_code == 200, answer.text
        rows = answer.json()["rows"]
        owners = {str(id): number for number, id in enumerate(self.people)}
        return {(owners[row["id"]], row["currency"]): {name: row[name] for name in SHOWN} for row in rows}

    async def compare_boards(self, reaches: list[tuple[set[int], Any]]) -> None:
        """What stands in each stage now, for everybody and for those who see some."""
        for who, client in [({0, 1, 2}, self.desk.h.client), *reaches]:
            expected: dict[str, list[Any]] = {}
            for states in self.ledger.states:
                now = states[-1][1]
                if now["status"] == "open" and now["owner"] in who:
                    row = now["currency"], now["amount"], self._since(states)
                    expected.setdefault(now["stage"], []).append(row)
            stages = (await client.get(f"/v1/pipelines/{self.desk.pipeline}/board")).json()["stages"]
            for stage in stages:
                rows = expected.get(stage["code"], [])
                sums = {each["currency"]: (each["opportunities"], each["amount"]) for each in stage["amounts"]}
                for currency, said in sums.items():
                    mine = [amount for named, amount, _ in rows if named == currency]
                    assert said == (len(mine), sum(mine)), stage
                assert stage["opportunities"] == len(rows)
                oldest = stage["oldest_since"]
                assert (None if oldest is None else datetime.fromisoformat(oldest)) == min(
                    (entered for *_, entered in rows), default=None
                )

    def _since(self, states: list[tuple[datetime, dict[str, Any]]]) -> datetime:
        """When it entered the stage that it is in."""
        since = states[0][0]
        for (_, before), (at, after) in pairwise(states):
            if before["stage"] != after["stage"]:
                since = at
        return since


async def test_a_months_forecast_follows_from_its_requests_now_and_at_past_dates(
    desk: Desk, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opportunities.sums.AT_ONCE", 7)
    await desk.h.count_days_in("Europe/Berlin")
    # The standard pipeline is older than the month.
    await desk.h.admin.execute("UPDATE stage_version SET since = '2026-01-01T00:00:00Z'")
    team = Team(desk, clock)
    await team.work(SEED)
    assert team.refused > 5 and len(team.ids) > 20
    last = max(states[-1][0] for states in team.ledger.states) + timedelta(days=3)
    await team.come_late(SEED)
    clock(last.isoformat())
    dates = [date(2026, 10, 18), date(2026, 10, 25), date(2026, 11, 2)]
    moments = [(None, last), *((str(day), end_of(day)) for day in dates)]
    moment = datetime(2026, 10, 25, 1, 30, 0, 7, tzinfo=UTC)
    moments.append((moment.isoformat().replace("+00:00", "Z"), moment))
    await desk.form_team(desk.bo, desk.cy, lead=desk.bo)
    own = desk.h.client_as("opportunities:read:own", user=desk.cy)
    led = desk.h.client_as("opportunities:read:team", user=desk.bo)
    reaches = [({0, 1}, led), ({1}, own)]
    for kept in ("in part", "not at all", "in whole"):
        if kept == "not at all":
            assert (await desk.h.client.post(f"{FORECAST}/recount")).status_code == 204
        if kept == "in whole":
            await desk.fire()
        kept_rows = [
            await desk.h.admin.fetchval(f"SELECT count(*) FROM forecast_{table}") for table in ("sum", "change")
        ]
        assert [count > 0 for count in kept_rows] == [kept != "not at all", kept != "in whole"], kept
        for period, begins_on, ends_on in PERIODS:
            for asked, as_of in moments:
                expected = team.ledger.forecast(begins_on, ends_on, as_of)
                assert await team.shown(period, asked) == expected, (kept, period, asked)
                for who, client in reaches:
                    seen = {key: row for key, row in expected.items() if key[0] in who}
                    assert await team.shown(period, asked, client) == seen, (kept, period, asked, who)
        await team.compare_boards(reaches)
    different = [str(await team.shown("2026-Q4", asked)) for asked, _ in moments]
    assert len(set(different)) == len(different), "each date knew something else"
    for number, id in enumerate(team.ids):
        if team.ledger.states[number][-1][1]["status"] != "deleted":
            stays = (await desk.ask("GET", f"{AT}/{id}/stages"))["stays"]
            assert [(each["stage"], each["days"]) for each in stays] == team.ledger.stays(number, last)


def test_quarters_are_of_the_companys_year() -> None:
    q4 = period_of("2026-Q4", 4)
    assert (q4.begins_on, q4.ends_on, q4.months) == (
        date(2027, 1, 1),
        date(2027, 3, 31),
        ["2027-01", "2027-02", "2027-03"],
    )
    assert (period_of("2027-02").ends_on, period_of("2028-02").ends_on) == (date(2027, 2, 28), date(2028, 2, 29))
    year = period_of("2026", 4)
    assert (year.begins_on, year.ends_on) == (date(2026, 4, 1), date(2027, 3, 31))
    for wrong in ("2026-13", "2026-Q5", "26", "2026-1", "0001", ""):
        with pytest.raises(Invalid):
            period_of(wrong)


async def test_a_quota_stands_beside_what_was_sold(desk: Desk) -> None:
    for period, amount in (("2026-11", 100), ("2026-12", 200)):
        body = {"owner_id": str(desk.bo), "period": period, "currency": "EUR", "amount": amount}
        await desk.ask("PUT", f"{FORECAST}/quotas", 200, body)
    await desk.create(owner_id=str(desk.bo), amount=50)
    rows = {row["id"]: row for row in (await desk.ask("GET", FORECAST, period="2026-Q4"))["rows"]}
    assert (rows[str(desk.bo)]["quota"], rows[str(desk.bo)]["pipeline"]) == (300, 50)
    await desk.ask("PUT", f"{FORECAST}/quotas", 200, {**body, "period": "2026-Q4", "amount": 500})
    await desk.ask("PUT", f"{FORECAST}/quotas", 200, {**body, "period": "2026-Q4", "amount": 700})
    (row,) = (await desk.ask("GET", FORECAST, period="2026-Q4"))["rows"]
    assert row["quota"] == 700
    (row,) = (await desk.ask("GET", FORECAST, period="2026-11"))["rows"]
    assert (row["quota"], row["opportunities"]) == (100, 0)
    await desk.ask("PUT", f"{FORECAST}/quotas", 422, {**body, "owner_id": str(uuid7())[:14] + "4" + str(uuid7())[15:]})
    mine = desk.h.client_as("opportunities:read:own", user=desk.cy)
    assert (await mine.get(f"{FORECAST}/quotas")).json()["items"] == []


async def test_a_quota_is_replaced_by_who_has_seen_it(desk: Desk) -> None:
    body = {"owner_id": str(desk.bo), "period": "2026-11", "currency": "EUR"}
    for amount, seen, status in ((1, '"1"', 412), (2, '"0"', 200), (3, '"7"', 412), (4, '"1"', 200)):
        asked, match = {**body, "amount": amount}, {"If-Match": seen}
        answer = await desk.h.client.put(f"{FORECAST}/quotas", json=asked, headers=match)
        assert answer.status_code == status, answer.text
    assert (answer.headers["etag"], answer.json()["amount"]) == ('"2"', 4)


async def test_a_forecast_by_team_and_by_pipeline(desk: Desk) -> None:
    await desk.create(owner_id=str(desk.bo))
    await desk.create(owner_id=str(desk.cy), currency="JPY")
    await desk.create()
    by = {}
    for what in ("team", "pipeline"):
        rows = (await desk.ask("GET", FORECAST, period="2026-12", by=what))["rows"]
        by[what] = sorted((str(row["id"]), row["currency"], row["pipeline"]) for row in rows)
    assert by["team"] == sorted(
        [(str(desk.team), "EUR", 10_000), (str(desk.team), "JPY", 10_000), ("None", "EUR", 10_000)]
    )
    assert by["pipeline"] == [(desk.pipeline, "EUR", 20_000), (desk.pipeline, "JPY", 10_000)]
