"""A company moves in by files, through the gateway and by the command line, in any order in which its parts hear of one another."""

import asyncio
import io
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pages import files_of
from python_calamine import CalamineWorkbook

from tailrace.cli.transfer import import_file
from tailrace.core.operator_error import OperatorError
from tailrace_testing.gateway import PASSWORD, Gateway, Member, eventually

PAGE = "docs/how-to/move-in.md"
FILES = {Path(name).stem: text for name, text in files_of(PAGE).items()}
OPEN = {"not_due": 476, "days_1_to_30": 714}
"""What customers owe by then, by how long it has been due on the day of the move."""
OLD_BOOKS = {"1000": 900, "1200": 1_190, "1400": 5_500, "2100": -700, "3000": -6_890}
"""The trial balance that the page says the company comes with."""


async def _import(gateway: Gateway, member: Member, what: str, path: Path, **more: Any) -> bool:
    log_in = {"tenant": member.slug, "email": member.email, "password": PASSWORD}
    options = {"gateway": gateway.url, "encoding": None, "dry_run": False, **more}
    return await asyncio.to_thread(partial(import_file, what, path, log_in, **options))


async def test_a_company_moves_in_and_a_second_time_nothing_happens(gateway: Gateway, tmp_path: Path) -> None:
    member = await gateway.new_tenant()
    await eventually(lambda: member.every("/v1/units"), bool, what="units of measure")
    await eventually(lambda: member.every("/v1/accounting/accounts"), bool, what="the chart of accounts")
    await member.post("/v1/warehouses", {"code": "MAIN", "name": "Main"})
    for _ in range(2):
        for what, text in FILES.items():
            path = tmp_path / f"{what}.csv"
            path.write_text(text)
            assert await _import(gateway, member, what, path)
    (found,) = (await member.get("/v1/customers/search", q="山田"))["items"]
    assert found["number"] == "A-2"
    (order,) = await member.every("/v1/orders")
    await eventually(lambda: member.get(f"/v1/orders/{order['id']}"), lambda o: o["allocation"] == "full", what="stock")
    stock = await member.every("/v1/inventory/stock")
    assert sorted((each["on_hand"], each["value"]) for each in stock) == [("100", 5000), ("50", 500)]
    exported = await member.send("GET", "/v1/customers", headers={"Accept": "text/csv"})
    assert exported.status_code == 200 and len(exported.text.splitlines()) == 3
    opening = [each for each in await member.every("/v1/accounting/journals") if each["text"] == "Opening"]
    assert [each["effective_at"] for each in opening] == ["2026-01-01T00:00:00Z"]
    books = await eventually(
        lambda: member.get("/v1/accounting/trial-balance", effective="2026-01-01"),
        lambda said: OLD_BOOKS.items() <= _balances(said).items(),
        what="stock and invoices in the books",
    )
    assert _balances(books) == OLD_BOOKS
    valued = await member.get("/v1/inventory/valuation", effective="2026-01-01")
    assert [each["value"] for each in valued["totals"]] == [OLD_BOOKS["1400"]]
    whole = await eventually(
        lambda: member.get("/v1/accounting/integrity"), lambda said: said["intact"], what="what explains the books"
    )
    assert not any(each["adjusted"] for each in whole["control"])
    said = await eventually(
        lambda: member.get("/v1/accounting/receivables/ageing", day="2026-01-01"),
        lambda said: sum(each["open"] for each in said["totals"]) == OLD_BOOKS["1200"],
        what="what customers owe",
    )
    (aged,) = said["totals"]
    assert ({name: aged[name] for name in OPEN}, aged["open"]) == (OPEN, OLD_BOOKS["1200"])
    (ada,) = await member.every("/v1/customers", number="A-1")
    assert (order["customer_id"], order["customer_name"]) == (ada["id"], "Ada Works")
    await _is_kept_as_far_as_it_is_seen(gateway, member, f"/v1/customers/{ada['id']}")


def _balances(books: dict[str, Any]) -> dict[str, int]:
    """By account, what is not nothing."""
    return {row["account"]: row["balance"] for row in books["rows"] if row["balance"]}


async def _is_kept_as_far_as_it_is_seen(gateway: Gateway, member: Member, at: str) -> None:
    """Somebody without `customers:pii` sees no e-mail address, keeps it by leaving it out, and cannot say another one."""
    await member.post("/v1/auth/roles", {"name": "clerk", "scopes": ["customers:read", "customers:write"]})
    email = f"clerk@{member.slug}.example"
    await member.post("/v1/auth/users", {"email": email, "name": "Clerk", "password": PASSWORD, "roles": ["clerk"]})
    clerk = await gateway.log_in(member.slug, email)
    assert "emails" not in await clerk.get(at)
    said = {"name": "Ada Works Ltd", "currency": "EUR"}
    assert "emails" not in await clerk.put(at, said)
    refused = await clerk.send("PUT", at, json={**said, "emails": []})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (403, "/emails")
    whole = await member.get(at)
    assert (whole["name"], [each["address"] for each in whole["emails"]]) == ("Ada Works Ltd", ["office@ada.example"])


async def test_many_are_made_in_one_request_and_taken_away_as_a_spreadsheet(gateway: Gateway) -> None:
    member = await gateway.new_tenant()
    items: list[Any] = [{"number": f"B-{at}", "name": f"Buyer {at}", "currency": "EUR"} for at in range(120)]
    items[7] = {"number": "B-7", "name": "Nobody", "currency": "EURO"}
    key = {"Idempotency-Key": "move-in"}
    answers = [await member.send("POST", "/v1/customers/bulk", json={"items": items}, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200] and answers[0].text == answers[1].text
    said = answers[0].json()
    assert said["counts"] == {"created": 119, "replaced": 0, "unchanged": 0, "refused": 1}
    assert said["items"][7]["problem"]["errors"][0]["field"] == "/items/7/currency"
    assert (await member.get(said["items"][8]["location"]))["number"] == "B-8"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    exported = await member.send("GET", "/v1/customers", headers={"Accept": kind})
    assert (exported.status_code, exported.headers["content-type"]) == (200, kind)
    rows = CalamineWorkbook.from_filelike(io.BytesIO(exported.content)).get_sheet_by_index(0).to_python()
    assert len(rows) == 120


async def test_what_is_refused_is_left_beside_the_file(gateway: Gateway, tmp_path: Path) -> None:
    member = await gateway.new_tenant()
    path = tmp_path / "customers.csv"
    path.write_bytes("番号は,名称\n".encode("cp932"))
    with pytest.raises(OperatorError, match="encoding=cp932"):
        await _import(gateway, member, "customers", path)
    path.write_bytes("Number,名称,Currency\nA-1,山田,JPY\nA-2,佐藤,YEN!\n".encode("cp932"))
    assert not await _import(gateway, member, "customers", path, encoding="cp932")
    assert "A-2" in (tmp_path / "customers-refused.csv").read_text("utf-8-sig")
    assert [each["name"] for each in await member.every("/v1/customers")] == ["山田"]
