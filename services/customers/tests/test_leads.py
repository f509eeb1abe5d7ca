"""A converted lead becomes a customer once, or a person of one that is there; what stands for another is followed, what is deleted refuses."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from contracts.leads import ConsentGiven, LeadContact, LeadConverted
from tailrace.core.ids import uuid7

from .conftest import AT, Sales


async def asks(sales: Sales, **given: Any) -> LeadConverted:
    said: dict[str, Any] = {
        "lead_id": uuid7(),
        "customer_id": uuid7(),
        "existing": False,
        "customer_name": "Navy Ltd",
        "kind": "company",
        "currency": "EUR",
        "contact": LeadContact(person_id=uuid7(), name="Grace", email="grace@navy.example", phone="+81312345678"),
        "owner_id": sales.bo,
        **given,
    }
    event = LeadConverted.model_validate(said)
    await sales.h.deliver(event, aggregate_id=event.lead_id)
    return event


async def answers(sales: Sales, type: str) -> list[Any]:
    return [one.event for one in await sales.h.published(type)]


async def test_a_customer_and_a_person_are_made_once_under_the_ids_that_were_named(sales: Sales) -> None:
    asked = await asks(sales)
    again = asked.model_copy(update={"lead_id": asked.lead_id})
    await sales.h.deliver(again, aggregate_id=asked.lead_id)
    customer = await sales.read({"id": str(asked.customer_id)})
    assert (customer["name"], customer["status"], customer["number"], customer["sales_rep_id"]) == (
        "Navy Ltd",
        "prospect",
        "C-000001",
        str(sales.bo),
    )
    (person,) = customer["people"]
    assert (person["id"], person["phones"][0]["number"]) == (str(asked.contact.person_id), "+81312345678")
    assert len(await answers(sales, "customer.created")) == 1
    told = await answers(sales, "customer.lead_accepted")
    assert {(each.customer_id, each.person_id) for each in told} == {(asked.customer_id, asked.contact.person_id)}
    assert await sales.found("Navy") == ["Navy Ltd"]


async def test_a_number_of_no_country_and_a_user_who_is_gone_are_left_out(sales: Sales) -> None:
    await sales.leaves(sales.cy)
    contact = LeadContact(person_id=uuid7(), name="Grace", phone="030123")
    asked = await asks(sales, owner_id=sales.cy, kind="person", customer_name="Grace", contact=contact)
    customer = await sales.read({"id": str(asked.customer_id)})
    assert (customer["sales_rep_id"], customer["phones"], customer["people"][0]["phones"]) == (None, [], [])


async def test_one_that_is_there_gets_the_person_also_where_it_was_merged_into(sales: Sales) -> None:
    ada, twin = await sales.create("Ada"), await sales.create("Ada GmbH")
    first = await asks(sales, existing=True, customer_id=UUID(ada["id"]))
    await sales.act(ada, "merge", into_customer_id=twin["id"], reason="The same")
    second = await asks(sales, existing=True, customer_id=UUID(ada["id"]))
    people = {(await sales.read(each))["name"]: (await sales.read(each))["people"] for each in (ada, twin)}
    assert [one["id"] for one in people["Ada"]] == [str(first.contact.person_id)]
    assert [one["id"] for one in people["Ada GmbH"]] == [str(second.contact.person_id)]
    told = (await answers(sales, "customer.lead_accepted"))[-1]
    assert (str(told.customer_id), str(told.asked_customer_id)) == (twin["id"], ada["id"])


async def test_what_was_agreed_to_on_a_form_comes_along_word_for_word_and_is_found(sales: Sales) -> None:
    await sales.create("Nobody asked")
    said = ConsentGiven(text="You may call me back.", given_at=datetime(2026, 11, 20, 9, tzinfo=UTC))
    asked = await asks(sales, consent=said)
    await sales.h.deliver(asked, aggregate_id=asked.lead_id)
    customer = await sales.read({"id": str(asked.customer_id)})
    assert customer["consents"] == {
        "lead_form": {
            "granted": True,
            "given_at": "2026-11-20T09:00:00Z",
            "source": f"Form of lead {asked.lead_id}: You may call me back.",
        }
    }
    (told,) = await answers(sales, "customer.consent_changed")
    assert (told.customer_id, told.purpose, told.granted) == (asked.customer_id, "lead_form", True)
    for at in (AT, f"{AT}/search", f"{AT}/by-sales/{sales.bo}"):
        found = (await sales.h.client.get(at, params={"consent": "lead_form"})).json()["items"]
        assert [each["name"] for each in found] == ["Navy Ltd"], at
    # It is for what stood on the form, and no consent to anything else.
    assert (await sales.h.client.get(AT, params={"consent": "marketing_email"})).json()["items"] == []


async def test_words_of_a_form_that_no_file_could_say_are_in_no_files_way(sales: Sales) -> None:
    said = ConsentGiven(
        text="You may call me back,\n" + "and write. " * 100, given_at=datetime(2026, 11, 20, tzinfo=UTC)
    )
    asked = await asks(sales, consent=said)
    before = await sales.read({"id": str(asked.customer_id)})
    job = await sales.h.import_rows(f"{AT}/import", f"number,name,currency\n{before['number']},Army Ltd,EUR\n")
    assert job["counts"] == {"replaced": 1}
    now = await sales.read(before)
    assert (now["name"], now["consents"], now["people"]) == ("Army Ltd", before["consents"], before["people"])


async def test_a_consent_that_was_taken_back_since_stays_taken_back(sales: Sales) -> None:
    ada = await sales.create("Ada")
    later = {"given_at": "2026-11-21T09:00:00Z", "source": "A letter"}
    await sales.put(ada, "/consents", purpose="lead_form", granted=False, **later)
    there = {"existing": True, "customer_id": UUID(ada["id"])}
    await asks(sales, consent=ConsentGiven(text="Yes", given_at=datetime(2026, 11, 20, 9, tzinfo=UTC)), **there)
    assert (await sales.read(ada))["consents"]["lead_form"] == {"granted": False, **later}
    assert (await sales.h.client.get(AT, params={"consent": "lead_form"})).json()["items"] == []
    await asks(sales, consent=ConsentGiven(text="Again", given_at=datetime(2026, 11, 22, 9, tzinfo=UTC)), **there)
    assert (await sales.read(ada))["consents"]["lead_form"]["granted"] is True


async def test_a_deleted_one_refuses(sales: Sales) -> None:
    ada = await sales.create("Ada")
    await sales.h.client.delete(f"/v1/customers/{ada['id']}")
    asked = await asks(sales, existing=True, customer_id=UUID(ada["id"]))
    (told,) = await answers(sales, "customer.lead_refused")
    assert (told.lead_id, str(told.asked_customer_id)) == (asked.lead_id, ada["id"])
    assert "is deleted" in told.reason
    assert await answers(sales, "customer.lead_accepted") == []
