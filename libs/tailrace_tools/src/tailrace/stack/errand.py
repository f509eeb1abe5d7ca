"""Programs that run to their end: tools such as initdb, and the preparation, which reports as it goes."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tailrace.core.operator_error import OperatorError
from tailrace.stack.accounts import Account
from tailrace.stack.child import command, tail
from tailrace.stack.state import Board


async def run_tool(argv: Sequence[str], environment: Mapping[str, str], account: Account | None = None) -> str:
    """Run a program and return what it printed. Raises `OperatorError` with that when it fails."""
    process = await asyncio.create_subprocess_exec(
        *command(argv, signal.SIGKILL, account),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=dict(environment),
        cwd="/",
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    text = output.decode(errors="replace")
    if process.returncode != 0:
        raise OperatorError(
            f"{Path(argv[0]).name} ended with code {process.returncode}:\n{text[-2000:]}", "is the disk full?"
        )
    return text


async def run_errand(
    module: str, environment: Mapping[str, str], log: Path, board: Board, on_line: Callable[[], None]
) -> None:
    """Run `python -m module`, copying each line it prints onto the board, and calling `on_line` after it.

    Raises `OperatorError` with the module's own words.
    """
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *command([sys.executable, "-m", module], signal.SIGKILL, None),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env=dict(environment),
            start_new_session=True,
        )
    failure = None
    try:
        assert process.stdout is not None
        async for line in process.stdout:
            said = json.loads(line)
            board.part(said["part"], said["phase"], said["detail"])
            on_line()
            if said["phase"] == "failed":
                failure = OperatorError(said["detail"], said["remedy"])
        code = await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    if failure is not None:
        raise failure
    if code != 0:
        raise OperatorError(
            f"{module} ended with code {code}", f"its last words:\n{tail(log, 12)}\nthe whole log is {log}"
        )
