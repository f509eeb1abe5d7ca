"""Children come back with growing pauses, and a program that cannot start says why instead of being tried for ever."""

import asyncio
import os
import signal
from itertools import pairwise
from pathlib import Path

import pytest

from tailrace.core.operator_error import OperatorError
from tailrace.stack.child import Child, Program
from tailrace.stack.state import Board, State


async def at_once(_pid: int) -> bool:
    return True


async def never(_pid: int) -> bool:
    return False


def board(folder: Path) -> Board:
    return Board(folder / "state.json", State())


async def test_pauses_grow_between_restarts(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    script = f"date +%s.%N >> {starts}; sleep 0.05; exit 3"
    kept = board(tmp_path)
    child = Child(Program("brief", ["/bin/sh", "-c", script], at_once), tmp_path / "brief.log", kept)
    await child.start()
    async with asyncio.timeout(300):
        while kept.state.parts["brief"].restarts < 4:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await child.stop()
    times = [float(line) for line in starts.read_text().split()]
    first, second, third, *_ = (after - before for before, after in pairwise(times))
    assert first > 0.25
    assert second > 0.45
    assert third > 0.85
    assert kept.state.parts["brief"].phase == "stopped"


async def test_program_that_cannot_start_fails_with_its_last_words(tmp_path: Path) -> None:
    program = Program("broken", ["/bin/sh", "-c", "echo no such configuration; exit 3"], never)
    child = Child(program, tmp_path / "broken.log", board(tmp_path))
    with pytest.raises(OperatorError, match="broken ended with code 3 before it was ready, 3 times") as caught:
        await child.start()
    assert "no such configuration" in caught.value.remedy
    await child.stop()


async def test_program_that_is_never_ready_fails_and_is_stopped(tmp_path: Path) -> None:
    program = Program("idle", ["/bin/sleep", "600"], never, ready_timeout=0.3)
    child = Child(program, tmp_path / "idle.log", board(tmp_path))
    with pytest.raises(OperatorError, match="not ready after"):
        await child.start()
    assert child.pid is not None
    await child.stop()
    assert child.pid is None


async def test_a_program_that_ignores_sigterm_is_killed_after_its_timeout(tmp_path: Path) -> None:
    stubborn = Program(
        "stubborn", ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"], at_once, stop_timeout=0.3
    )
    child = Child(stubborn, tmp_path / "stubborn.log", board(tmp_path))
    await child.start()
    await asyncio.sleep(0.1)
    async with asyncio.timeout(300):
        await child.stop()
    assert child.pid is None


async def test_program_that_runs_and_does_nothing_any_more_is_started_again(tmp_path: Path) -> None:
    well = asyncio.Event()
    well.set()

    async def is_well() -> bool:
        if not well.is_set():
            raise ConnectionRefusedError
        return True

    kept = board(tmp_path)
    program = Program("stuck", ["/bin/sleep", "600"], at_once, alive=is_well, alive_timeout=0.3)
    child = Child(program, tmp_path / "stuck.log", kept)
    await child.start()
    first = child.pid
    await asyncio.sleep(1)
    assert child.pid == first
    well.clear()
    async with asyncio.timeout(300):
        while not kept.state.parts["stuck"].restarts:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    well.set()
    async with asyncio.timeout(300):
        while child.pid in {first, None}:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await child.stop()


async def test_program_comes_back_although_nothing_could_be_written_meanwhile(tmp_path: Path) -> None:
    """The state and the log are out of reach, as on a full disk, when it dies; in the end the state on disk is the true one."""
    disk, away = tmp_path / "disk", tmp_path / "away"
    disk.mkdir()
    kept = board(disk)
    child = Child(Program("kept", ["/bin/sleep", "600"], at_once), disk / "kept.log", kept)
    await child.start()
    first = child.pid
    assert first is not None
    disk.rename(away)
    os.kill(first, signal.SIGKILL)
    async with asyncio.timeout(300):
        while kept.state.parts["kept"].restarts < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert "could not be started" in kept.state.parts["kept"].detail
    away.rename(disk)
    async with asyncio.timeout(300):
        while kept.state.parts["kept"].phase != "ready":  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert child.pid not in {first, None}
    assert State.load(kept.path) == kept.state
    await child.stop()
