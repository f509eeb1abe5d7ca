"""Backups on the screen: taking, listing, verifying, restoring."""

import asyncio
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from rich.table import Table
from rich.text import Text

from tailrace.cli.console import mark, out
from tailrace.cli.running import enter_environment
from tailrace.core.operator_error import OperatorError
from tailrace.stack.backup import restore, take
from tailrace.stack.backup.folder import Backups, Manifest
from tailrace.stack.backup.moments import RENEWED
from tailrace.stack.credentials import Credentials
from tailrace.stack.layout import Layout
from tailrace.stack.plan import Only, Plan
from tailrace.stack.state import State

_TIME = "%Y-%m-%dT%H:%M:%SZ"


def take_backup(into: Path | None, keep: int | None, every: int | None) -> None:
    """Of the stack that runs here. Raises `OperatorError`."""
    layout, began = Layout.from_environment(), time.monotonic()
    plan = _running()
    credentials, backups = Credentials.load_or_create(layout.credentials), Backups.of(layout, into)
    taken = asyncio.run(take.take(plan, credentials, backups, out.print, keep=keep, every=every))
    manifest = taken.manifest
    out.print(
        f"Backup {manifest.name} is whole after {time.monotonic() - began:.1f} s: {len(manifest.files):,} files, "
        f"{manifest.size / 1e6:,.0f} MB, to go back to {manifest.moment.at:{_TIME}} and later."
    )
    out.print(f"  {'Folder':<8} {backups.folder}; keys and personal data are in it")
    next_one = f"by itself, {taken.target.every} hours from now" if taken.target.every else "when you ask for it"
    out.print(f"  {'Next':<8} {next_one}; {taken.target.keep} are kept")
    for name in taken.pruned:
        out.print(f"  {name} was deleted")


def list_backups(into: Path | None, *, as_json: bool) -> None:
    """Raises `OperatorError` when the folder is none."""
    backups = Backups.of(Layout.from_environment(), into)
    rows = [(manifest, restore.reaches(manifest, backups)) for manifest in backups.whole()]
    if as_json:
        out.print_json(json.dumps([_plain(manifest, until) for manifest, until in rows]))
        return
    table = Table.grid(padding=(0, 2))
    for manifest, until in rows:
        size = Text(f"{manifest.size / 1e6:,.0f} MB", justify="right")
        table.add_row(
            manifest.name, size, f"{manifest.moment.at:{_TIME}} to {until:{_TIME}}", Text(manifest.release, "dim")
        )
    out.print(table if rows else f"There is no backup in {backups.folder}")
    for left in backups.cut_off():
        out.print(Text(f"{left.name} was not made to its end, or is being made", "dim"))


def verify_backups(name: str | None, into: Path | None) -> bool:
    """Print what is wrong; says whether nothing is. Raises `OperatorError` when there is no such backup."""
    backups = Backups.of(Layout.from_environment(), into)
    whole, unreadable = backups.all()
    chosen = [manifest for manifest in whole if name in (None, manifest.name)]
    if not chosen and not unreadable:
        raise OperatorError(
            f"there is no backup {name or ''} in {backups.folder}".replace("  ", " "), "see: tailrace backup list"
        )
    for error in unreadable:
        out.print(mark("failed") + Text(f" {error.what}"))
    good = not unreadable
    for manifest in chosen:
        faults = backups.verify(manifest)
        good = good and not faults
        said = f" {manifest.name}: {len(manifest.files):,} files and the log behind them are as they were written"
        out.print(mark("failed" if faults else "ready") + Text(f" {manifest.name} is damaged" if faults else said))
        for fault in faults:
            out.print(f"    {fault}")
    return good


def stop_backups() -> None:
    """Raises `OperatorError` when nothing runs."""
    layout = Layout.from_environment()
    stopped = asyncio.run(take.stop(_running(), Credentials.load_or_create(layout.credentials)))
    out.print("No more moments are made; the backups stay." if stopped else "None were being made.")


def restore_backup(source: Path | None, at: str | None) -> None:
    """Into the data folder. Raises `OperatorError`."""
    layout, began = Layout.from_environment(), time.monotonic()
    backups = Backups.of(layout, source)
    choice = restore.choose(backups, None if at is None else _moment(at, backups))
    restore.check(choice, backups, layout)
    if choice.reached - choice.manifest.moment.at > RENEWED:
        out.print(
            "Kafka's copy is so old that outboxes may have let go of events that it does not hold: topics may have gaps."
        )
    restored = restore.restore(choice, backups, layout, out.print)
    rows = sum(restored.published.values())
    out.print(
        f"Restored to {choice.reached:{_TIME}} after {time.monotonic() - began:.1f} s; {rows:,} events that Kafka's copy did not hold "
        "are published again."
    )
    for name, count in restored.lost.items():
        out.print(f"  {name}: Kafka holds {count:,} events that the database does not; see tailrace restored show")
    out.print("Go on with: tailrace up, tailrace doctor, and then tailrace backup, since this folder has none yet.")


def _moment(said: str, backups: Backups) -> datetime:
    """A time, or the name of a backup."""
    for manifest in backups.whole():
        if manifest.name == said:
            return manifest.moment.at
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        raise OperatorError(f"{said} is neither a time nor a backup", "write 2026-11-29T12:05:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _running() -> Plan:
    running = enter_environment()
    if not isinstance(running, Plan):
        raise OperatorError(
            "the platform runs elsewhere", "back it up there: docs/how-to/back-up-and-restore.md, in a cluster"
        )
    state = State.load(Layout.from_environment().state)
    return running if state is None else replace(running, only=cast(Only, state.only))


def _plain(manifest: Manifest, until: datetime) -> dict[str, object]:
    return {
        "name": manifest.name,
        "size": manifest.size,
        "files": len(manifest.files),
        "from": manifest.moment.at.isoformat(),
        "to": until.isoformat(),
        "release": manifest.release,
    }
