"""A form takes what people send and little of what machines do; strangers are told nothing but thanks, or what they filled in wrongly."""

import asyncio
from typing import Any
from uuid import UUID

from tailrace_testing import SetClock

from .conftest import LEADS, Desk, solved


async def leads(desk: Desk) -> list[Any]:
    return list((await desk.ask("GET", LEADS, via="form"))["items"])


async def test_a_form_brings_a_lead_with_consent_source_and_answers(desk: Desk) -> None:
    path = await desk.form(consent_text="You may write to me.", source="web")
    shown = await desk.h.anonymous().get(path)
    assert shown.json().keys() == {"name", "fields", "consent_text", "challenge"}
    answers = {"name": "Grace", "email": "Grace@Navy.example", "note": "A bridge", "budget": "10k"}
    sent = await desk.send(path, answers=answers, consent=True)
    assert (sent.status_code, sent.json()) == (200, {"message": "Thank you."})
    assert sent.headers["cache-control"] == "no-store"
    (found,) = await leads(desk)
    lead = await desk.read_lead(found)
    assert (lead["email"], lead["note"], lead["source"], lead["sent"]) == ("grace@navy.example", "A bridge", "web", 1)
    assert lead["answers"] == [{"key": "budget", "value": "10k"}]
    assert lead["consent"]["text"] == "You may write to me."
    await desk.ask("POST", f"{LEADS}/{lead['id']}/convert", 200, {"currency": "EUR"})
    (asked,) = await desk.told("crm.lead.converted")
    assert asked.consent.model_dump(mode="json") == lead["consent"]


async def test_what_is_filled_in_wrongly_is_said_by_field_and_the_challenge_stays_good(desk: Desk) -> None:
    path = await desk.form(consent_text="Yes?")
    challenge = await desk.challenge(path)
    answers = {"name": "x" * 201, "note": "fine", "secret": "?", "budget": "x" * 21}
    sent = await desk.send(path, challenge, answers=answers)
    assert sent.status_code == 422, sent.text
    fields = sorted(each["field"] for each in sent.json()["errors"])
    assert fields == [
        "/answers",
        "/answers/0/value",
        "/answers/0/value",
        "/answers/2/value",
        "/answers/3/value",
        "/consent",
    ]
    assert await leads(desk) == []
    assert (await desk.send(path, challenge, consent=True)).status_code == 200
    assert len(await leads(desk)) == 1


async def test_one_challenge_counts_once_however_often_and_at_once(desk: Desk) -> None:
    path = await desk.form(per_address=100, same_within_days=0)
    challenge = await desk.challenge(path)
    answers = await asyncio.gather(*[desk.send(path, challenge) for _ in range(5)])
    assert {each.status_code for each in answers} == {200}
    assert len(await leads(desk)) == 1


async def test_the_same_person_again_is_one_lead(desk: Desk, clock: SetClock) -> None:
    clock("2026-11-02T10:00:00Z")
    path = await desk.form(same_within_days=30)
    await desk.send(path, answers={"email": "a@b.example", "note": "One"})
    clock("2026-11-20T10:00:00Z")
    await desk.send(path, answers={"email": "A@b.example", "note": "Two"})
    (found,) = await leads(desk)
    lead = await desk.read_lead(found)
    assert (lead["sent"], lead["note"], lead["name"]) == (2, "One\nTwo", "a@b.example")
    clock("2026-12-21T10:00:00Z")
    await desk.send(path, answers={"email": "a@b.example"})
    assert len(await leads(desk)) == 2


async def test_a_note_that_grows_too_long_ends_in_a_whole_character(desk: Desk, clock: SetClock) -> None:
    clock("2026-11-02T10:00:00Z")
    note = {"key": "note", "label": "What for", "max_length": 1000}
    fields = [{"key": "email", "label": "E-mail", "required": True}, note]
    path = await desk.form(same_within_days=30, fields=fields)
    couple = "\U0001f469\u200d\U0001f680"
    for said in ("x" * 999, "y" * 997, couple):
        await desk.send(path, answers={"email": "a@b.example", "note": said})
    (found,) = await leads(desk)
    lead = await desk.read_lead(found)
    assert (lead["sent"], lead["note"]) == (3, f"{'x' * 999}\n{'y' * 997}\n{couple[0]}")
    kept = {name: lead[name] for name in ("name", "email", "note")}
    await desk.ask("PUT", f"{LEADS}/{lead['id']}", 200, kept)


async def test_what_no_person_does_is_refused_or_passed_over(desk: Desk, clock: SetClock) -> None:
    clock("2026-11-02T10:00:00Z")
    path = await desk.form(min_seconds=3, origins=["https://www.example.org"])
    here = {"origin": "https://www.example.org"}
    other = await desk.form(min_seconds=0)
    challenge, foreign = await desk.challenge(path), await desk.challenge(other)
    slug = "urn:tailrace:problem:challenge-refused"

    early = await desk.send(path, challenge, here)
    assert (early.status_code, early.json()["type"], early.headers["retry-after"]) == (409, slug, "3")
    clock("2026-11-02T10:00:03Z")
    for bad in ({"token": challenge["token"][:-1] + "!"}, {"token": foreign["token"]}, {"token": "x"}):
        refused = await desk.send(path, {**challenge, **bad}, here)
        assert (refused.status_code, refused.json()["type"]) == (409, slug)
    lazy = await desk.send(path, challenge, here, solution=(solved(challenge) or 0) + 1)
    assert (lazy.status_code, lazy.json()["errors"][0]["field"]) == (409, "/solution")
    assert (await desk.send(path, challenge, here, solution=None)).status_code == 409
    for headers in ({}, {"origin": "https://www.example.org.evil.example"}, {"origin": "null"}):
        assert (await desk.send(path, challenge, headers)).status_code == 403
    machine = await desk.send(path, challenge, here, website="https://spam.example")
    assert (machine.status_code, machine.json()) == (200, {"message": "Thank you."})
    assert await leads(desk) == []
    clock("2026-11-02T22:00:01Z")
    assert (await desk.send(path, challenge, here)).status_code == 409, "opened twelve hours ago"
    fresh = await desk.challenge(path)
    clock("2026-11-02T22:00:05Z")
    assert (await desk.send(path, fresh, here)).status_code == 200
    assert len(await leads(desk)) == 1


async def test_an_address_and_all_together_may_send_so_often_an_hour(desk: Desk, clock: SetClock) -> None:
    clock("2026-11-02T10:10:00Z")
    path = await desk.form(per_address=3, per_hour=100, same_within_days=0)
    answers = await asyncio.gather(*[desk.send(path) for _ in range(6)])
    assert sorted(each.status_code for each in answers) == [200, 200, 200, 429, 429, 429]
    refused = next(each for each in answers if each.status_code == 429)
    assert refused.headers["retry-after"] == str(50 * 60 + 1)
    clock("2026-11-02T11:00:00Z")
    assert (await desk.send(path)).status_code == 200
    crowded = await desk.form(per_address=100, per_hour=2, same_within_days=0)
    answers = [await desk.send(crowded) for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    kept = await desk.h.admin.fetch("SELECT who FROM form_use")
    assert not any("127.0.0.1" in row["who"] for row in kept)


async def test_a_form_that_is_gone_or_at_rest_leads_nowhere(desk: Desk) -> None:
    path = await desk.form()
    head, _, token = path.rpartition("/")
    flipped = ("A" if token[0] != "A" else "B") + token[1:]
    for bad in (flipped, token[:-1], token + "A", "x", "x" * 500, token + "=="):
        answer = await desk.h.anonymous().get(f"{head}/{bad}")
        assert answer.status_code == 404, bad
    challenge = await desk.challenge(path)
    (form,) = (await desk.ask("GET", "/v1/lead-forms"))["items"]
    await desk.ask("DELETE", f"/v1/lead-forms/{form['id']}", 204)
    assert (await desk.send(path, challenge)).status_code == 404
    assert (await desk.h.anonymous().get(path)).status_code == 404
    await desk.ask("POST", f"/v1/lead-forms/{form['id']}/restore")
    assert (await desk.send(path, challenge)).status_code == 200


async def test_too_much_at_once_is_refused_before_it_is_read(desk: Desk) -> None:
    path = await desk.form()
    challenge = await desk.challenge(path)
    sent = await desk.send(path, challenge, answers={f"k{number}": "v" for number in range(31)})
    assert sent.status_code == 422
    sent = await desk.send(path, challenge, answers={"note": "x" * 2001})
    assert sent.status_code == 422


async def test_what_is_over_is_forgotten(desk: Desk, clock: SetClock) -> None:
    clock("2027-01-02T10:00:00Z")
    path = await desk.form()
    await desk.send(path)
    await desk.h.make_timers_due()
    await desk.fire()
    clock("2027-01-03T10:00:00Z")
    await desk.h.make_timers_due()
    await desk.fire()
    for table in ("form_use", "form_answer"):
        assert await desk.h.admin.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_strangers_leads_stay_within_the_tenant(desk: Desk) -> None:
    await desk.send(await desk.form())
    other = desk.h.client_as(tenant=desk.h.other_tenant)
    assert (await other.get(LEADS)).json()["items"] == []
    rows = await desk.h.admin.fetch("SELECT tenant_id FROM lead")
    assert [row["tenant_id"] for row in rows] == [UUID(str(desk.h.tenant))]
