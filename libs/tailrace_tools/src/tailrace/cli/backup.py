"""`tailrace backup`, `restore` and `drill`: the embedded stack copied while it runs, brought back to one moment, and that tried beside it."""

import asyncio
import os
import shutil
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from tailrace.capture import history, slots
from tailrace.capture.reconcile import compare
from tailrace.cli.console import mark, out
from tailrace.cli.lifecycle import bring_up
from tailrace.cli.running import elsewhere, enter_environment
from tailrace.core.operator_error import OperatorError
from tailrace.kafka.topic_copies import copy_topics
from tailrace.messaging.dead_letters import dlq_topic
from tailrace.runtime.fleet import load_services
from tailrace.service import Service
from tailrace.settings import Settings, settings_from
from tailrace.stack.archive import VARIABLE, Archive, Base
from tailrace.stack.embedded import Stack
from tailrace.stack.layout import Layout, Ports
from tailrace.stack.plan import edge_names, service_names
from tailrace.stack.restoring import restore
from tailrace.stack.state import State


def take_backup(folder: Path | None, keep: int) -> None:
    """Copy everything while it runs. Raises `OperatorError`."""
    if elsewhere() is not None:
        raise OperatorError("this backs the embedded stack up", "of a cluster, see docs/how-to/back-up-and-restore.md")
    archive = _archive(folder)
    enter_environment()
    settings, layout = Settings(), Layout.from_environment()

    async def work() -> tuple[int, Base]:
        records = await copy_topics(settings.kafka, _topics(), archive.topics)
        return records, await archive.take(settings.postgres, layout)

    records, base = asyncio.run(work())
    archive.thin_out(keep)
    size = sum(file.stat().st_size for file in (archive.folder / "base" / base.name).rglob("*") if file.is_file())
    out.print(f"Backup {base.name}: {size / 1e6:,.0f} MB after {base.seconds:.1f} s, {records:,} records of topics.")


def list_backups(folder: Path | None) -> None:
    """Print which base backups there are."""
    for base in _archive(folder).bases():
        out.print(f"{base.name}  made in {base.seconds:.1f} s, from {base.wal_from}")


def bring_back(folder: Path | None, until: datetime | None) -> None:
    """Fill an empty data folder, and start it. Raises `OperatorError`."""
    archive, layout = _archive(folder), Layout.from_environment()
    state = State.load(layout.state)
    if state is not None and state.running:
        raise OperatorError("a stack is running", "stop it with: tailrace down, and move its data away")
    began = time.monotonic()
    done = restore(archive, layout, None, _zoned(until), out.print)
    out.print(f"The databases are as of {_said(done.moment)}; {done.records:,} records of topics are back.")
    bring_up("fleet")
    out.print(f"Restored after {time.monotonic() - began:.0f} s.")


def rehearse(folder: Path | None) -> bool:
    """Restore into a folder and on ports of its own, beside what runs; print what would be lost, and how long it takes. Says whether it is whole."""
    archive = _archive(folder)
    # What is tried must not archive into the backups that it is made of.
    os.environ.pop(VARIABLE, None)
    place = Path(tempfile.mkdtemp(prefix="tailrace-drill-"))
    place.chmod(0o755)
    layout, began, now = Layout(place / "data"), time.monotonic(), datetime.now(UTC)
    ports = Ports.free(service_names(), edge_names(), layout.known_places())
    done = restore(archive, layout, ports, None, lambda words: out.print(words, style="dim"))
    stack = Stack(layout.data, ports=ports)
    try:
        stack.start()
        took = time.monotonic() - began
        faults = asyncio.run(_faults(stack))
    finally:
        stack.discard()
        shutil.rmtree(place, ignore_errors=True)
    lost = (now - done.moment).total_seconds() if done.moment else 0.0
    out.print(f"RPO {lost:.0f} s: the newest event that came back was recorded at {_said(done.moment)}")
    out.print(f"RTO {took:.0f} s: from the first file to a platform that answers")
    for name, fault in faults.items():
        out.print(mark("failed"), f"{name}: {fault}")
    if not faults:
        out.print("Every outbox and its topic are equal.")
    return not faults


async def _faults(stack: Stack) -> dict[str, str]:
    """By service, how outbox and topic differ."""
    settings = settings_from(stack.environment)
    found: dict[str, str] = {}
    for service in _publishing():
        async with slots.connected(service, settings) as connection:
            epoch = (await history.look(connection, service, None)).epoch
            difference = await compare(connection, service, settings.kafka, epoch)
        if difference.lost or difference.unheard:
            found[service.name] = (
                f"{len(difference.lost)} events only on the topic, {len(difference.unheard)} only in the outbox"
            )
    return found


def _topics() -> list[str]:
    return sorted(topic for each in _publishing() for topic in (str(each.topic), dlq_topic(each.name)))


def _publishing() -> list[Service]:
    return [service for service in load_services() if service.topic is not None]


def _archive(folder: Path | None) -> Archive:
    named = folder or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if named is None:
        raise OperatorError("nothing says where backups are", f"set {VARIABLE}, for the stack too, or name a folder")
    return Archive.named(named)


def _zoned(moment: datetime | None) -> datetime | None:
    """A time without a zone is UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _said(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "nothing"
