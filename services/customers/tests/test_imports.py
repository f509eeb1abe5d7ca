"""Customers from files: the same rules as over HTTP, good rows kept, found in both languages, a second time without effect."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.customers import CustomerCreditChanged
from customers.service import service
from tailrace.transfer import importing
from tailrace_testing import Harness, MakeHarness

from .conftest import AT, Sales

FILE = f"{AT}/import"
TWO = "Number,Name,フリガナ,Currency,E-mail\nA-1,Ada Works,,EUR,office@ada.example\nA-2,山田製作所,やまだ,JPY,\n"


async def _found(h: Harness, q: str) -> list[str]:
    return [row["number"] for row in (await h.client.get(f"{AT}/search", params={"q": q})).json()["items"]]


async def _refused(sales: Sales, job: dict[str, Any]) -> list[list[str]]:
    """The row and the column of each that was refused."""
    refused = await sales.h.client.get(f"{AT}/jobs/{job['id']}/refused")
    return [row[-3:-1] for row in csv.reader(io.StringIO(refused.text))][1:]


async def _customer(h: Harness, number: str) -> dict[str, Any]:
    (row,) = (await h.client.get(AT, params={"number": number})).json()["items"]
    return dict((await h.client.get(f"{AT}/{row['id']}")).json())


async def test_rows_become_customers_that_search_finds_and_a_second_time_changes_nothing(
    make_harness: MakeHarness,
) -> None:
    h = await make_harness(service)
    job = await h.import_rows(FILE, TWO)
    assert (job["state"], job["done"], job["total"], job["counts"]) == ("succeeded", 2, 2, {"created": 2})
    assert await _found(h, "ヤマダ") == ["A-2"]
    assert await _found(h, "ada.example") == ["A-1"]
    assert [event.type for event in await h.published()] == ["customer.created", "customer.created"]
    assert (await h.import_rows(FILE, TWO))["counts"] == {"unchanged": 2}
    assert len(await h.published()) == 2


async def test_what_http_refuses_a_file_is_refused_for(sales: Sales) -> None:
    head = "number,name,currency,Tax id country,Tax id,Email,Payment terms\n"
    rows = [
        "A-1,Ada,EUR,DE,136695976,,30",
        "A-2,Bo,EUR,DE,123,,30",
        "A-3,Cy,EURO,,,,30",
        "A-4,Di,EUR,,,nobody,30",
        "A-5,Ed,EUR,,,,soon",
        "A-6,Flo,EUR,,,,",
    ]
    job = await sales.h.import_rows(FILE, head + "\n".join(rows) + "\n")
    assert job["counts"] == {"created": 2, "refused": 4}
    assert await _refused(sales, job) == [
        ["3", "Tax id"],
        ["4", "Currency"],
        ["5", "E-mail"],
        ["6", "Payment terms"],
    ]
    assert (await _customer(sales.h, "A-6"))["payment_terms_days"] == 30


async def test_what_the_file_does_not_say_stays(sales: Sales) -> None:
    emails = [{"address": "a@ada.example"}, {"address": "b@ada.example", "label": "home"}]
    customer = await sales.create(number="A-1", segment="gold", emails=emails)
    await sales.assigned(customer, sales.bo)
    job = await sales.h.import_rows(FILE, "number,name,currency,email\nA-1,Ada Works Ltd,EUR,c@ada.example\n")
    assert job["counts"] == {"replaced": 1}
    now = await _customer(sales.h, "A-1")
    assert (now["name"], now["segment"], now["sales_rep_id"]) == ("Ada Works Ltd", "gold", str(sales.bo))
    assert [each["address"] for each in now["emails"]] == ["c@ada.example", "b@ada.example"]


async def test_who_looks_after_a_customer_comes_with_the_file_and_is_checked(sales: Sales) -> None:
    there = await sales.create(number="A-1", segment="gold")
    await sales.leaves(gone := sales.cy)
    before = len(await sales.h.published())
    stranger = "01990000-0000-7000-8000-00000000cccc"
    rows = [
        f"A-1,Ada Works,EUR,{sales.bo}",
        f"A-2,Bo Works,EUR,{sales.bo}",
        "A-3,Cy Works,EUR,",
        f"A-4,Di,EUR,{gone}",
        f"A-5,Ed,EUR,{stranger}",
        "A-6,Flo,EUR,Bo",
    ]
    text = "number,name,currency,sales_rep_id\n" + "\n".join(rows) + "\n"
    job = await sales.h.import_rows(FILE, text)
    assert job["counts"] == {"created": 2, "replaced": 1, "refused": 3}
    assert await _refused(sales, job) == [[row, "Sales rep id"] for row in ("5", "6", "7")]
    shown = {number: (await _customer(sales.h, number))["sales_rep_id"] for number in ("A-1", "A-2", "A-3")}
    assert shown == {"A-1": str(sales.bo), "A-2": str(sales.bo), "A-3": None}
    # The first one is assigned as by its own command, and nothing else of it is told to have changed.
    own = [one for one in (await sales.h.published())[before:] if str(one.aggregate_id) == there["id"]]
    assert [one.type for one in own] == ["customer.assigned", "customer.updated"]
    assert (await sales.h.import_rows(FILE, "number,name,currency\nA-1,Ada,EUR\n"))["counts"] == {"replaced": 1}
    assert (await _customer(sales.h, "A-1"))["sales_rep_id"] == str(sales.bo), "what the file does not say stays"
    emptied = "number,name,currency,sales_rep_id\nA-1,Ada,EUR,\n"
    assert (await sales.h.import_rows(FILE, emptied))["counts"] == {"replaced": 1}
    assert (await _customer(sales.h, "A-1"))["sales_rep_id"] is None


async def test_who_may_not_assign_customers_imports_none_that_are_assigned(sales: Sales) -> None:
    clerk = sales.h.client_as("customers:read customers:write customers:pii")
    text = f"number,name,currency,担当者ID\nA-1,Ada,EUR,{sales.bo}\n"
    answer = await clerk.post(FILE, content=text.encode(), headers={"Content-Type": "text/csv"})
    assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (403, ["/sales_rep_id"])
    assert "customers:assign" in answer.json()["detail"]
    without = await clerk.post(
        FILE, content=b"number,name,currency\nA-1,Ada,EUR\n", headers={"Content-Type": "text/csv"}
    )
    assert without.status_code == 202


async def test_an_export_moves_customers_with_who_looks_after_them(sales: Sales) -> None:
    customer = await sales.assigned(await sales.create(number="A-1"), sales.bo)
    exported = (await sales.h.client.get(AT, headers={"Accept": "text/csv"})).text
    assert (await sales.h.import_rows(FILE, exported))["counts"] == {"unchanged": 1}
    await sales.assigned(customer, sales.cy)
    assert (await sales.h.import_rows(FILE, exported))["counts"] == {"replaced": 1}
    assert (await _customer(sales.h, "A-1"))["sales_rep_id"] == str(sales.bo)


async def test_people_come_with_the_file_each_known_by_their_name(sales: Sales) -> None:
    grace = {"name": "Grace", "position": "Buyer", "emails": [{"address": "grace@ada.example"}]}
    there = await sales.create(number="A-1")
    for person in ({"name": "Eve"}, grace):
        await sales.act(there, "people", 201, **person)
    before = {each["name"]: each for each in (await _customer(sales.h, "A-1"))["people"]}
    head = "number,name,currency,Person,Person position,Person e-mail,先方担当者電話\n"
    rows = [
        "A-1,Ada Works,EUR,GRACE,Head of buying,,+49 30 123456",
        "A-2,Bo Works,EUR,Max,,max@bo.example,",
        "A-3,Cy Works,EUR,,,,",
        "A-4,Di Works,EUR,,,di@di.example,",
        "A-5,Ed Works,EUR,Ed,,,12",
    ]
    text = head + "\n".join(rows) + "\n"
    job = await sales.h.import_rows(FILE, text)
    assert job["counts"] == {"created": 2, "replaced": 1, "refused": 2}
    assert await _refused(sales, job) == [["5", "Person"], ["6", "Person phone"]]
    eve, grace_now = (await _customer(sales.h, "A-1"))["people"]
    assert eve == before["Eve"], "nobody said anything of her"
    assert grace_now == {
        **before["Grace"],
        "name": "GRACE",
        "position": "Head of buying",
        "phones": [{"number": "+4930123456", "label": "work"}],
    }
    (max_,) = (await _customer(sales.h, "A-2"))["people"]
    assert (max_["name"], max_["emails"]) == ("Max", [{"address": "max@bo.example", "label": "work"}])
    events = len(await sales.h.published())
    assert (await sales.h.import_rows(FILE, text))["counts"] == {"unchanged": 3, "refused": 2}
    assert len(await sales.h.published()) == events
    several = json.dumps([{"name": "Max", "position": "Owner"}, {"name": "Mia"}])
    more = io.StringIO()
    csv.writer(more).writerows([["number", "name", "currency", "people"], ["A-2", "Bo Works", "EUR", several]])
    assert (await sales.h.import_rows(FILE, more.getvalue()))["counts"] == {"replaced": 1}
    people = (await _customer(sales.h, "A-2"))["people"]
    assert people[0] == {**max_, "position": "Owner"} and [each["name"] for each in people] == ["Max", "Mia"]
    emptied = "number,name,currency,people\nA-2,Bo Works,EUR,\n"
    assert (await sales.h.import_rows(FILE, emptied))["counts"] == {"replaced": 1}
    assert (await _customer(sales.h, "A-2"))["people"] == []


async def test_credit_limits_come_with_the_file_and_say_why(sales: Sales) -> None:
    there = await sales.create(number="A-1", segment="gold")
    await sales.put(there, "/credit", credit_limit=500, reason="New")
    head = "number,name,currency,Credit limit,Credit reason\n"
    rows = [
        "A-1,Ada Works,EUR,70000,Moved from the old books",
        "A-2,Bo Works,EUR,100,Moved from the old books",
        "A-3,Cy Works,EUR,,",
        "A-4,Di Works,EUR,100,",
        "A-5,Ed Works,EUR,-1,Moved",
    ]
    before = len(await sales.h.published())
    job = await sales.h.import_rows(FILE, head + "\n".join(rows) + "\n")
    assert job["counts"] == {"created": 2, "replaced": 1, "refused": 2}
    assert await _refused(sales, job) == [["5", "Credit reason"], ["6", "Credit limit"]]
    limits = {number: (await _customer(sales.h, number))["credit_limit"] for number in ("A-1", "A-2", "A-3")}
    assert limits == {"A-1": 70000, "A-2": 100, "A-3": None}
    own = [one.event for one in (await sales.h.published())[before:] if str(one.aggregate_id) == there["id"]]
    assert [(type(one), one.reason) for one in own if isinstance(one, CustomerCreditChanged)] == [
        (CustomerCreditChanged, "Moved from the old books")
    ]
    assert len(own) == 1, "nothing else of it is told to have changed"
    again = head + "A-1,Ada Works,EUR,70000,Another word\n"
    assert (await sales.h.import_rows(FILE, again))["counts"] == {"unchanged": 1}
    # What it is invoiced in changes only when there is no limit in the old currency.
    assert (await sales.h.import_rows(FILE, head + "A-1,Ada Works,USD,70000,Sold\n"))["counts"] == {"refused": 1}
    assert (await sales.h.import_rows(FILE, head + "A-1,Ada Works,USD,,Sold\n"))["counts"] == {"replaced": 1}
    now = await _customer(sales.h, "A-1")
    assert (now["currency"], now["credit_limit"], now["segment"]) == ("USD", None, "gold")


async def test_who_may_not_limit_credit_imports_no_limits(sales: Sales) -> None:
    clerk = sales.h.client_as("customers:read customers:write customers:pii customers:assign")
    text = "number,name,currency,与信限度額,Credit reason\nA-1,Ada,EUR,100,Moved\n"
    answer = await clerk.post(FILE, content=text.encode(), headers={"Content-Type": "text/csv"})
    assert (answer.status_code, [each["field"] for each in answer.json()["errors"]]) == (403, ["/credit_limit"])
    assert "customers:credit" in answer.json()["detail"]


async def test_consents_come_with_the_file_and_never_over_what_was_said_later(sales: Sales) -> None:
    there = await sales.create(number="A-1")
    now = datetime.now(UTC).replace(microsecond=0)
    withdrawn = {"given_at": (now - timedelta(hours=1)).isoformat(), "source": "By telephone"}
    await sales.put(there, "/consents", purpose="profiling", granted=False, **withdrawn)
    head = "number,name,currency,Consent to e-mail,Consent to e-mail: when,Consent to e-mail: source"
    head += ",プロファイリングの同意,プロファイリングの同意日,プロファイリングの同意の根拠\n"
    early, late = (now - timedelta(days=400)).date().isoformat(), (now - timedelta(minutes=5)).isoformat()
    rows = [
        f"A-1,Ada Works,EUR,yes,{early},Fair,はい,{late},Letter",
        f"A-2,Bo Works,EUR,no,{early},Fair,,,",
        "A-3,Cy Works,EUR,yes,,Fair,,,",
        f"A-4,Di Works,EUR,perhaps,{early},Fair,,,",
        f"A-5,Ed Works,EUR,yes,{(now + timedelta(days=2)).isoformat()},Fair,,,",
    ]
    text = head + "\n".join(rows) + "\n"
    job = await sales.h.import_rows(FILE, text)
    assert job["counts"] == {"created": 1, "replaced": 1, "refused": 3}
    wrong = ["Consent to e-mail: when", "Consent to e-mail", "Consent to e-mail: when"]
    assert await _refused(sales, job) == [[str(row), column] for row, column in zip((4, 5, 6), wrong, strict=True)]
    ada = (await _customer(sales.h, "A-1"))["consents"]
    assert ada["marketing_email"] == {"granted": True, "given_at": f"{early}T00:00:00Z", "source": "Fair"}
    assert (ada["profiling"]["granted"], ada["profiling"]["source"]) == (True, "Letter")
    events = len(await sales.h.published())
    assert (await sales.h.import_rows(FILE, text))["counts"] == {"unchanged": 2, "refused": 3}
    assert len(await sales.h.published()) == events
    # It takes one back, and the file comes once more.
    await sales.put(there, "/consents", purpose="profiling", granted=False, given_at=now.isoformat(), source="Letter")
    job = await sales.h.import_rows(FILE, head + rows[0] + "\n")
    assert job["counts"] == {"refused": 1}
    assert await _refused(sales, job) == [["2", "Consent to profiling: when"]]
    assert (await _customer(sales.h, "A-1"))["consents"]["profiling"]["granted"] is False


async def test_without_a_number_a_row_is_known_by_all_that_it_says(sales: Sales) -> None:
    text = "name,currency\nAda,EUR\nBo,EUR\nAda,EUR\n"
    assert (await sales.h.import_rows(FILE, text))["counts"] == {"created": 2, "unchanged": 1}
    assert (await sales.h.import_rows(FILE, text))["counts"] == {"unchanged": 3}
    numbers = [row["number"] for row in (await sales.h.client.get(AT)).json()["items"]]
    assert sorted(numbers) == ["C-000001", "C-000002"]


async def test_lists_may_come_as_json_and_an_export_comes_back_as_it_was(sales: Sales) -> None:
    phones = json.dumps([{"number": "+4930123456", "label": "work"}])
    rows = io.StringIO()
    csv.writer(rows).writerows([["number", "name", "currency", "phones"], ["A-1", "=1+1", "EUR", phones]])
    assert (await sales.h.import_rows(FILE, rows.getvalue()))["counts"] == {"created": 1}
    assert (await _customer(sales.h, "A-1"))["phones"][0]["number"] == "+4930123456"
    exported = await sales.h.client.get(AT, headers={"Accept": "text/csv"})
    assert ",'=1+1," in exported.text
    events = len(await sales.h.published())
    assert (await sales.h.import_rows(FILE, exported.text))["counts"] == {"unchanged": 1}
    assert len(await sales.h.published()) == events


async def test_what_somebody_changes_while_a_file_is_read_stays(sales: Sales, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row is replaced in the columns that the file has: the others are as they are then, not as they were when it was read."""
    there = await sales.create(number="A-1")
    changed: list[str] = []
    checked = importing._Importer._skip_marked

    async def meanwhile(self: Any, documents: Any) -> None:
        await checked(self, documents)
        if not changed:
            changed.append("once")
            await sales.act(there, "people", 201, name="Eve")

    monkeypatch.setattr(importing._Importer, "_skip_marked", meanwhile)
    job = await sales.h.import_rows(FILE, "number,name,currency\nA-1,Ada Mills,EUR\n")
    assert (job["counts"], changed) == ({}, ["once"])
    await sales.h.admin.execute("UPDATE job_queue SET due_at = now()")
    await sales.h.run_jobs()
    done = (await sales.h.client.get(f"{AT}/jobs/{job['id']}")).json()
    assert done["counts"] == {"replaced": 1}
    customer = await _customer(sales.h, "A-1")
    assert (customer["name"], [each["name"] for each in customer["people"]]) == ("Ada Mills", ["Eve"])


async def test_a_number_that_the_file_itself_was_given_is_taken(sales: Sales) -> None:
    text = "number,name,currency\n,Ada Works,EUR\nC-000001,Bo Works,EUR\n"
    job = await sales.h.import_rows(FILE, text)
    assert (job["state"], job["counts"]) == ("succeeded", {"created": 1, "refused": 1})
    assert (await _customer(sales.h, "C-000001"))["name"] == "Ada Works"
    twice = await sales.h.import_rows(FILE, "number,name,currency\n'=A,Ada,EUR\n=A,Bo,EUR\n")
    assert twice["counts"] == {"created": 1, "refused": 1}


@pytest.mark.parametrize(
    ("there", "said", "people"),
    [
        (["Grace"], [" Grace"], [("Grace", True)]),
        (["Strauß", "Strauss"], ["Strauss"], [("Strauß", False), ("Strauss", True)]),
        (["Strauß", "Strauss"], ["STRAUSS"], None),
        (["田中", "田中"], ["田中"], None),
        (["田中", "田中"], ["田中", "田中"], [("田中", True), ("田中", True)]),
        (["Ada"], [{"position": "Buyer"}], None),
    ],
)
async def test_who_is_meant_by_a_name(
    sales: Sales, there: list[str], said: list[Any], people: list[tuple[str, bool]] | None
) -> None:
    """Whoever is spelled so, or else has that name; where several might be meant, the row is refused. Nobody loses what was known of them."""
    customer = await sales.create(number="A-1")
    for name in there:
        await sales.act(customer, "people", 201, name=name, emails=[{"address": "a@ada.example"}])
    before = (await _customer(sales.h, "A-1"))["people"]
    entries = [{"name": name, "position": "Buyer"} if isinstance(name, str) else name for name in said]
    file = io.StringIO()
    rows = [["number", "name", "currency", "people"], ["A-1", "Ada Works", "EUR", json.dumps([*entries])]]
    csv.writer(file).writerows(rows)
    job = await sales.h.import_rows(FILE, file.getvalue())
    now = (await _customer(sales.h, "A-1"))["people"]
    if people is None:
        assert (job["counts"], now) == ({"refused": 1}, before)
        return
    assert job["counts"] == {"replaced": 1}
    assert sorted((each["name"], each["position"] == "Buyer") for each in now) == sorted(people)
    assert {(each["id"], each["name"]) for each in now} == {(each["id"], each["name"]) for each in before}
    assert all(each["emails"] for each in now)


@pytest.mark.parametrize(
    "cell", ["[" * 600 + "]" * 600, "[" * 20 + "]" * 20, json.dumps([0] * 2000), '{"a": 1}', "[null]"]
)
async def test_a_cell_of_nonsense_costs_its_own_row(sales: Sales, cell: str) -> None:
    file = io.StringIO()
    rows = [["number", "name", "currency", "people"], ["A-1", "Ada", "EUR", cell], ["A-2", "Bo", "EUR", ""]]
    csv.writer(file).writerows(rows)
    job = await sales.h.import_rows(FILE, file.getvalue())
    assert (job["state"], job["counts"]) == ("succeeded", {"created": 1, "refused": 1})
