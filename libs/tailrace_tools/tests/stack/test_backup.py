"""Backups of a stack that is PostgreSQL alone: a copy under writes, moments to go back to, and what is refused."""

import asyncio
import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tailrace.core.operator_error import OperatorError
from tailrace.stack import control
from tailrace.stack.backup import daily, moments, restore, take
from tailrace.stack.backup.copying import copy_kafka
from tailrace.stack.backup.folder import Backups, Kept, Manifest, Target, room_for
from tailrace.stack.backup.series import Series
from tailrace.stack.embedded import Stack
from tailrace.stack.layout import Layout

_COUNT = "SELECT count(*) FROM told"
_KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from tailrace.stack.backup import take
from tailrace.stack.backup.folder import Backups
from tailrace.stack.credentials import Credentials
from tailrace.stack.layout import Layout, Ports
from tailrace.stack.plan import Plan

def say(said):
    if said.startswith("closing"):
        os.kill(os.getpid(), signal.SIGKILL)

layout = Layout(Path(sys.argv[1]))
plan = Plan(layout, Ports(int(sys.argv[2]), 0), "postgres")
asyncio.run(take.take(plan, Credentials.load_or_create(layout.credentials), Backups(Path(sys.argv[3])), say))
"""
"""A backup by a process that is killed when all its files are copied, and before anything says so."""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("machine")
    for each in (folder, *list(folder.parents)[:2]):
        each.chmod(0o755)
    with Stack(folder / "data", only="postgres") as stack:
        asyncio.run(
            _execute(
                stack,
                "CREATE TABLE told (id bigint GENERATED ALWAYS AS IDENTITY, at timestamptz DEFAULT clock_timestamp())",
            )
        )
        yield stack
    stack.discard()


@pytest.fixture(scope="module")
def backups(machine: Stack) -> Backups:
    folder = machine.plan.layout.data.with_name("backups")
    (machine.plan.layout.data / "files/files").mkdir(parents=True)
    (machine.plan.layout.data / "files/files/first").write_bytes(b"one")
    backups = Backups(folder)
    asyncio.run(_traffic_while_taken(machine, backups))
    return backups


async def _traffic_while_taken(machine: Stack, backups: Backups) -> None:
    """Rows are written all the time, so that the copy is of files that change."""

    async def write() -> None:
        connection = await asyncpg.connect(machine.postgres_url)
        try:
            while not done.is_set():
                await connection.execute("INSERT INTO told SELECT FROM generate_series(1, 50)")
        finally:
            await connection.close()

    done = asyncio.Event()
    writer = asyncio.create_task(write())
    await taken(machine, backups)
    done.set()
    await writer


async def taken(machine: Stack, backups: Backups, keep: int = 7) -> Manifest:
    plan, credentials = machine.plan, machine.supervisor.credentials
    return (await take.take(plan, credentials, backups, lambda said: None, keep=keep)).manifest


async def _execute(stack: Stack, statement: str) -> Any:
    connection = await asyncpg.connect(stack.postgres_url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@contextmanager
def restored(backups: Backups, tmp_path: Path, at: datetime | None) -> Iterator[Stack]:
    for each in (tmp_path, *list(tmp_path.parents)[:2]):
        each.chmod(0o755)
    layout = Layout(tmp_path / "restored")
    choice = restore.choose(backups, at)
    restore.check(choice, backups, layout)
    restore.restore(choice, backups, layout, lambda said: None)
    with Stack(layout.data, only="postgres") as stack:
        yield stack
    stack.discard()


def test_point_in_time(machine: Stack, backups: Backups, tmp_path: Path) -> None:
    """What was answered before the moment is there, and nothing of after it; files as of then; and a whole machine is no longer needed."""
    store = machine.plan.layout.data / "files/files"

    async def go_on() -> tuple[datetime, int]:
        await _execute(machine, "INSERT INTO told SELECT FROM generate_series(1, 7)")
        (store / "second").write_bytes(b"two")
        at, count = await _execute(machine, "SELECT clock_timestamp()"), await _execute(machine, _COUNT)
        await _execute(machine, "INSERT INTO told SELECT FROM generate_series(1, 1000)")
        (store / "third").write_bytes(b"three")
        assert await moments.keep_moment(machine.plan, machine.supervisor.credentials) is not None
        return at, count

    at, count = asyncio.run(go_on())
    with restored(backups, tmp_path, at) as stack:
        assert asyncio.run(_execute(stack, _COUNT)) == count
        assert {each.name for each in (stack.plan.layout.data / "files/files").iterdir()} == {"first", "second"}
        # It archives nowhere until its first backup, so that two machines never write one series.
        assert asyncio.run(_execute(stack, "SHOW archive_command")) == "/bin/true"
        assert Target.load(stack.plan.layout) is None
        assert asyncio.run(_execute(stack, "SELECT timeline_id FROM pg_control_checkpoint()")) == 2
        assert asyncio.run(_execute(stack, "SELECT pg_current_xact_id() IS NOT NULL"))


def test_latest(machine: Stack, backups: Backups, tmp_path: Path) -> None:
    """The newest moment holds all that was committed before it began."""

    async def go_on() -> int:
        await _execute(machine, "INSERT INTO told SELECT FROM generate_series(1, 13)")
        count: int = await _execute(machine, _COUNT)
        await moments.keep_moment(machine.plan, machine.supervisor.credentials)
        await _execute(machine, "INSERT INTO told SELECT FROM generate_series(1, 13)")
        return count

    count = asyncio.run(go_on())
    with restored(backups, tmp_path, None) as stack:
        assert asyncio.run(_execute(stack, _COUNT)) == count


def test_a_backup_that_is_killed_is_none_and_the_next_one_clears_it_away(machine: Stack, backups: Backups) -> None:
    before = backups.whole()
    layout = machine.plan.layout
    ended = subprocess.run(
        [sys.executable, "-c", _KILLED, layout.data, str(machine.plan.ports.base), backups.folder], check=False
    )
    assert ended.returncode == -signal.SIGKILL
    (left,) = backups.cut_off()
    assert (left / "postgres/PG_VERSION").exists(), "it was killed before it copied anything"
    assert backups.whole() == before
    asyncio.run(taken(machine, backups))
    assert backups.cut_off() == []
    assert len(backups.whole()) == len(before) + 1


def test_a_copied_backup_is_checked_byte_by_byte(backups: Backups, tmp_path: Path) -> None:
    """A byte that turned, a file that is gone, a segment that is missing: each is named, and none is restored."""
    copy = Backups(tmp_path / "copy")
    shutil.copytree(backups.folder, copy.folder)
    (manifest, *_) = copy.whole()
    assert copy.verify(manifest) == []
    control_file = copy.folder / manifest.name / "postgres/global/pg_control"
    turned = bytearray(control_file.read_bytes())
    turned[100] ^= 1
    control_file.write_bytes(turned)
    (copy.folder / manifest.name / "postgres/PG_VERSION").unlink()
    (segment,) = (copy.series(manifest.series).wal).glob(f"{manifest.moment.segment}*")
    faults = "; ".join(copy.verify(manifest))
    assert "pg_control holds other bytes" in faults
    assert "PG_VERSION cannot be read" in faults
    assert "segment" not in faults
    layout = Layout(tmp_path / "restored")
    choice = restore.choose(copy, manifest.moment.at)
    with pytest.raises(OperatorError, match="is not what was backed up"):
        restore.restore(choice, copy, layout, lambda said: None)
    with pytest.raises(OperatorError, match="not restored to its end"):
        control.start(layout, "postgres", lambda state: None)
    segment.unlink()
    assert f"segment {manifest.moment.segment} of the log is missing" in "; ".join(copy.verify(manifest))
    with pytest.raises(OperatorError, match="is missing"):
        restore.check(choice, copy, Layout(tmp_path / "another"))


def test_what_cannot_be_restored_is_refused_before_anything_is_written(
    machine: Stack, backups: Backups, tmp_path: Path
) -> None:
    choice, into = restore.choose(backups, None), Layout(tmp_path / "into")

    def refused(words: str, choice: restore.Choice = choice, layout: Layout = into) -> None:
        with pytest.raises(OperatorError, match=words):
            restore.check(choice, backups, layout)

    refused("is not empty", layout=machine.plan.layout)
    refused("of release 999", replace(choice, manifest=replace(choice.manifest, release="999.0.0")))
    refused("not installed here: nothing", replace(choice, manifest=replace(choice.manifest, services=["nothing"])))
    for at in (choice.moment.at + timedelta(minutes=1), backups.whole()[0].moment.at - timedelta(seconds=1)):
        with pytest.raises(OperatorError, match="no backup reaches"):
            restore.choose(backups, at)
    with pytest.raises(OperatorError, match="there is no backup in"):
        restore.choose(Backups(tmp_path), None)
    with pytest.raises(OperatorError, match="cannot be read"):
        restore.choose(Backups(tmp_path / "nowhere"), None)
    newer = tmp_path / "newer"
    replace(choice.manifest, format=99).save(_made(newer / "20300101T000000Z"))
    with pytest.raises(OperatorError, match="later release"):
        restore.choose(Backups(newer), None)
    shutil.copytree(backups.folder / choice.manifest.name, newer / choice.manifest.name)
    assert [each.name for each in Backups(newer).whole()] == [choice.manifest.name], (
        "one that is unreadable hides no other"
    )
    assert not into.data.exists()


def test_folders_that_do_not_do_are_refused(machine: Stack, backups: Backups, tmp_path: Path) -> None:
    layout = machine.plan.layout
    with pytest.raises(OperatorError, match="lies in the data folder"):
        Backups.of(layout, layout.data / "backups")
    (tmp_path / "file").touch()
    with pytest.raises(OperatorError, match="cannot be made"):
        Backups.of(layout, tmp_path / "file" / "backups").create()
    with pytest.raises(OperatorError, match="are needed"):
        room_for(tmp_path, 1 << 60)
    with backups.alone(), pytest.raises(OperatorError, match="another backup is being made"):
        asyncio.run(taken(machine, backups))
    theirs = Backups(tmp_path / "theirs")
    replace(backups.whole()[0], system="1").save(_made(theirs.folder / "20300101T000000Z"))
    with pytest.raises(OperatorError, match="of another installation"):
        asyncio.run(taken(machine, theirs, keep=1))
    assert [each.name for each in theirs.folder.iterdir() if not each.name.startswith(".")] == ["20300101T000000Z"]
    assert Backups.of(layout, None).folder == backups.folder, "where the last one went"


def test_old_backups_go_and_the_log_that_only_they_needed(machine: Stack, backups: Backups) -> None:
    asyncio.run(_one_second_later(machine, backups, keep=100))
    (store := machine.plan.layout.data / "files/files/brief").write_bytes(b"x")
    asyncio.run(moments.keep_moment(machine.plan, machine.supervisor.credentials))
    store.unlink()
    asyncio.run(moments.keep_moment(machine.plan, machine.supervisor.credentials))
    series = backups.series(backups.whole()[-1].series)
    assert (series.files / "files/brief").exists(), "an earlier moment may still want it"
    asyncio.run(_one_second_later(machine, backups, keep=1))
    (kept,) = backups.whole()
    assert backups.verify(kept) == []
    assert min(path.name for path in series.wal.glob("0*.gz")) >= kept.first_segment
    assert series.moments()[0] == kept.moment
    assert not (series.files / "files/brief").exists()
    assert "files/files/brief" not in series.contents()


def test_the_next_one_is_taken_by_itself_when_it_is_due(machine: Stack, backups: Backups, tmp_path: Path) -> None:
    plan, credentials, layout = machine.plan, machine.supervisor.credentials, machine.plan.layout

    def older(hours: int) -> None:
        for each in backups.whole():
            at = each.moment.at - timedelta(hours=hours)
            replace(each, moment=replace(each.moment, at=at)).save(backups.folder / each.name)

    def mount() -> None:
        (tmp_path / "away").rename(backups.folder)

    async def next_one() -> Manifest | None:
        await asyncio.sleep(1.1)
        return await daily.keep_backup(plan, credentials)

    async def again_when_it_is_there() -> None:
        """The supervisor's own loop, with a disk that comes back."""
        keeping = asyncio.create_task(daily.keep_backups(plan, credentials, looks=0.05, later=0.05))
        await asyncio.sleep(0.5)
        assert not backups.folder.exists(), "made again on the wrong disk"
        mount()
        while backups.whole()[-1].name == before:
            assert not keeping.done()
            await asyncio.sleep(0.05)
        keeping.cancel()
        await asyncio.wait({keeping})

    asyncio.run(_one_second_later(machine, backups, keep=3))
    assert asyncio.run(next_one()) is None, "a new one is not a day old"
    older(hours=25)
    made = asyncio.run(next_one())
    assert made is not None and backups.whole()[-1] == made and backups.verify(made) == []
    assert asyncio.run(next_one()) is None
    target = Target.load(layout)
    assert target is not None and (target.keep, target.every) == (3, 24), "what was said holds for those that follow"
    older(hours=25)
    replace(target, every=0).save(layout)
    assert asyncio.run(next_one()) is None, "nobody wants one"
    target.save(layout)
    before = backups.whole()[-1].name
    backups.folder.rename(tmp_path / "away")
    with pytest.raises(OperatorError, match="is gone"):
        asyncio.run(next_one())
    asyncio.run(again_when_it_is_there())


def test_what_was_said_before_there_was_a_schedule_is_taken_by_hand(machine: Stack, backups: Backups) -> None:
    layout = machine.plan.layout
    target = Target.load(layout)
    assert target is not None
    path = Target.path(layout)
    path.write_text(json.dumps({"folder": target.folder, "series": target.series, "of_a_later_release": 1}))
    assert Target.load(layout) == replace(target, keep=7, every=0)
    target.save(layout)


async def test_a_copy_that_is_cancelled_has_ended_when_that_is_known() -> None:
    copied, going_on = list[str](), threading.Event()

    def files() -> Iterator[tuple[str, Kept]]:
        for number in range(1000):
            going_on.wait(0.05)
            copied.append(str(number))
            yield str(number), Kept(0, "")

    copying = asyncio.create_task(take.in_thread("here", files()))
    await asyncio.sleep(0.2)
    copying.cancel()
    await asyncio.wait({copying})
    ended = len(copied)
    assert 0 < ended < 1000
    going_on.set()
    await asyncio.sleep(0.2)
    assert len(copied) == ended


async def _one_second_later(machine: Stack, backups: Backups, keep: int) -> None:
    """Backups are named by the second."""
    await asyncio.sleep(1.1)
    await taken(machine, backups, keep)


def test_a_line_that_was_cut_off_is_no_moment(tmp_path: Path, backups: Backups) -> None:
    source, series = backups.series(backups.whole()[-1].series), Series(tmp_path / "series")
    series.create()
    (first, *_) = source.moments()
    series.add_moment(first)
    with (series.folder / "moments.jsonl").open("a") as file:
        file.write('{"name": "half of')
    assert series.moments() == [first]
    series.add_moment(replace(first, name="next"))
    assert [each.name for each in series.moments()] == [first.name, "next"]


def test_a_segment_that_compaction_replaces_is_copied_again(tmp_path: Path) -> None:
    """Kafka swaps a segment under its name while its partition is copied: the copy is of one state, not half of each."""
    source = _made(tmp_path / "kafka/topic-0")
    (source / "partition.metadata").touch()
    for number in range(40):
        (source / f"{number:020}.log").write_bytes(bytes([1]) * 100_000)
    swapper = subprocess.Popen([sys.executable, "-c", _SWAPPED, source])
    try:
        for round in range(10):
            target = tmp_path / f"copy-{round}"
            dict(copy_kafka(source.parent, target))
            found = {path.read_bytes()[0] for path in (target / "topic-0").glob("*.log")}
            assert len(found) == 1, f"round {round} mixes {found}"
    finally:
        swapper.kill()
        swapper.wait()


_SWAPPED = """
import os, sys, time
from pathlib import Path
source, state = Path(sys.argv[1]), 2
while True:
    names = sorted(source.glob("*.log"))
    for path in names:
        path.with_suffix(".swap").write_bytes(bytes([state]) * 100_000)
    for path in names:
        os.replace(path.with_suffix(".swap"), path)
    state = 3 - state
    time.sleep(0.15)
"""


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
