"""`tailrace` as its own process, beside the stack that the tests run on."""

import asyncio
import os
import sys
from pathlib import Path

from tailrace.stack.embedded import Stack


async def tailrace(fleet: Stack, *arguments: object) -> tuple[int, str]:
    """Run `tailrace …` as its own process: how it ended, and all that it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TAILRACE_")}
    environment["TAILRACE_DATA"] = str(fleet.plan.layout.data)
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "tailrace"),
        *map(str, arguments),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()
