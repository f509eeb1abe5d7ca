"""Reads a file that was sent, in a limited process, as lists of texts. A few at once; the next ones are asked to come again."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress

from tailrace.core.errors import Invalid, Unavailable
from tailrace.http.protocol.exact_json import WHOLE_BODY
from tailrace.observability.logs import log
from tailrace.transfer import reading

_AT_ONCE = 2
_SECONDS = 120.0
_LINE = 32 * 1024 * 1024
_running = 0


class UnreadableFile(Invalid):
    """422: the file is not one that rows can be read from; nothing was done."""

    slug, title = "unreadable-file", "The file cannot be read"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, field=WHOLE_BODY)


async def rows(content: Iterable[bytes], encoding: str | None) -> AsyncIterator[list[str]]:
    """The rows of a CSV or XLSX file. Raises UnreadableFile at the first thing that is wrong, Unavailable when too many are read already."""
    global _running
    if _running >= _AT_ONCE:
        raise Unavailable("Other files are being read; send it again shortly.", retry_after=2)
    _running += 1
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            reading.__name__,
            *([encoding] if encoding else []),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_LINE,
            env={"PYTHONIOENCODING": "utf-8:surrogatepass", "PYTHONPATH": ":".join(sys.path)},
        )
        feeding = asyncio.create_task(_feed(process, content))
        try:
            async with asyncio.timeout(_SECONDS):
                async for row in _read(process):
                    yield row
        except TimeoutError:
            raise UnreadableFile("It takes too long to read.") from None
        finally:
            feeding.cancel()
            with suppress(ProcessLookupError):
                process.kill()
            await asyncio.gather(feeding, process.wait(), return_exceptions=True)
    finally:
        _running -= 1


async def _feed(process: asyncio.subprocess.Process, content: Iterable[bytes]) -> None:
    assert process.stdin is not None
    with suppress(BrokenPipeError, ConnectionResetError):
        for block in content:
            process.stdin.write(block)
            await process.stdin.drain()
        process.stdin.close()


async def _read(process: asyncio.subprocess.Process) -> AsyncIterator[list[str]]:
    assert process.stdout is not None
    while True:
        try:
            line = await process.stdout.readline()
        except ValueError:
            raise UnreadableFile("A row of it is too long.") from None
        said = json.loads(line) if line.endswith(b"\n") else None
        if isinstance(said, list):
            yield said
            continue
        if said is None:
            # Killed: by its limits, or by the machine.
            log.warning("reading of a file ended early", code=await process.wait())
            raise UnreadableFile("It needs too much memory or time to be read.")
        if "wrong" in said:
            raise UnreadableFile(said["wrong"])
        return
