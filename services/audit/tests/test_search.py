"""Records are found by who, what, when, document, request and cause; counted by day; and handed to a SIEM."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

from scribe import AT, Scribe, id_of

from contracts.users import TenantTimeZoneChanged, UserCreated
from tailrace.core.ids import uuid7

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def found(scribe: Scribe, **query: object) -> list[str]:
    return [item["id"] for item in (await scribe.get(f"{AT}/records", **query))["items"]]


async def test_each_way_to_search(scribe: Scribe) -> None:
    order, ada = uuid7(), str(uuid7())
    first = scribe.event("order.created", order, actor=ada, at=NOON)
    second = scribe.event("order.confirmed", order, cause=first, at=NOON + timedelta(hours=1))
    third = scribe.event(
        "shipment.created", uuid7(), topic="shipment.events", at=NOON + timedelta(days=1), actor="timer:x"
    )
    await scribe.say(first, second, third)
    one, two, three = (str(id_of(each)) for each in (first, second, third))
    assert await found(scribe) == [one, two, three]
    assert await found(scribe, actor_id=ada) == [one, two]
    assert await found(scribe, type=["order.created", "shipment.created"]) == [one, three]
    assert await found(scribe, document_id=order) == [one, two]
    assert await found(scribe, causation_id=one) == [two]
    assert await found(scribe, correlation_id=dict(first.headers)["ce_correlationid"].decode()) == [one, two]
    assert await found(scribe, service="shipping") == [three]
    assert await found(
        scribe,
        occurred_from=(NOON + timedelta(minutes=1)).isoformat(),
        occurred_until=(NOON + timedelta(hours=2)).isoformat(),
    ) == [two]
    assert await found(scribe, sort="-position") == [three, two, one]


async def test_a_page_leads_to_the_next(scribe: Scribe) -> None:
    await scribe.fill(25)
    seen, cursor = [], None
    while True:
        page = await scribe.get(f"{AT}/records", limit=10, **({"cursor": cursor} if cursor else {}))
        seen += [item["position"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [*range(25)]


async def test_who_a_person_is_shows_to_those_alone_who_may_see_it(scribe: Scribe) -> None:
    user = uuid7()
    event = UserCreated(user_id=user, email="ada@acme.example", name="Ada", roles=["sales"])
    record = await scribe.h.deliver(event, aggregate_id=user)
    await scribe.sign()
    at = f"{AT}/records/{id_of(record)}"
    assert (await scribe.get(at))["data_in_full"]["email"] == "ada@acme.example"
    reader = scribe.h.client_as("audit-log:read")
    shown = (await reader.get(at)).json()["data"]
    assert (shown["email"], shown["name"], shown["roles"]) == ("[personal]", "[personal]", ["sales"])
    bundle = (await reader.get(f"{AT}/documents/{user}/bundle")).json()
    assert bundle["records"][0]["data"] is None
    assert "ada@" not in (await reader.get(f"{AT}/export")).text
    assert "ada@" in (await scribe.h.client.get(f"{AT}/export")).text
    strange = scribe.event("user.unheard_of", uuid7(), topic="user.events", data={"name": "Ada"})
    await scribe.say(strange)
    assert (await reader.get(f"{AT}/records/{id_of(strange)}")).json()["data"] == "[personal]"


async def test_a_report_counts_by_day_actor_and_type(scribe: Scribe) -> None:
    ada = str(uuid7())
    await scribe.say(
        *(scribe.event("order.created", uuid7(), actor=ada, at=NOON + timedelta(minutes=n)) for n in range(3)),
        scribe.event("order.created", uuid7(), actor="=cmd()", at=NOON + timedelta(days=1)),
        scribe.event("order.created", uuid7(), actor=ada, at=NOON + timedelta(days=30)),
    )
    time = {"from": "2026-03-01T00:00:00Z", "until": "2026-03-03T00:00:00Z"}
    report = await scribe.get(f"{AT}/report", **time)
    assert [(row["day"], row["actor_id"], row["records"]) for row in report["items"]] == [
        ("2026-03-01", ada, 3),
        ("2026-03-02", "=cmd()", 1),
    ]
    assert (report["records"], report["complete"]) == (4, True)
    rows = list(csv.DictReader(io.StringIO(await scribe.get(f"{AT}/report.csv", **time))))
    assert [(row["day"], row["actor_id"], row["records"]) for row in rows] == [
        ("2026-03-01", ada, "3"),
        ("2026-03-02", "'=cmd()", "1"),
    ]


async def test_days_are_the_companys(scribe: Scribe) -> None:
    """Tokyo, which from 3 March on counts its days in New York: that day begins fourteen hours later, and the day before lasts until then."""
    tenant = scribe.h.other_tenant
    await scribe.h.count_days_in("Asia/Tokyo", tenant=tenant)
    moved = TenantTimeZoneChanged(tenant_id=tenant, time_zone="America/New_York", since=date(2026, 3, 3))
    await scribe.h.deliver(moved, aggregate_id=tenant, tenant=tenant)
    moments = {
        "2026-02-28": ["2026-02-28T23:59:59+09:00"],
        "2026-03-01": ["2026-03-01T00:00:00+09:00", "2026-03-01T08:30:00+09:00"],
        "2026-03-02": ["2026-03-02T00:00:00+09:00", "2026-03-03T08:00:00+09:00", "2026-03-02T23:59:59-05:00"],
        "2026-03-03": ["2026-03-03T00:00:00-05:00"],
    }
    at = [datetime.fromisoformat(each) for day in moments.values() for each in day]
    said = [scribe.event("order.created", uuid7(), tenant=tenant, at=each) for each in at]
    await scribe.say(*said)
    reader = scribe.h.client_as("audit-log:read", tenant=tenant)

    async def asked(path: str, **query: str) -> Any:
        answer = await reader.get(f"{AT}/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer

    report = (await asked("report", **{"from": "2026-02-28", "until": "2026-03-04"})).json()
    assert [(row["day"], row["records"]) for row in report["items"]] == [(day, len(m)) for day, m in moments.items()]
    assert (await asked("report", **{"from": "2026-01-01", "until": "2026-02-01"})).json()["items"] == []
    second = {str(id_of(each)) for each in said[3:6]}
    listed = (await asked("records", occurred_from="2026-03-02", occurred_until="2026-03-03")).json()["items"]
    assert {item["id"] for item in listed} == second
    lines = (await asked("siem", **{"from": "2026-03-02", "until": "2026-03-03"})).text.splitlines()
    assert {json.loads(line)["event"]["id"] for line in lines} == second


async def test_a_siem_gets_every_record_in_its_own_form(scribe: Scribe) -> None:
    odd = scribe.event("order.noted", uuid7(), actor="partner:a|b=c\\d\ne", at=NOON)
    access = {"method": "GET", "path": "/v1/orders", "status": 403, "address": "192.0.2.7"}
    seen = scribe.event("gateway.accessed", uuid7(), topic="gateway.access", data=access, at=NOON)
    await scribe.say(odd, seen)
    lines = [json.loads(line) for line in (await scribe.get(f"{AT}/siem")).splitlines()]
    assert [line["event"]["id"] for line in lines] == [str(id_of(odd)), str(id_of(seen))]
    assert lines[0]["user"]["id"] == "partner:a|b=c\\d\ne"
    assert (lines[1]["http"]["response"]["status_code"], lines[1]["source"]["ip"], lines[1]["event"]["outcome"]) == (
        403,
        "192.0.2.7",
        "failure",
    )
    cef = (await scribe.get(f"{AT}/siem", form="cef")).splitlines()
    assert len(cef) == 2
    assert cef[0].startswith("CEF:0|Tailrace|audit|1|order.noted|order.noted|3|rt=1772366400000 ")
    assert "suid=partner:a|b\\=c\\\\d\\ne " in cef[0]
    assert "src=192.0.2.7" in cef[1]
    hidden = (await scribe.h.client_as("audit-log:read").get(f"{AT}/siem", params={"form": "cef"})).text
    assert "192.0.2.7" not in hidden
    assert (await scribe.get(f"{AT}/siem", until=NOON.isoformat())) == ""
