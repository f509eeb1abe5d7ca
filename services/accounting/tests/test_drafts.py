"""Journals above the company's limit wait, and are posted by an approval of exactly what was submitted, once."""

from typing import Any

from approvals import APPROVED, REJECTED, answer

from contracts.accounting import JournalSubmitted
from contracts.approvals import ApprovalRecalled, ApprovalSubject
from tailrace.core.ids import uuid7
from tailrace_testing import Harness

V1 = "/v1/accounting"


def journal(amount: int, currency: str = "EUR") -> dict[str, Any]:
    lines = [
        {"account": "6000", "currency": currency, "debit": amount},
        {"account": "1000", "currency": currency, "credit": amount},
    ]
    return {"text": "Rent", "effective_at": "2026-01-20T12:00:00Z", "lines": lines}


async def limited(accounting: Harness, amount: int = 1000) -> None:
    answer = await accounting.client.put(
        f"{V1}/journal-limits", json={"limits": [{"currency": "EUR", "amount": amount}]}
    )
    assert answer.status_code == 200, answer.text


async def submitted(accounting: Harness, body: dict[str, Any], status: int = 201) -> dict[str, Any]:
    made = await accounting.client.post(f"{V1}/journal-drafts", json=body)
    assert made.status_code == status, made.text
    return dict(made.json())


async def subject(accounting: Harness) -> ApprovalSubject:
    (*_, told) = await accounting.published(JournalSubmitted)
    return told.event.subject


async def decide(accounting: Harness, kind: Any, about: ApprovalSubject, **said: Any) -> None:
    told = answer(kind, about, **said)
    await accounting.deliver(told, aggregate_id=uuid7())


async def status(accounting: Harness, draft: dict[str, Any]) -> Any:
    return (await accounting.client.get(f"{V1}/journal-drafts/{draft['id']}")).json()


async def test_a_journal_above_the_limit_waits_and_is_posted_once_when_approved(accounting: Harness) -> None:
    assert (await accounting.client.post(f"{V1}/journals", json=journal(10**9))).status_code == 201
    await limited(accounting)
    assert (await accounting.client.post(f"{V1}/journals", json=journal(1000))).status_code == 201
    refused = await accounting.client.post(f"{V1}/journals", json=journal(1001))
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:approval-needed")
    assert (await accounting.client.post(f"{V1}/journals", json=journal(1001, "USD"))).status_code == 201
    draft = await submitted(accounting, journal(1001))
    about = await subject(accounting)
    assert (about.kind, str(about.id), about.amount, about.currency) == ("journal", draft["id"], 1001, "EUR")
    assert (about.requester_id, about.attributes) == (accounting.user, {"accounts": "1000 6000"})
    await decide(accounting, APPROVED, about.model_copy(update={"sha256": "0" * 64}))
    assert (await status(accounting, draft))["status"] == "in_approval"
    for _ in range(2):
        await decide(accounting, APPROVED, about)
    now = await status(accounting, draft)
    posted = (await accounting.client.get(f"{V1}/journals/{now['journal_id']}")).json()
    assert (now["status"], posted["effective_at"], len(posted["lines"])) == ("posted", "2026-01-20T12:00:00Z", 2)
    assert len(await accounting.published("accounting.journal.posted")) == 4


async def test_what_is_not_approved_is_not_posted(accounting: Harness) -> None:
    await limited(accounting)
    answers: list[tuple[Any, dict[str, str], tuple[str, str | None]]] = [
        (REJECTED, {"reason": "too much"}, ("rejected", "too much")),
        (REJECTED, {"reason": "again", "then": "restart"}, ("in_approval", None)),
        (ApprovalRecalled, {}, ("rejected", "The request was recalled.")),
    ]
    for kind, said, became in answers:
        draft = await submitted(accounting, journal(1001))
        await decide(accounting, kind, await subject(accounting), **said)
        now = await status(accounting, draft)
        assert (now["status"], now["reason"]) == became
    assert await accounting.published("accounting.journal.posted") == []


async def test_a_withdrawn_journal_is_not_posted_by_a_late_approval(accounting: Harness) -> None:
    await limited(accounting)
    draft = await submitted(accounting, journal(1001))
    at = f"{V1}/journal-drafts/{draft['id']}/withdraw"
    assert (await accounting.client.post(at, json={"reason": "paid already"})).json()["status"] == "withdrawn"
    await decide(accounting, APPROVED, await subject(accounting))
    assert (await status(accounting, draft))["status"] == "withdrawn"
    assert (await accounting.client.post(at, json={"reason": "again"})).status_code == 409


async def test_what_cannot_be_posted_any_more_is_rejected_with_the_reason(accounting: Harness) -> None:
    await limited(accounting)
    draft = await submitted(accounting, journal(1001))
    body = {"name": "2026-01", "first_day": "2026-01-01", "last_day": "2026-01-31"}
    period = (await accounting.client.post(f"{V1}/periods", json=body)).json()
    assert (await accounting.client.post(f"{V1}/periods/{period['id']}/lock")).status_code == 200
    await decide(accounting, APPROVED, await subject(accounting))
    now = await status(accounting, draft)
    assert now["status"] == "rejected"
    assert "locked period" in now["reason"]


async def test_what_could_never_be_posted_is_not_submitted(accounting: Harness) -> None:
    await limited(accounting)
    wrong = journal(1001)
    wrong["lines"][1]["credit"] = 1000
    assert (await submitted(accounting, wrong, 422))["type"].endswith("unbalanced")
    assert (await submitted(accounting, journal(1000), 409))["type"].endswith("no-approval-needed")
    two = {"limits": [{"currency": "EUR", "amount": 1}] * 2}
    assert (await accounting.client.put(f"{V1}/journal-limits", json=two)).status_code == 422


async def test_a_day_that_no_journal_takes_is_refused_when_it_is_submitted(accounting: Harness) -> None:
    await limited(accounting)
    for year in ("1999", "2199"):
        said = await submitted(accounting, {**journal(1001), "effective_at": f"{year}-01-20T12:00:00Z"}, 422)
        assert (said["type"].rpartition(":")[2], said["errors"][0]["field"]) == ("implausible-date", "/effective_at")
    body = {"name": "2026-01", "first_day": "2026-01-01", "last_day": "2026-01-31"}
    period = (await accounting.client.post(f"{V1}/periods", json=body)).json()
    assert (await accounting.client.post(f"{V1}/periods/{period['id']}/lock")).status_code == 200
    said = await submitted(accounting, journal(1001), 409)
    assert (said["type"].rpartition(":")[2], said["errors"][0]["field"]) == ("period-locked", "/effective_at")
    whenever = await submitted(accounting, {**journal(1001), "effective_at": None})
    await decide(accounting, APPROVED, await subject(accounting))
    assert (await status(accounting, whenever))["status"] == "posted"


async def test_an_account_that_a_draft_under_approval_names_stays(accounting: Harness) -> None:
    await limited(accounting)
    draft = await submitted(accounting, journal(1001))
    listed = (await accounting.client.get(f"{V1}/accounts", params={"limit": 100})).json()["items"]
    (account,) = [each["id"] for each in listed if each["code"] == "6000"]
    gone = await accounting.client.delete(f"{V1}/accounts/{account}")
    assert (gone.status_code, gone.json()["type"]) == (409, "urn:tailrace:problem:account-needed")
    assert draft["number"] in gone.json()["detail"]
    chart = await accounting.client.put(f"{V1}/chart", json={"chart": "france"})
    assert (chart.status_code, chart.json()["type"]) == (409, "urn:tailrace:problem:in-use")
    await decide(accounting, REJECTED, await subject(accounting), reason="too much")
    assert (await accounting.client.delete(f"{V1}/accounts/{account}")).status_code == 204
