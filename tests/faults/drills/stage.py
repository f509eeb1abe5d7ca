"""Where a drill takes place: a stack of its own in a folder of its own, and what an independent reader sees of it."""

import asyncio
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import way
from command import tailrace

from tailrace.kafka.cloudevents import Malformed, read_meta
from tailrace.service import Service
from tailrace.stack.embedded import Stack
from tailrace.stack.plan import External

LIMITS = {"TAILRACE_TENANT_RATE": "5000", "TAILRACE_TENANT_BURST": "10000", "TAILRACE_LOG_LEVEL": "WARNING"}


@contextmanager
def folder_of_its_own(name: str) -> Iterator[Path]:
    """Deleted when all went right, and named when it did not. What clients and the stack's own parts say goes into a file there."""
    folder = Path(tempfile.mkdtemp(prefix=f"tailrace-{name}-"))
    folder.chmod(0o755)
    logging.basicConfig(filename=folder / "drill.log", level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    try:
        yield folder
    except BaseException:
        print(f"Data and logs are kept in {folder}")
        raise
    # What is said at the very end would be written to a file that is gone.
    logging.getLogger().handlers.clear()
    shutil.rmtree(folder, ignore_errors=True)


def stack_in(folder: Path, external: External | None = None, **environment: str) -> Stack:
    """A whole fleet, on disks that are waited for, or on parts elsewhere."""
    return Stack(folder / "data", external=external, environment={**LIMITS, **environment})


@dataclass
class Figures:
    """What a drill measures, printed as it becomes known."""

    began: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.began:7.1f} s  {text}", flush=True)


async def doctor_is_red(stack: Stack, about: Callable[[str], bool], within: float) -> float:
    """Seconds until `tailrace doctor` ends with 1 and says what it is to. Raises AssertionError when it takes longer."""
    began = time.monotonic()
    while True:
        code, said = await tailrace(stack, "doctor")
        if code == 1 and about(said):
            return time.monotonic() - began
        if time.monotonic() - began > within:
            raise AssertionError(f"the doctor is not red within {within:g} s: {said}")
        await asyncio.sleep(0.5)


async def differences(stack: Stack, service: Service) -> tuple[set[str], set[str]]:
    """Ids that only the outbox holds, and that only the topic does: by a plain consumer and a plain query.

    A record counts where it is the first of its place; readers pass over others.
    """
    first: dict[tuple[str, int, int], str] = {}
    for record in await way.records(stack.kafka, str(service.topic)):
        try:
            meta = read_meta(record)
        except Malformed:
            continue
        first.setdefault((str(meta.aggregate_id), meta.epoch, meta.sequence), str(meta.event_id))
    async with way.admin_of(stack, service) as connection:
        query = "SELECT id::text, aggregate_id::text, epoch, sequence FROM outbox WHERE topic = $1"
        rows = await connection.fetch(query, service.topic)
    unheard = {
        row["id"] for row in rows if first.get((row["aggregate_id"], row["epoch"], row["sequence"])) != row["id"]
    }
    return unheard, set(first.values()) - {row["id"] for row in rows}
