"""Log-in, refresh, log-out: what they answer, what they leave behind, and what they do with somebody who guesses or steals."""

import asyncio

import httpx2
import pytest

from contracts.users import UserLoggedIn, UserLoggedOut
from identity import passwords
from tailrace_testing import Harness

from .conftest import Company


async def _refresh(identity: Harness, token: str) -> httpx2.Response:
    return await identity.anonymous().post("/v1/auth/refresh", json={"refresh_token": token})


async def test_a_log_in_yields_tokens_an_event_and_an_audit_entry(identity: Harness, acme: Company) -> None:
    answer = await acme.log_in("ADMIN@acme.example")
    assert answer.status_code == 200
    tokens = answer.json()
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 3600)
    assert answer.headers["cache-control"] == "no-store"
    client = identity.anonymous()
    me = await client.get("/v1/auth/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert me.json()["email"] == "admin@acme.example"
    assert me.json()["tenant"]["slug"] == "acme"
    assert me.json()["scopes"] == ["*"]
    [event] = await identity.published("user.login", tenant=acme.id)
    assert isinstance(event.event, UserLoggedIn)
    assert (str(event.event.user_id), event.sequence) == (me.json()["id"], 1)
    [entry] = await acme.audited("user.login")
    assert entry["actor_id"] == me.json()["id"]
    assert entry["user_agent"].startswith("python-httpx")


async def test_wrong_tenant_address_and_password_look_the_same(identity: Harness, acme: Company) -> None:
    answers = [await acme.log_in(password="wrong"), await acme.log_in("nobody@acme.example")]
    acme.slug = "no-such-company"
    answers.append(await acme.log_in())
    assert {answer.status_code for answer in answers} == {401}
    assert len({(answer.json()["type"], answer.json()["detail"]) for answer in answers}) == 1
    failed = await acme.audited("user.login_failed")
    assert [entry["details"]["email"] for entry in failed] == ["nobody@acme.example", "admin@acme.example"]
    assert await identity.published("user.login", tenant=acme.id) == []


async def test_five_wrong_passwords_lock_an_address_and_no_other(
    identity: Harness, acme: Company, globex: Company
) -> None:
    for _ in range(5):
        assert (await acme.log_in(password="wrong")).status_code == 401
    locked = await acme.log_in()
    assert locked.status_code == 429
    assert 1 <= int(locked.headers["retry-after"]) <= 30
    globex.admin_email = acme.admin_email
    assert (await globex.log_in()).status_code == 401
    await acme.add("bob", "sales")
    assert (await acme.log_in("bob@acme.example")).status_code == 200
    await identity.admin.execute("UPDATE log_in_failures SET locked_until = now()")
    assert (await acme.log_in(password="wrong")).status_code == 401
    assert int((await acme.log_in()).headers["retry-after"]) > 30
    await identity.admin.execute("UPDATE log_in_failures SET locked_until = now()")
    assert (await acme.log_in()).status_code == 200
    assert await identity.admin.fetchval("SELECT count(*) FROM log_in_failures WHERE tenant_id = $1", acme.id) == 0


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a turn comes later than people would wait for it."""
    monkeypatch.setattr(passwords.turns, "_within", 300.0)


@pytest.mark.usefixtures("unhurried")
async def test_parallel_guesses_do_not_outrun_the_count(acme: Company) -> None:
    answers = await asyncio.gather(*(acme.log_in(password="wrong") for _ in range(12)))
    assert sum(answer.status_code == 401 for answer in answers) <= 6
    assert any(answer.status_code == 429 for answer in answers)


@pytest.mark.usefixtures("unhurried")
async def test_many_right_log_ins_at_once_all_succeed(acme: Company) -> None:
    answers = await asyncio.gather(*(acme.log_in() for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}


async def test_a_refresh_token_works_once_and_its_reuse_ends_the_session(identity: Harness, acme: Company) -> None:
    first = (await acme.log_in()).json()
    second = (await _refresh(identity, first["refresh_token"])).json()
    third = (await _refresh(identity, second["refresh_token"])).json()
    assert len({first["refresh_token"], second["refresh_token"], third["refresh_token"]}) == 3
    assert (await _refresh(identity, first["refresh_token"])).status_code == 401
    assert (await _refresh(identity, third["refresh_token"])).status_code == 401
    [event] = await identity.published("user.logout", tenant=acme.id)
    assert isinstance(event.event, UserLoggedOut)
    assert (event.event.reason, event.sequence) == ("reuse", 2)
    assert len(await acme.audited("session.reuse_detected")) == 1
    headers = {"Authorization": f"Bearer {third['access_token']}"}
    assert (await identity.anonymous().get("/v1/auth/me", headers=headers)).status_code == 401


async def test_of_two_who_refresh_at_once_one_gets_nothing(identity: Harness, acme: Company) -> None:
    token = (await acme.log_in()).json()["refresh_token"]
    answers = await asyncio.gather(_refresh(identity, token), _refresh(identity, token))
    assert sorted(answer.status_code for answer in answers) == [200, 401]


async def test_what_is_no_refresh_token_is_refused(identity: Harness, acme: Company, globex: Company) -> None:
    token = (await acme.log_in()).json()["refresh_token"]
    other = (await globex.log_in()).json()["refresh_token"]
    moved = other.partition(".")[0] + "." + token.partition(".")[2]
    for wrong in ("", "x", "a.b", "ü.ü", moved, token[:-1]):
        assert (await _refresh(identity, wrong)).status_code == 401, wrong
    assert (await _refresh(identity, token)).status_code == 200


async def test_a_log_out_ends_the_session_for_all_its_tokens(identity: Harness, acme: Company) -> None:
    tokens = (await acme.log_in()).json()
    client = identity.anonymous()
    for _ in range(2):
        answer = await client.post("/v1/auth/logout", json={"refresh_token": tokens["refresh_token"]})
        assert answer.status_code == 204
    assert (await _refresh(identity, tokens["refresh_token"])).status_code == 401
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await client.get("/v1/auth/users", headers=headers)).status_code == 401
    [event] = await identity.published("user.logout", tenant=acme.id)
    assert isinstance(event.event, UserLoggedOut)
    assert event.event.reason == "logout"
    assert len(await acme.audited("user.logout")) == 1


async def test_a_session_that_nobody_refreshes_expires(identity: Harness, acme: Company) -> None:
    token = (await acme.log_in()).json()["refresh_token"]
    assert await identity.fire_timers() == 0
    await identity.make_timers_due()
    assert await identity.fire_timers() == 1
    [event] = await identity.published("user.logout", tenant=acme.id)
    assert isinstance(event.event, UserLoggedOut)
    assert event.event.reason == "expired"
    assert (await _refresh(identity, token)).status_code == 401


async def test_ones_own_password_ends_ones_other_sessions(identity: Harness, acme: Company) -> None:
    elsewhere = (await acme.log_in()).json()["refresh_token"]
    member = await acme.member()
    wrong = {"current_password": "wrong", "new_password": "another good one"}
    refused = await member.post("/v1/auth/password", json=wrong)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "/current_password"
    assert len(await acme.audited("user.password_change_failed")) == 1
    right = {"current_password": acme.password, "new_password": "another good one"}
    assert (await member.post("/v1/auth/password", json=right)).status_code == 204
    assert (await member.get("/v1/auth/me")).status_code == 200
    assert (await _refresh(identity, elsewhere)).status_code == 401
    assert (await acme.log_in()).status_code == 401
    assert (await acme.log_in(password="another good one")).status_code == 200
