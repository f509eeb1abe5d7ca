"""`tailrace` as its own process, beside the stack that the tests run on."""

import asyncio
import os
import sys
from pathlib import Path

from tailrace.stack.embedded import Stack


def beside(fleet: Stack) -> dict[str, str]:
    """The environment of a command that is to find this stack: where its data lies, and the address of whatever is elsewhere."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TAILRACE_")}
    found, external = fleet.environment, fleet.plan.external
    elsewhere = {"TAILRACE_POSTGRES": external.postgres, "TAILRACE_KAFKA": external.kafka}
    elsewhere |= {"TAILRACE_CONNECT": external.connect, "TAILRACE_CAPTURE_HOST": found.get("TAILRACE_CAPTURE_HOST")}
    environment |= {name: value for name, value in elsewhere.items() if value is not None}
    return environment | {"TAILRACE_DATA": str(fleet.plan.layout.data)}


async def tailrace(fleet: Stack, *arguments: object, **environment: str) -> tuple[int, str]:
    """Run `tailrace …` as its own process: how it ended, and all that it printed."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).parent / "tailrace"),
        *map(str, arguments),
        env=beside(fleet) | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()
