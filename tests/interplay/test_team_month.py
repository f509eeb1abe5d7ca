"""A sales team's month through the gateway to five services, with the clock moved: forecasts, ages of stages and timelines are what follows from
what was asked alone, by a reckoning that imports nothing of the product, now and at three past dates.

`TEAM_MONTHS=20 TEAM_MONTH_STEPS=600` makes it long; each month is another seed, in another zone.
"""

import os
import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest
from front import gateway_before
from selling_month import Ledger, end_of
from team_asks import ABOUT, LEAVER, PEOPLE, SUCCESSOR, Step, steps
from team_month import Month
from wire import Wire

from activities.service import service as activities
from catalog.service import service as catalog
from contracts.users import TeamCreated, TenantCreated, UserCreated, UserDeleted
from customers.service import service as customers
from opportunities.service import service as opportunities
from quotes.service import service as quotes
from tailrace.core.clock import now
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, MakeHarness, SetClock, today

MONTHS, STEPS = int(os.environ.get("TEAM_MONTHS", "2")), int(os.environ.get("TEAM_MONTH_STEPS", "140"))
ZONES = ("Europe/Berlin", "America/New_York", "Pacific/Auckland", "Asia/Kolkata")
"""Each but the last moves its clocks within the month."""
FIRST = {"Pacific/Auckland": (9, 14)}
SHOWN = ("opportunities", "closed", "committed", "best", "pipeline", "weighted")


def coming_year() -> int:
    """The month\'s clock runs ahead of the machine\'s, by which deadlines fire, so that none is due before its time."""
    return today().year + 1


class Team:
    """Sends what people ask, and lets what was accepted be noted."""

    def __init__(
        self, services: dict[str, Harness], client: httpx2.AsyncClient, clock: SetClock, seed: int, zone: str
    ) -> None:
        """`client` is the gateway's."""
        self.services, self.client, self.clock = services, client, clock
        self.wire = Wire(services, random.Random(seed))
        self.people = [uuid7() for _ in range(PEOPLE)]
        self.month = Month(Ledger(ZoneInfo(zone)))
        self.ids: dict[str, list[str]] = {}
        self.fixed: dict[str, str] = {}
        self.refused: Counter[int] = Counter()
        self.handed_over: Counter[str] = Counter()

    async def open(self, zone: str) -> None:
        tenant, team, user = uuid7(), uuid7(), uuid7()
        for service in self.services.values():
            service.tenant, service.user = tenant, user
            await service.deliver(
                TenantCreated(tenant_id=tenant, slug="acme", name="Acme", currency="EUR"), aggregate_id=tenant
            )
            await service.count_days_in(zone)
            for number, id in enumerate([user, *self.people]):
                hired = UserCreated(user_id=id, email=f"{number}@acme.example", name=f"P{number}", roles=["sales"])
                await service.deliver(hired, aggregate_id=id)
            await service.deliver(
                TeamCreated(team_id=team, name="Sales", lead_id=None, member_ids=self.people), aggregate_id=team
            )
        self.client.headers["Authorization"] = f"Bearer {self.services['catalog'].token()}"
        item = {"sku": "BOLT", "name": "Bolt", "unit": "pcs", "tax_rate": "0.1"}
        self.fixed["item"] = (await self.must("POST", "/v1/items", item))["id"]
        place = await self.must("POST", "/v1/warehouses", {"code": "N", "name": "North"})
        self.fixed["place"] = place["id"]
        limit = {"user_id": str(user), "max_discount_rate": "1", "unlisted_prices": True}
        await self.must("PUT", "/v1/quotes/authority", {"limits": [limit]})
        await self.settle()
        reasons = (await self.must("GET", "/v1/opportunity-reasons"))["items"]
        self.fixed["reason"] = next(each["id"] for each in reasons if each["code"] == "PRICE")
        # The standard pipeline is older than the month.
        await self.services["opportunities"].admin.execute("UPDATE stage_version SET since = '2026-01-01T00:00:00Z'")

    async def must(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        answer = await self.client.request(method, path, json=body, params=query, headers=_key(method))
        assert answer.status_code < 300, (path, answer.text)
        return answer.json()

    async def settle(self) -> None:
        """Until everybody has heard of everything, and nothing is left to be done by now, of the month. Schedules run once."""
        fired, also = True, "%"
        while fired:
            await self.wire.settle()
            fired = any([await self._fire(each, also) for each in self.services.values()])
            also = ""

    async def _fire(self, service: Harness, schedules: str) -> int:
        due = """
        UPDATE timer SET due_at = now() - interval '1 second'
        WHERE tenant_id = $1 AND due_at <= $2 AND (name NOT LIKE 'schedule:%' OR name LIKE $3)
        """
        await service.admin.execute(due, service.tenant, now(), schedules)
        return await service.fire_timers()

    async def work(self, seed: int, first: datetime) -> None:
        for drawn in steps(seed, first, STEPS):
            self.clock(drawn.at.isoformat())
            self.month.expire(drawn.at)
            step = self.month.meant(drawn)
            if step is None:
                continue
            if step.action in {"go", "return"}:
                for each in self.month.handed_over(step):
                    assert await self._send(each, *self._asked(each)), each
                    self.handed_over[step.action] += 1
            elif step.action == "leave":
                gone = UserDeleted(user_id=self.people[LEAVER], successor_id=self.people[SUCCESSOR])
                for service in self.services.values():
                    await service.deliver(gone, aggregate_id=self.people[LEAVER])
                self.month.note(step)
            elif not await self._send(step, *self._asked(step)):
                continue
            await self.settle()

    async def _send(self, step: Step, method: str, path: str, body: Any = None) -> bool:
        key = _key(method)
        answer = await self.client.request(method, path, json=body, headers=key)
        assert answer.status_code in {200, 201, 204, 404, 409, 422}, (step, answer.text)
        if step.twice and key:
            again = await self.client.request(method, path, json=body, headers=key)
            # A refusal is not kept: it is asked again, and says so under a number of its own.
            kept = None if answer.status_code >= 400 else answer.content
            assert (again.status_code, kept and again.content) == (answer.status_code, kept), step
        if answer.status_code >= 400:
            self.refused[answer.status_code] += 1
            return False
        self.month.note(step)
        if answer.status_code == 201 or step.action == "convert":
            self._learn(step, answer.json())
        return True

    def _learn(self, step: Step, made: dict[str, Any]) -> None:
        kind = {"open": "opportunity", "meet": "meeting"}.get(step.action, step.action)
        if kind != "convert":
            self.ids.setdefault(kind, []).append(made["id"])
            return
        self.ids.setdefault("opportunity", []).append(made["opportunity_id"])
        if step.said["existing"] is None:
            self.ids["customer"].append(made["customer_id"])

    def _id(self, kind: str, number: int) -> str:
        return self.ids[kind][number]

    def _asked(self, step: Step) -> tuple[Any, ...]:
        """Method, path and body."""
        said = {name: value for name, value in step.said.items() if name not in {"customer", "owner"}}
        about: dict[str, str] = (
            {"customer_id": self._id("customer", step.said["customer"])} if "customer" in step.said else {}
        )
        if "owner" in step.said:
            about["owner_id"] = str(self.people[step.said["owner"]])
        begin = step.at.replace(microsecond=0)
        fresh: dict[str, tuple[Any, ...]] = {
            "customer": ("/v1/customers", {"name": f"Ada {step.at:%d%H%M}", "currency": "EUR"}),
            "lead": ("/v1/leads", {"name": f"Grace {step.at:%d%H%M}", "currency": "EUR"}),
            "open": ("/v1/opportunities", {"name": "A bridge", **said, **about}),
            "task": ("/v1/tasks", {"title": "Call", **about}),
            "meet": ("/v1/meetings", {"title": "Visit", "starts_at": begin.isoformat(),
                     "ends_at": (begin + timedelta(hours=1)).isoformat(), **about}),
        }  # fmt: skip
        if step.action in fresh:
            return "POST", *fresh[step.action]
        return self._about(step, said, about)

    def _about(self, step: Step, said: dict[str, Any], about: dict[str, Any]) -> tuple[Any, ...]:
        kind = ABOUT[step.action]
        id = self._id(kind, step.of)
        plural = {"opportunity": "opportunities"}.get(kind, f"{kind}s")
        here = f"/v1/{plural}/{id}"
        verb = step.action.removesuffix("_lead").removesuffix("_customer")
        if verb in {"finish", "hold"}:
            more = {"reason": "So it is."} if said["status"] in {"open", "planned", "cancelled"} else {}
            return "PATCH", f"{here}/status", {**said, **more}
        if verb in {"delete", "drop"}:
            return "DELETE", here
        if verb == "convert":
            return self._conversion(step, here)
        if verb in {"replace", "quote"}:
            return self._of_deal(step, verb, here, said)
        body = {**said, **about}
        if verb == "merge":
            body = {"into_customer_id": self._id("customer", said["into"]), "reason": "They are one."}
        if verb in {"unmerge", "reopen"}:
            body["reason"] = "It was a mistake."
        if verb == "lose":
            body |= {"reason": "No need."} if kind == "lead" else {"reason_id": self.fixed["reason"]}
        return "POST", f"{here}/{verb}", body or None

    def _of_deal(self, step: Step, verb: str, here: str, said: dict[str, Any]) -> tuple[Any, ...]:
        own = self.month.own["opportunity", step.of]
        assert own is not None
        customer = {"customer_id": self._id("customer", own)}
        if verb == "replace":
            return "PUT", here, {"name": "A bridge", **customer, **said}
        line = {"item_id": self.fixed["item"], "quantity": "10", "unit_price": str(said["price"])}
        body = {**customer, "warehouse_id": self.fixed["place"], "lines": [line], "currency": said["currency"]}
        last = self.month.ledger.day(step.at) + timedelta(days=said["valid"])
        about = {"opportunity_id": here.rpartition("/")[2], "valid_until": str(last)}
        return "POST", "/v1/quotes", {**body, **about}

    def _conversion(self, step: Step, here: str) -> tuple[Any, ...]:
        existing, deal = step.said["existing"], step.said["deal"]
        body = {
            "currency": deal["currency"],
            "opportunity": {name: deal[name] for name in ("amount", "expected_close_on")},
        }
        if existing is not None:
            body["customer_id"] = self._id("customer", existing)
        return "POST", f"{here}/convert", body

    async def forecast(self, period: str, as_of: str | None) -> dict[tuple[int | None, str], dict[str, int]]:
        asked = {"period": period, **({} if as_of is None else {"as_of": as_of})}
        rows = (await self.must("GET", "/v1/forecast", **asked))["rows"]
        owners: dict[str | None, int | None] = {str(id): number for number, id in enumerate(self.people)}
        owners[None] = None
        return {(owners[row["id"]], row["currency"]): {name: row[name] for name in SHOWN} for row in rows}

    async def timeline(self, customer: int, **query: Any) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = []
        asked = {"limit": 25, **query}
        while True:
            page = await self.must("GET", f"/v1/customers/{self._id('customer', customer)}/timeline", **asked)
            entries += page["items"]
            if page["next_cursor"] is None:
                return entries
            asked = {**asked, "cursor": page["next_cursor"]}

    def entry(self, shown: dict[str, Any], timed: set[str]) -> tuple[str, str, int, datetime | None]:
        """One of a timeline as the reckoning names it."""
        number = self.ids[shown["kind"]].index(shown["subject_id"])
        at = datetime.fromisoformat(shown["occurred_at"]) if shown["type"] in timed else None
        return shown["type"], shown["kind"], number, at


def _key(method: str) -> dict[str, str]:
    return {"Idempotency-Key": str(uuid7())} if method == "POST" else {}


@pytest.mark.parametrize("seed", range(MONTHS))
async def test_a_months_figures_follow_from_what_the_team_asked(
    make_harness: MakeHarness, clock: SetClock, seed: int
) -> None:
    services = {s.name: await make_harness(s) for s in (catalog, customers, opportunities, quotes, activities)}
    zone = ZONES[seed % len(ZONES)]
    first = datetime(coming_year(), *FIRST.get(zone, (10, 12)), 6, tzinfo=UTC)
    clock(first.isoformat())
    async with gateway_before(services) as client:
        team = Team(services, client, clock, seed, zone)
        await team.open(zone)
        await team.work(seed, first)
        assert team.handed_over["go"] > 0
        await _figures(team, first)
        assert await team.wire.dead_letters() == []


async def _figures(team: Team, first: datetime) -> None:
    clock = team.clock
    ledger = team.month.ledger
    assert team.refused[409] > STEPS // 20, team.refused
    last = first + timedelta(days=33)
    clock(last.isoformat())
    team.month.expire(last)
    await team.settle()
    days = [(first + timedelta(days=after)).date() for after in (8, 14, 23)]
    moments = [(None, last), *((str(day), end_of(day, ledger.zone)) for day in days)]
    months = {first.month, last.month}
    periods = [
        (f"{first.year}-{number:02}", date(first.year, number, 1), date(first.year, number + 1, 1) - timedelta(days=1))
        for number in months
    ]
    periods.append((f"{first.year}", date(first.year, 1, 1), date(first.year, 12, 31)))
    for period, begins_on, ends_on in periods:
        for asked, as_of in moments:
            assert await team.forecast(period, asked) == ledger.forecast(begins_on, ends_on, as_of), (period, asked)
    for number, id in enumerate(team.ids["opportunity"]):
        if ledger.now(number)["status"] != "deleted":
            shown = await team.must("GET", f"/v1/opportunities/{id}/stages")
            assert [(stay["stage"], stay["days"]) for stay in shown["stays"]] == ledger.stays(number, last), number
    await _timelines(team, days)


async def _timelines(team: Team, days: list[date]) -> None:
    month = team.month
    timed = {entry[0] for entry in month.entries if entry[3] is not None}
    told = 0
    for customer, into in enumerate(month.into):
        if into is not None or customer in month.gone:
            continue
        expected = month.timeline(customer)
        shown = await team.timeline(customer)
        assert Counter(team.entry(each, timed) for each in shown) == expected, customer
        moments = [each["occurred_at"] for each in shown]
        assert moments == sorted(moments, reverse=True)
        told += len(shown)
        for day in days:
            # Before a day of the company's: what the events themselves put before its beginning.
            before = {entry for entry in expected if entry[3] is not None and month.ledger.day(entry[3]) < day}
            some = await team.timeline(customer, type=sorted(timed), occurred_until=str(day))
            assert {team.entry(each, timed) for each in some} == before, (customer, day)
    assert told > len(month.entries) // 3
    assert {entry[1] for entry in month.entries} == {"customer", "lead", "opportunity", "quote", "task", "meeting"}
