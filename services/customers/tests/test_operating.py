"""Who looks after calls to partners and long work sees what is stuck and why, hastens it, and ends it so that whoever waits is told."""

from typing import Any

import pytest
from partner import PartnerListener, answer

from tailrace.settings import PartnerAddress

from .conftest import AT, Sales

TAX = {"country": "DE", "number": "136695976"}
VALID = answer(body=b'{"result": "valid", "reference": "V-1", "checked_on": "2026-11-27"}')


async def _errands(sales: Sales) -> list[dict[str, Any]]:
    answer = await sales.h.client.get(f"{AT}/errands")
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def _result(sales: Sales, customer: dict[str, Any]) -> str:
    (check,) = (await sales.read(customer))["tax_id_checks"]
    return str(check["result"])


@pytest.mark.parametrize("end", ["retry", "cancel"])
async def test_a_call_that_waits_is_seen_hastened_and_ended(sales: Sales, end: str) -> None:
    async with PartnerListener([answer(503, b"{}", headers={"Retry-After": "3000"}), VALID]) as office:
        sales.h.settings.partners = {"verification": PartnerAddress(url=office.url + "/verification")}
        sales.h.settings.errands_allow = [office.target]
        ada = await sales.create(tax_ids=[TAX])
        await sales.act(ada, "verify-tax-id", 202, **TAX)
        (before,) = await _errands(sales)
        assert (before["state"], before["tries"], before["last_error"]) == ("waiting", 0, None)
        assert (before["kind"], before["target"]) == ("customers.tax_id_check", office.target)
        await sales.h.run_errands()
        (waiting,) = await _errands(sales)
        assert (waiting["tries"], waiting["last_error"]) == (1, "status-503") and waiting["tried_at"]
        assert await sales.h.run_errands() == 0, "it was asked to wait"
        done = await sales.h.client.post(f"{AT}/errands/{waiting['id']}/{end}")
        assert done.status_code == 200, done.text
        await sales.h.run_errands()
        assert await _result(sales, ada) == ("valid" if end == "retry" else "unanswered")
        assert len(office.asked) == (2 if end == "retry" else 1)
    assert await _errands(sales) == []
    gone = await sales.h.client.post(f"{AT}/errands/{waiting['id']}/{end}")
    assert gone.status_code == 404


async def test_calls_are_for_those_who_look_after_them_and_of_ones_own_company(sales: Sales) -> None:
    sales.h.settings.partners = {"verification": PartnerAddress(url="https://verification.example")}
    ada = await sales.create(tax_ids=[TAX])
    await sales.act(ada, "verify-tax-id", 202, **TAX)
    (errand,) = await _errands(sales)
    lesser = sales.h.client_as("customers:read customers:write")
    for path in ("errands", f"errands/{errand['id']}", "jobs/all"):
        assert (await lesser.get(f"{AT}/{path}")).status_code == 403
    foreign = sales.h.client_as(tenant=sales.h.other_tenant)
    assert (await foreign.get(f"{AT}/errands")).json()["items"] == []
    for action in ("retry", "cancel"):
        assert (await foreign.post(f"{AT}/errands/{errand['id']}/{action}")).status_code == 404
    assert await _errands(sales) == [errand]


async def test_an_answer_that_could_not_be_applied_says_so(sales: Sales, monkeypatch: pytest.MonkeyPatch) -> None:
    async with PartnerListener([VALID]) as office:
        sales.h.settings.partners = {"verification": PartnerAddress(url=office.url + "/verification")}
        sales.h.settings.errands_allow = [office.target]
        ada = await sales.create(tax_ids=[TAX])
        await sales.act(ada, "verify-tax-id", 202, **TAX)
        with monkeypatch.context() as broken:
            broken.setattr("customers.models.Customer.note_tax_id_check", lambda *_: 1 / 0)
            await sales.h.run_errands()
        (stuck,) = await _errands(sales)
        assert (stuck["state"], stuck["last_error"]) == ("answered", "not-applied: ZeroDivisionError")
        assert (await sales.h.client.post(f"{AT}/errands/{stuck['id']}/retry")).status_code == 200
        await sales.h.run_errands()
        assert (await _result(sales, ada), len(office.asked)) == ("valid", 1)


async def test_everybodys_jobs_are_seen_and_a_failed_one_goes_on(sales: Sales, monkeypatch: pytest.MonkeyPatch) -> None:
    csv, bo = {"Content-Type": "text/csv"}, sales.h.client_as(user=sales.bo)
    started = await bo.post(f"{AT}/import", content=b"name,currency\nAda,EUR\n", headers=csv)
    job = started.json()["id"]
    assert (await sales.h.client.get(f"{AT}/jobs/{job}")).status_code == 404, "it is another's"
    with monkeypatch.context() as broken:
        broken.setattr("tailrace.transfer.importing._Importer.apply", lambda *_: 1 / 0)
        await sales.h.run_jobs()
        while (await sales.h.client.get(f"{AT}/jobs/all")).json()["items"][0]["state"] != "failed":
            await sales.h.admin.execute("UPDATE job_queue SET due_at = now(), leased_until = NULL WHERE NOT ended")
            await sales.h.run_jobs()
    (failed,) = (await sales.h.client.get(f"{AT}/jobs/all", params={"state": "failed"})).json()["items"]
    assert failed["id"] == job and failed["messages"]
    again = await sales.h.client.post(f"{AT}/jobs/all/{job}/retry")
    assert (again.status_code, again.json()["state"]) == (200, "queued")
    assert (await sales.h.client.post(f"{AT}/jobs/all/{job}/retry")).status_code == 409
    await sales.h.run_jobs()
    (done,) = (await sales.h.client.get(f"{AT}/jobs/all")).json()["items"]
    assert (done["state"], done["counts"]) == ("succeeded", {"created": 1})
