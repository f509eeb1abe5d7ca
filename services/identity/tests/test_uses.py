"""Teams and roles that others name are not deleted, and what was deleted can be restored."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx2
import pytest

from contracts.analytics import KpiChanged, KpiCreated, KpiDeleted, KpiRestored
from contracts.approvals import (
    ANSWERS,
    ApprovalEvent,
    ApprovalMoved,
    ApprovalRejected,
    ApprovalRequested,
    ApprovalSubject,
    ProcessActivated,
)
from contracts.leads import PolicyChanged
from contracts.quotes import AuthorityLimit, QuoteAuthorityChanged
from contracts.users import RoleChanged, TeamDeleted, TeamRestored
from identity.models import User
from tailrace.core.events import Event
from tailrace.core.ids import uuid7
from tailrace_testing import Harness

from .conftest import Company as Tenant

TEAMS, ROLES = "/v1/auth/teams", "/v1/auth/roles"
POLICY, KPI, AUTHORITY, PROCESS, APPROVAL = (uuid7() for _ in range(5))
IN_USE = (409, "urn:tailrace:problem:in-use")
RULES = "rules of assignment (/v1/leads/assignment)"
MEASURED = f"KPI WON (/v1/kpis/{KPI})"


@pytest.fixture
def admin(identity: Harness, acme: Tenant) -> httpx2.AsyncClient:
    return identity.client_as(tenant=acme.id)


async def made(admin: httpx2.AsyncClient, path: str, name: str, **said: Any) -> dict[str, Any]:
    answer = await admin.post(path, json={"name": name, **said})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def rules(*teams: UUID, kind: Any = "assignment") -> Event:
    by_user: dict[str, Any] = {"name": "mine", "when": [], "user_id": str(uuid7()), "team_id": None}
    by_team: list[dict[str, Any]] = [
        {"name": f"rule {team}", "when": [], "user_id": None, "team_id": str(team)} for team in teams
    ]
    return PolicyChanged(policy_id=POLICY, kind=kind, content={"rules": [by_user, *by_team]})


def kpi(kind: type[Any], subject: Any, id: UUID | None) -> Event:
    said = {"name": "Won", "measure": "opportunities_won", "period": "month", "direction": "up"}
    target = {"target": Decimal(5), "near": Decimal(4)}
    event: Event = kind(kpi_id=KPI, code="WON", subject=subject, subject_id=id, **said, **target)
    return event


GONE = KpiDeleted(kpi_id=KPI, code="WON")


class Company:
    """What its administrator does, and what identity hears of it from others."""

    def __init__(self, identity: Harness, acme: Tenant, admin: httpx2.AsyncClient) -> None:
        self.h, self.id, self.admin = identity, acme.id, admin

    async def hear(self, *events: Event) -> None:
        ids = {"opportunity.events": POLICY, "analytics.events": KPI, "quote.events": AUTHORITY}
        for event in events:
            id = getattr(event, "process_id", None) or getattr(event, "approval_id", None) or ids[event.topic]
            await self.h.deliver(event, aggregate_id=id, tenant=self.id)

    async def refused(self, path: str) -> str:
        answer = await self.admin.delete(path)
        assert (answer.status_code, answer.json()["type"]) == IN_USE, answer.text
        return str(answer.json()["detail"])

    async def deleted(self, path: str) -> None:
        answer = await self.admin.delete(path)
        assert answer.status_code == 204, answer.text

    async def restored(self, path: str) -> dict[str, Any]:
        answer = await self.admin.post(f"{path}/restore")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@pytest.fixture
def company(identity: Harness, acme: Tenant, admin: httpx2.AsyncClient) -> Company:
    return Company(identity, acme, admin)


def needs(team: UUID) -> dict[str, tuple[Sequence[Event], str, Sequence[Event]]]:
    """What is heard first, who is named then, and what ends it."""
    measured = kpi(KpiCreated, "team", team)
    return {
        "rules without it": ([rules(uuid7(), team)], RULES, [rules(uuid7())]),
        "other rules stay": ([rules(team), rules(kind="scoring")], RULES, [rules()]),
        "a KPI that is deleted": ([measured], MEASURED, [GONE]),
        "a KPI that came back": ([measured, GONE, kpi(KpiRestored, "team", team)], MEASURED, [GONE]),
        "both": ([rules(team), kpi(KpiChanged, "team", team)], f"{MEASURED}, {RULES}", [rules(), GONE]),
    }


@pytest.mark.parametrize("case", needs(uuid7()))
async def test_a_team_that_others_name_is_not_dissolved(company: Company, case: str) -> None:
    team = await made(company.admin, TEAMS, "Sales")
    begun, named, over = needs(UUID(team["id"]))[case]
    await company.hear(*begun)
    at = f"{TEAMS}/{team['id']}"
    assert await company.refused(at) == f"Team Sales is still needed by {named}."
    await company.hear(*over)
    await company.deleted(at)


async def test_what_is_about_others_keeps_no_team(company: Company) -> None:
    team = await made(company.admin, TEAMS, "Sales")
    id = UUID(team["id"])
    await company.hear(rules(uuid7()), kpi(KpiCreated, "person", id))
    await company.h.deliver(rules(id), aggregate_id=POLICY, tenant=company.h.other_tenant)
    await company.deleted(f"{TEAMS}/{id}")


async def test_a_role_that_limits_of_quotes_name_is_not_deleted(company: Company) -> None:
    seller, buyer = [await made(company.admin, ROLES, name, scopes=["quotes:read"]) for name in ("seller", "buyer")]
    limit = {"max_discount_rate": Decimal("0.1")}
    limits = [AuthorityLimit(role="seller", **limit), AuthorityLimit(user_id=uuid7(), **limit)]
    await company.hear(QuoteAuthorityChanged(authority_id=AUTHORITY, limits=limits))
    at = f"{ROLES}/{seller['id']}"
    needed_by = "limits of quotes (/v1/quotes/authority)"
    assert await company.refused(at) == f"Role seller is still needed by {needed_by}."
    await company.deleted(f"{ROLES}/{buyer['id']}")
    await company.hear(QuoteAuthorityChanged(authority_id=AUTHORITY, limits=limits[1:]))
    await company.deleted(at)


def activated(*roles: str, kinds: Sequence[str] = ("quote",)) -> Event:
    return ProcessActivated(process_id=PROCESS, key="ours", version_number=1, kinds=list(kinds), roles=list(roles))


async def test_a_role_that_a_process_of_approvals_names_is_not_deleted(company: Company) -> None:
    seller, buyer = [await made(company.admin, ROLES, name, scopes=["quotes:read"]) for name in ("seller", "buyer")]
    await company.hear(activated("seller", "admin"))
    at = f"{ROLES}/{seller['id']}"
    needed_by = f"process of approvals ours (/v1/processes/{PROCESS})"
    assert await company.refused(at) == f"Role seller is still needed by {needed_by}."
    await company.deleted(f"{ROLES}/{buyer['id']}")
    await company.hear(activated("seller", kinds=[]))
    assert needed_by in await company.refused(at), "a template may still name the process"
    await company.hear(activated("admin"))
    await company.deleted(at)


def approval(kind: type[ApprovalEvent], **said: Any) -> ApprovalEvent:
    subject = ApprovalSubject(kind="quote", id=uuid7(), number="Q-1/1", sha256="a" * 64, amount=1, currency="EUR")
    return kind(approval_id=APPROVAL, subject=subject, **said)


@pytest.mark.parametrize("answer", ANSWERS)
async def test_a_role_that_a_running_approval_may_ask_is_not_deleted(company: Company, answer: Any) -> None:
    seller = await made(company.admin, ROLES, "seller", scopes=["quotes:read"])
    requested = approval(ApprovalRequested, roles=["manager", "seller"])
    moved = approval(ApprovalMoved, process_version=2, roles=["manager"])
    # Its process has another version by now, which asks others.
    await company.hear(requested, activated("manager"))
    at = f"{ROLES}/{seller['id']}"
    needed_by = f"approval Q-1/1 (/v1/approvals/{APPROVAL})"
    assert await company.refused(at) == f"Role seller is still needed by {needed_by}."
    await company.hear(approval(ApprovalRejected, reason="too dear", then="restart"), requested)
    assert needed_by in await company.refused(at)
    await company.hear(moved)
    buyer = await made(company.admin, ROLES, "buyer", scopes=["quotes:read"])
    await company.hear(moved.model_copy(update={"roles": ["buyer", "seller"]}))
    assert needed_by in await company.refused(f"{ROLES}/{buyer['id']}")
    await company.hear(approval(answer, **({"reason": "too dear"} if answer is ApprovalRejected else {})))
    await company.deleted(at)


async def test_a_dissolved_team_is_listed_and_restored_without_those_who_left(company: Company, acme: Tenant) -> None:
    ada, bo = [(await acme.add(name))["id"] for name in ("ada", "bo")]
    whole = await made(company.admin, TEAMS, "Company")
    said = {"parent_id": whole["id"], "lead_id": ada, "deputy_id": bo, "member_ids": [ada, bo]}
    team = await made(company.admin, TEAMS, "Sales", **said)
    at = f"{TEAMS}/{team['id']}"
    await company.deleted(at)
    (gone,) = (await company.admin.get(TEAMS, params={"deleted": True})).json()["items"]
    assert (gone["id"], gone["version"]) == (team["id"], 2)
    assert [each["id"] for each in (await company.admin.get(TEAMS)).json()["items"]] == [whole["id"]]
    await company.deleted(f"/v1/auth/users/{ada}")
    stale = await company.admin.post(f"{at}/restore", headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    back = await company.restored(at)
    # The deputy leads, as where somebody leaves a team that is there.
    assert back == {**team, "version": 3, "updated_at": back["updated_at"], **led_by(bo)}
    assert (await company.admin.get(at)).json() == back
    told = [each.event for each in await company.h.published(tenant=acme.id) if str(each.aggregate_id) == team["id"]]
    assert [type(event) for event in told[1:]] == [TeamDeleted, TeamRestored]
    newest = told[-1]
    assert isinstance(newest, TeamRestored)
    assert (newest.lead_id, newest.deputy_id, newest.member_ids) == (UUID(bo), None, [UUID(bo)])
    assert len(await acme.audited("team.restored")) == 1
    again = await company.admin.post(f"{at}/restore")
    assert (again.status_code, again.json()["type"]) == (409, "urn:tailrace:problem:not-deleted")


def led_by(user: str) -> dict[str, Any]:
    return {"lead_id": user, "deputy_id": None, "member_ids": [user]}


async def test_a_team_comes_back_only_where_there_is_room_for_it(company: Company) -> None:
    whole = await made(company.admin, TEAMS, "Company")
    team = await made(company.admin, TEAMS, "Sales", parent_id=whole["id"])
    at, above = f"{TEAMS}/{team['id']}", f"{TEAMS}/{whole['id']}"
    await company.deleted(at)
    await company.deleted(above)
    orphan = await company.admin.post(f"{at}/restore")
    assert (orphan.status_code, orphan.json()["type"]) == (409, "urn:tailrace:problem:refers-to-deleted")
    assert orphan.json()["errors"][0]["field"] == "/parent_id"
    await company.restored(above)
    other = await made(company.admin, TEAMS, "Sales")
    taken = await company.admin.post(f"{at}/restore")
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "/name")
    await company.deleted(f"{TEAMS}/{other['id']}")
    await company.restored(at)


async def test_a_team_that_was_dissolved_as_rules_began_to_name_it_is_restored(company: Company) -> None:
    team = await made(company.admin, TEAMS, "Sales")
    at = f"{TEAMS}/{team['id']}"
    await company.deleted(at)
    await company.hear(rules(UUID(team["id"])))
    assert (await company.admin.get(at)).json()["version"] == 3
    assert await company.refused(at) == f"Team Sales is still needed by {RULES}."


async def test_a_team_does_not_come_back_with_somebody_who_is_just_leaving(company: Company, acme: Tenant) -> None:
    ada, bo = [(await acme.add(name))["id"] for name in ("ada", "bo")]
    team = await made(company.admin, TEAMS, "Sales", lead_id=ada, member_ids=[ada, bo])
    at = f"{TEAMS}/{team['id']}"
    await company.deleted(at)
    async with company.h.tx(company.id) as tx:
        (await tx.load(User, UUID(ada))).delete(datetime.now(UTC), None)
        await tx.flush()
        hearing = asyncio.create_task(company.hear(rules(UUID(team["id"]))))
        await asyncio.sleep(0.5)
        assert not hearing.done(), "it waits for what becomes of its members"
    await hearing
    back = (await company.admin.get(at)).json()
    assert (back["lead_id"], back["member_ids"]) == (None, [bo])


async def test_a_role_comes_back_with_its_scopes_and_nobody_has_it(company: Company, acme: Tenant) -> None:
    role = await made(company.admin, ROLES, "picker", scopes=["inventory:read"])
    grace = await acme.add("grace", "picker")
    at = f"{ROLES}/{role['id']}"
    here = await company.admin.post(f"{at}/restore")
    assert (here.status_code, here.json()["type"]) == (409, "urn:tailrace:problem:not-deleted")
    await company.deleted(f"/v1/auth/users/{grace['id']}")
    await company.deleted(at)
    (gone,) = (await company.admin.get(ROLES, params={"deleted": True})).json()["items"]
    assert gone["id"] == role["id"]
    other = await made(company.admin, ROLES, "picker", scopes=["inventory:write"])
    taken = await company.admin.post(f"{at}/restore")
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "/name")
    await company.deleted(f"{ROLES}/{other['id']}")
    lesser = company.h.client_as("users:*", tenant=acme.id)
    assert (await lesser.post(f"{at}/restore")).status_code == 403, "nobody gives what they have not"
    back = await company.restored(at)
    assert (back["name"], back["scopes"], back["version"]) == ("picker", ["inventory:read"], 3)
    told = [each.event for each in await company.h.published(tenant=acme.id) if str(each.aggregate_id) == role["id"]]
    assert [event.scopes for event in told if isinstance(event, RoleChanged)] == [
        ["inventory:read"],
        [],
        ["inventory:read"],
    ]
    assert len(await acme.audited("role.restored")) == 1
    assert (await acme.add("bo", "picker"))["roles"] == ["picker"]
