"""A person logs in however the address and the password are typed, and is one person."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from identity.service import service
from tailrace.core.ids import uuid7
from tailrace.runtime.migrate import migrations_of, prepare_database
from tailrace_testing import Harness
from tailrace_testing.databases import Databases

from .conftest import Company

COMPOSED, DECOMPOSED = "josé@acme.example", "jose\u0301@acme.example"
PASSWORD = "pa\u0308ss wörd"
SPELLINGS = [COMPOSED, DECOMPOSED, "JOSÉ@Acme.Example", "ｊｏｓé＠acme.example", f" {COMPOSED} "]


def user(email: str, password: str = PASSWORD) -> dict[str, Any]:
    return {"email": email, "name": "Jose\u0301", "password": password, "roles": []}


@pytest.mark.parametrize("made", [COMPOSED, DECOMPOSED])
async def test_one_user_in_every_spelling(identity: Harness, acme: Company, made: str) -> None:
    admin = identity.client_as(tenant=acme.id)
    answer = await admin.post("/v1/auth/users", json=user(made))
    assert (answer.status_code, answer.json()["email"], answer.json()["name"]) == (201, COMPOSED, "José")
    for spelling in SPELLINGS:
        again = await admin.post("/v1/auth/users", json=user(spelling))
        assert (again.status_code, again.json()["errors"][0]["field"]) == (409, "/email"), spelling
        found = await admin.get("/v1/auth/users", params={"email": spelling})
        assert [each["id"] for each in found.json()["items"]] == [answer.json()["id"]], spelling
        for password in (PASSWORD, "p\u00e4ss w\u00f6rd", "pa\u0308ss\u00a0wo\u0308rd", "päss\u3000wörd"):
            assert (await acme.log_in(spelling, password)).status_code == 200, (spelling, password)
    for other in ("PÄSS WÖRD", "pass word", "päss  wörd"):
        assert (await acme.log_in(COMPOSED, other)).status_code == 401


async def test_one_user_in_both_forms_of_a_domain(identity: Harness, acme: Company) -> None:
    admin = identity.client_as(tenant=acme.id)
    forms = ["ada@xn--mnchen-3ya.example", "ada@münchen.example", "Ada@MU\u0308NCHEN.example"]
    answer = await admin.post("/v1/auth/users", json=user(forms[0]))
    assert (answer.status_code, answer.json()["email"]) == (201, "ada@münchen.example")
    for form in forms:
        again = await admin.post("/v1/auth/users", json=user(form))
        assert (again.status_code, again.json()["errors"][0]["field"]) == (409, "/email"), form
        assert (await acme.log_in(form, PASSWORD)).status_code == 200, form
    wrong = await admin.post("/v1/auth/users", json=user("ada@xn--a.example"))
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "/email")


async def test_guesses_at_one_address_are_counted_as_one(identity: Harness, acme: Company) -> None:
    for spelling in SPELLINGS:
        assert (await acme.log_in(spelling, "wrong")).status_code == 401
    assert (await acme.log_in(COMPOSED, "wrong")).status_code == 429


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "jo\u200bse@acme.example"),
        ("email", "jo\u202ese@acme.example"),
        ("email", "jo se@acme.example"),
        ("name", "Jose\u202ex"),
        ("name", "Jo\nse"),
        ("password", "pass\x00word"),
        ("password", "pass\u200bword"),
    ],
)
async def test_what_is_not_seen_is_refused_with_the_field(
    identity: Harness, acme: Company, field: str, value: str
) -> None:
    answer = await identity.client_as(tenant=acme.id).post("/v1/auth/users", json={**user(COMPOSED), field: value})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"/{field}")
    if field == "password":
        given = await acme.log_in(acme.admin_email, value)
        assert (given.status_code, given.json()["errors"][0]["field"]) == (422, "/password")


async def _before(databases: Databases, name: str, tmp_path: Path, migration: str) -> None:
    """A database as that migration leaves it."""
    folder = tmp_path / service.name
    folder.mkdir()
    for each in migrations_of(service).glob("0*.py"):
        if each.name[:4] <= migration:
            shutil.copy(each, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAILRACE_MIGRATIONS", str(tmp_path))
        await prepare_database(databases.admin_url("postgres"), service, databases.settings, name=name)


async def test_teams_of_an_earlier_version_stay_and_get_keys(databases: Databases, tmp_path: Path) -> None:
    """Also those that are one by now; names that one company has are nobody else's, and what was deleted takes none."""
    name = f"identity_{uuid7().hex}"
    await _before(databases, name, tmp_path, "0007")
    admin = await asyncpg.connect(databases.admin_url(name))
    team = "INSERT INTO team (tenant_id, id, name, members, version, deleted_at) VALUES ($1, $2, $3, '[]', 1, $4)"
    ours, ids, gone = uuid7(), [uuid7() for _ in range(6)], datetime(2026, 1, 1, tzinfo=UTC)
    for id, called, deleted in zip(
        ids, ("SALES", "Sales", "Ｓａｌｅｓ", "Straße", "sales"), [gone, *4 * [None]], strict=False
    ):
        await admin.execute(team, ours, id, called, deleted)
    await admin.execute(team, uuid7(), ids[5], "Sales", None)
    await prepare_database(databases.admin_url("postgres"), service, databases.settings, name=name)
    rows = await admin.fetch("SELECT name, code_key FROM team ORDER BY id")
    assert await admin.fetchval("SELECT relforcerowsecurity FROM pg_class WHERE relname = 'team'") is True
    await admin.close()
    await databases.drop(name)
    assert [tuple(row) for row in rows] == [
        ("SALES", "sales"),
        ("Sales", "sales"),
        ("Ｓａｌｅｓ", f"sales {ids[2]}"),
        ("Straße", "strasse"),
        ("sales", f"sales {ids[4]}"),
        ("Sales", "sales"),
    ]


async def test_addresses_of_an_earlier_version_are_spelled_again(databases: Databases, tmp_path: Path) -> None:
    name = f"identity_{uuid7().hex}"
    await _before(databases, name, tmp_path, "0001")
    admin = await asyncpg.connect(databases.admin_url(name))
    insert = "INSERT INTO user_account (tenant_id, id, email, name, active, version) VALUES ($1, $2, $3, $4, true, 1)"
    await admin.execute(insert, uuid7(), uuid7(), "ＪOSE\u0301@acme.example", "Jose\u0301")
    await admin.execute(insert, uuid7(), uuid7(), "ada@XN--mnchen-3ya.example", "Ada")
    await prepare_database(databases.admin_url("postgres"), service, databases.settings, name=name)
    rows = await admin.fetch("SELECT email, name FROM user_account ORDER BY id")
    await admin.close()
    await databases.drop(name)
    assert [tuple(row) for row in rows] == [(COMPOSED, "José"), ("ada@münchen.example", "Ada")]
