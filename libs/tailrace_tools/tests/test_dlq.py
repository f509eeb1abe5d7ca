"""`tailrace dlq` finds, shows, redrives and gives up dead letters, keeps why, and says clearly what keeps it from doing so."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from toy import Asked
from typer.testing import CliRunner, Result

from tailrace.cli import app
from tailrace.cli.dead_letters.dead_letter_rows import Filter, Page, dead_letter_query, history_query, search
from tailrace.core.ids import uuid7
from tailrace.observability.logs import configure
from tailrace.stack.embedded import Stack
from tailrace_testing import Harness

ENTRY = "[tailrace.services]\ntoy = toy:service\n"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The toy is an installed service, as far as entry points go."""
    package = tmp_path / "toy-1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1\n")
    (package / "entry_points.txt").write_text(ENTRY)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.fixture
def inside(stack: Stack, installed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setattr("os.environ", {**stack.environment, "PATH": "/usr/bin:/bin", "USER": "ada"})
    for part in ("postgres", "kafka", "connect"):
        if getattr(stack.plan.external, part) is None:
            monkeypatch.delenv(f"TAILRACE_{part.upper()}")
    yield monkeypatch
    configure("test", "WARNING")


@pytest.fixture
async def command(toy: Harness, inside: pytest.MonkeyPatch) -> Any:
    """Runs `tailrace dlq …` against the toy's database."""
    inside.setenv("TAILRACE_DATABASE_URL", str(toy.settings.database_url))

    async def run(*arguments: object) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["dlq", *map(str, arguments)])

    return run


async def _dead_letter(toy: Harness, count: int, words: str = "poison", tenant: UUID | None = None) -> list[UUID]:
    keys = [uuid7() for _ in range(count)]
    for key in keys:
        await toy.deliver(Asked(key=key, text=words), aggregate_id=key, may_dead_letter=True, tenant=tenant)
    return keys


async def test_a_long_list_is_shown_in_pages_and_says_how_many_more(toy: Harness, command: Any) -> None:
    keys = await _dead_letter(toy, 7)
    answer = await command("list", "--service", "toy", "--limit", 3)
    assert answer.exit_code == 0
    assert [str(key) in answer.stdout for key in keys] == [True] * 3 + [False] * 4
    assert "… and 4 more aggregates: --page 2 for the next" in answer.stdout
    last = await command("list", "--service", "toy", "--limit", 3, "--page", 3)
    assert [str(key) in last.stdout for key in keys] == [False] * 6 + [True]
    assert "more aggregates" not in last.stdout
    beyond = await command("list", "--service", "toy", "--limit", 3, "--page", 9)
    assert "There are 7 aggregates, so page 9 is empty." in beyond.stdout
    assert str(keys[6]) in (await command("list", "--service", "toy", "--limit", 0)).stdout


async def test_a_dead_letter_is_found_by_each_of_its_properties(toy: Harness, command: Any) -> None:
    (ours,) = await _dead_letter(toy, 1)
    (theirs,) = await _dead_letter(toy, 1, tenant=toy.other_tenant)
    await toy.deliver(Asked(key=ours, text="later"), aggregate_id=ours, may_dead_letter=True)
    await toy.admin.execute(
        "UPDATE dead_letter SET dead_lettered_at = now() - interval '3 hours' WHERE aggregate_id = $1", theirs
    )
    for options, found in (
        (["--tenant", toy.tenant], (True, False)),
        (["--tenant", toy.other_tenant], (False, True)),
        (["--aggregate", theirs], (False, True)),
        (["--since", "2h"], (True, False)),
        (["--since", "1d", "--subscriber", "toy.heard"], (True, True)),
        (["--type", "asking.asked", "--kind", "behind"], (True, False)),
        (["--type", "asking.answered"], (False, False)),
    ):
        answer = await command("list", "--service", "toy", *options)
        assert answer.exit_code == 0
        assert (str(ours) in answer.stdout, str(theirs) in answer.stdout) == found, options
    assert ", 1 behind" in (await command("list", "--service", "toy")).stdout
    assert "Nothing like that is dead-lettered." in (await command("list", "--subscriber", "toy.echo")).stdout
    unknown = await command("list", "--service", "toy", "--subscriber", "toy.herd")
    assert (unknown.exit_code, "toy.heard" in unknown.stderr) == (1, True)
    assert (await command("list", "--since", "yesterday")).exit_code == 1


async def test_showing_a_record_tells_what_is_behind_it_and_what_was_tried(toy: Harness, command: Any) -> None:
    (key,) = await _dead_letter(toy, 1)
    for number in range(12):
        await toy.deliver(Asked(key=key, text=f"behind {number}"), aggregate_id=key, may_dead_letter=True)
    await toy.admin.execute(
        """INSERT INTO redriven (id, subscriber, topic, partition, "offset", aggregate_id, epoch, sequence, type, kind, reason, because,
             redriven_by, ended_at, stopped_at, stopped_kind, stopped_reason)
           VALUES (gen_random_uuid(), 'toy.heard', 'asking.events', 0, 1, $1, 1, 1, 'asking.asked', 'failed', 'ValueError: no',
             'mended the ear', 'ada', now(), 1, 'failed', 'ValueError: still no')""",
        key,
    )
    answer = await command("show", "toy", "asking.events", 0, 1)
    assert answer.exit_code == 0
    for words in (
        "ValueError: cannot hear that",
        "behind it     12",
        "asking.asked #11",
        "… and 2 more",
        "mended the ear",
        "0 applied, stopped at #1 (failed): ValueError: still no",
    ):
        assert words in answer.stdout, (words, answer.stdout)
    nothing = await command("show", "toy", "asking.events", 0, 99)
    assert (nothing.exit_code, "no dead letter" in nothing.stdout) == (1, True)


async def test_what_was_given_up_is_in_the_history_with_who_and_why(toy: Harness, command: Any) -> None:
    (key,) = await _dead_letter(toy, 1)
    drop = ("drop", "toy", "toy.heard", "asking.events", 0, 1, "--reason")
    assert (await command(*drop, "  ")).exit_code == 1
    assert (await command(*drop, "sent by mistake")).exit_code == 0
    assert (await command(*drop, "again")).exit_code == 1
    told = (await command("history", "--service", "toy", "--aggregate", key)).stdout
    assert "asking.asked #1: given up" in told
    assert "by ada: sent by mistake" in told
    assert "it was failed: ValueError: cannot hear that" in told
    assert "sent by mistake" in (await command("show", "toy", "asking.events", 0, 1)).stdout
    assert "Nothing like that" in (await command("history", "--service", "toy", "--kind", "gap")).stdout


async def test_many_are_given_up_by_one_command(toy: Harness, command: Any) -> None:
    *junk, kept = await _dead_letter(toy, 25)
    assert (await command("drop", "--reason", "junk")).exit_code == 1
    assert (await command("drop", "--service", "toy", "--kind", "failed", "--yes")).exit_code == 1
    narrow = ("drop", "--service", "toy", "--error", "CANNOT hear", "--partition", 0, "--reason", "junk", "--yes")
    assert "Nothing like that" in (await command(*narrow, "--before", "1h")).stdout
    assert "Nothing like that" in (await command(*narrow, "--topic", "another.events")).stdout
    await toy.admin.execute("UPDATE dead_letter SET reason = 'KeyError: 100%' WHERE aggregate_id = $1", kept)
    answer = await command(*narrow)
    assert (answer.exit_code, "Dropped 24 of 24" in answer.stdout) == (0, True), answer.output
    assert [row[0] for row in await toy.admin.fetch("SELECT aggregate_id FROM dead_letter")] == [kept]
    rows = await toy.admin.fetch("SELECT aggregate_id FROM dropped WHERE because = 'junk' AND dropped_by = 'ada'")
    assert {row[0] for row in rows} == set(junk)
    # A percent sign is no wildcard.
    assert "Nothing like that" in (await command("list", "--service", "toy", "--error", "1%0")).stdout
    assert str(kept) in (await command("list", "--service", "toy", "--error", "100%")).stdout


async def test_what_stands_behind_another_is_not_given_up_with_it(toy: Harness, command: Any) -> None:
    (key,) = await _dead_letter(toy, 1)
    await toy.deliver(Asked(key=key, text="later"), aggregate_id=key, may_dead_letter=True)
    behind = ("drop", "--service", "toy", "--kind", "behind", "--reason", "too late", "--yes")
    answer = await command(*behind)
    assert (answer.exit_code, "Dropped 0 of 1" in answer.stdout) == (1, True), answer.output
    assert "an earlier event of this aggregate" in answer.stderr
    both = await command("drop", "--service", "toy", "--type", "asking.asked", "--reason", "both", "--yes")
    assert (both.exit_code, "Dropped 2 of 2" in both.stdout) == (0, True), both.output
    assert await toy.admin.fetchval("SELECT count(*) FROM dead_letter") == 0


async def test_a_redrive_needs_a_filter_and_a_reason(command: Any) -> None:
    nothing = await command("redrive", "--reason", "mended")
    assert (nothing.exit_code, "say --all" in nothing.stderr) == (1, True)
    assert (await command("redrive", "--all")).exit_code == 2
    assert (await command("redrive", "--all", "--reason", " ")).exit_code == 1
    done = await command("redrive", "--service", "toy", "--reason", "mended")
    assert (done.exit_code, "Nothing like that is dead-lettered." in done.stdout) == (0, True)


async def test_pages_go_over_the_services(toy: Harness) -> None:
    """The same database twice, as two services: seven rows each."""
    await _dead_letter(toy, 7)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAILRACE_DATABASE_URL", str(toy.settings.database_url))
        for query in (dead_letter_query(Filter()), dead_letter_query(Filter(kind="failed"))):
            pages = [await search([toy.service] * 2, query, Page(number, 5)) for number in (1, 2, 3, 4)]
            assert [(len(page.rows), page.total) for page in pages] == [(5, 14), (5, 14), (4, 14), (0, 14)]
            assert len({(row.offset) for page in pages for _, row in page.rows}) == 7
        assert (await search([toy.service], history_query(Filter()), Page())).total == 0


def test_a_database_that_is_missing_is_named_with_what_to_do(inside: pytest.MonkeyPatch, stack: Stack) -> None:
    answer = CliRunner().invoke(app, ["dlq", "list", "--service", "toy"])
    assert answer.exit_code == 1
    assert "Traceback" not in answer.output
    assert "tailrace migrate" in answer.stderr or "refuses this log-in" in answer.stderr


async def test_a_database_from_before_is_named_with_what_to_do(toy: Harness, command: Any) -> None:
    await toy.admin.execute("DROP TABLE redriven")
    answer = await command("history", "--service", "toy")
    assert (answer.exit_code, "the database of toy is older than this program" in answer.stderr) == (1, True)
    await toy.admin.execute("DROP TABLE dead_letter")
    answer = await command("list", "--service", "toy")
    assert (answer.exit_code, "tailrace migrate" in answer.stderr) == (1, True)
    async with toy.database_down():
        answer = await command("list", "--service", "toy")
    assert (answer.exit_code, "the database of toy does not answer" in answer.stderr) == (1, True)
