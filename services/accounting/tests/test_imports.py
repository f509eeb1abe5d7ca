"""Opening balances from files: a journal of several rows, an adjustment where it is on control accounts, once."""

from tailrace_testing import Harness

AT = "/v1/accounting/opening-balances/import"
HEAD = "摘要,Effective at,Account,Currency,Debit,Credit\n"


async def test_balances_are_posted_once(accounting: Harness) -> None:
    await accounting.client.put("/v1/accounting/chart", json={"chart": "general"})
    accounts = {
        each["code"] for each in (await accounting.client.get("/v1/accounting/accounts?limit=200")).json()["items"]
    }
    assert {"1000", "6000"} <= accounts
    chart = (await accounting.client.get("/v1/accounting/chart")).json()
    inventory = next(role["account"] for role in chart["roles"] if role["role"] == "inventory")
    rows = (
        f"Opening,2026-01-01,1000,EUR,900,\n,,6000,EUR,,900\nStock,2026-01-01,{inventory},EUR,500,\n,,6000,EUR,,500\n"
    )
    job = await accounting.import_rows(AT, HEAD + rows)
    assert (job["done"], job["counts"]) == (4, {"created": 2}), job
    journals = (await accounting.client.get("/v1/accounting/journals")).json()["items"]
    assert [(each["text"], each["effective_at"]) for each in journals] == [
        ("Opening", "2026-01-01T00:00:00Z"),
        ("Stock", "2026-01-01T00:00:00Z"),
    ]
    adjusted = (await accounting.client.get("/v1/accounting/adjustments")).json()["items"]
    assert [each["text"] for each in adjusted] == ["Stock"]
    assert (await accounting.import_rows(AT, HEAD + rows))["counts"] == {"unchanged": 2}
    unbalanced = await accounting.import_rows(AT, HEAD + rows.replace("Opening,", "Other,").replace(",,900", ",,800"))
    assert unbalanced["counts"] == {"unchanged": 1, "refused": 1}
    assert len((await accounting.client.get("/v1/accounting/journals")).json()["items"]) == 2


async def test_whoever_may_not_post_to_control_accounts_may_not_import_them(accounting: Harness) -> None:
    client = accounting.client_as("accounting:read accounting:write")
    answer = await client.post(AT, content=HEAD.encode(), headers={"Content-Type": "text/csv"})
    assert answer.status_code == 403
