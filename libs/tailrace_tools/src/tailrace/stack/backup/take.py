"""One backup of a stack that runs: Kafka's logs, then PostgreSQL's files, then a moment at which everything that they hold has happened.

In that order: what Kafka's copy holds is in the database of every moment that the backup reaches, so nothing that readers are told by the copy is
missing there. What it does not hold is in the outboxes of that database.
"""

import asyncio
import os
import shutil
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import asyncpg

from tailrace.core.operator_error import OperatorError
from tailrace.stack.backup import moments
from tailrace.stack.backup.copying import cluster_files, copy_cluster, copy_kafka
from tailrace.stack.backup.folder import PART, Backups, Kept, Manifest, Target, copied, in_words, room_for, when
from tailrace.stack.backup.series import Series
from tailrace.stack.credentials import Credentials
from tailrace.stack.layout import Layout
from tailrace.stack.plan import PARTS, Plan

KEYS = ("secrets.json", "ports.json", "capture-secrets", "java/kafka.users", "restored")
"""Of the data folder, by path: what opens the rest of it, and what an operator decided to keep."""
Say = Callable[[str], None]


def release() -> str:
    return version("tailrace-tools")


@dataclass(frozen=True)
class Taken:
    manifest: Manifest
    pruned: list[str]
    target: Target


async def take(
    plan: Plan,
    credentials: Credentials,
    backups: Backups,
    say: Say,
    *,
    keep: int | None = None,
    every: int | None = None,
) -> Taken:
    """Take a backup of what runs here, and forget all but the newest `keep`. Raises `OperatorError`, with nothing that looks like a backup.

    `keep` and `every` hold from then on; what is left out is as it was.
    """
    layout = plan.layout
    for part in ("postgres", "kafka"):
        if part in PARTS[plan.only] and part not in plan.own:
            raise OperatorError(f"{part} runs elsewhere", "back it up there, by its own means")
    backups.create()
    with backups.alone(), in_words(backups.folder):
        for left in backups.cut_off():
            shutil.rmtree(left)
        room_for(backups.folder, await asyncio.to_thread(_wanted, plan, backups))
        connection = await asyncpg.connect(plan.postgres_url(credentials), timeout=10)
        try:
            system = await connection.fetchval("SELECT system_identifier::text FROM pg_control_system()")
            _ensure_own(backups, system)
            target = await _target(connection, layout, backups, keep, every)
            series = backups.series(target.series)
            manifest = await _take(connection, plan, backups, series, system, say)
        finally:
            await connection.close(timeout=5)
        pruned = await asyncio.to_thread(backups.prune, target.keep)
    return Taken(manifest, pruned, target)


def _ensure_own(backups: Backups, system: str) -> None:
    """Raises `OperatorError` for a folder of another machine's: each would delete the other's old ones, and `restore --latest` take either's."""
    for manifest in backups.all()[0]:
        if manifest.system != system:
            raise OperatorError(
                f"{backups.folder} holds backups of another installation", "name a folder of this one's own: --into"
            )


async def _take(connection: Any, plan: Plan, backups: Backups, series: Series, system: str, say: Say) -> Manifest:
    layout, began = plan.layout, datetime.now(UTC)
    name = when(began)
    building = backups.folder / f"{name}{PART}"
    if (backups.folder / name).exists():
        raise OperatorError(f"{name} is there already", "try again in a second")
    building.mkdir(mode=0o700)
    try:
        files: dict[str, Kept] = {}
        if "kafka" in plan.own:
            say("copying Kafka's logs")
            files |= await in_thread("kafka", copy_kafka(layout.data / "kafka", building / "kafka"))
        say("copying PostgreSQL's files")
        cluster = (layout.data / "postgres").resolve()
        start = await connection.fetchval("SELECT pg_backup_start($1, fast => true)", name)
        first = await connection.fetchval("SELECT pg_walfile_name($1)", start)
        files |= await in_thread("postgres", copy_cluster(cluster, building / "postgres"))
        label = await connection.fetchval("SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)")
        files["postgres/backup_label"] = await asyncio.to_thread(_written, building / "postgres/backup_label", label)
        files |= await in_thread("keys", _keys(layout, building / "keys"))
        say("closing the log at a moment to go back to")
        moment = await moments.make_moment(connection, series, moments.spool_of(layout), moments.store_of(plan))
        manifest = Manifest(
            name=name,
            release=release(),
            postgres=(cluster / "PG_VERSION").read_text().strip(),
            system=system,
            series=series.folder.name.removeprefix("series-"),
            moment=moment,
            first_segment=first,
            services=sorted(plan.ports.services),
            files=files,
        )
        manifest.save(building)
        await asyncio.to_thread(os.sync)
        building.rename(backups.folder / name)
        await asyncio.to_thread(_flush, backups.folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return manifest


async def _target(connection: Any, layout: Layout, backups: Backups, keep: int | None, every: int | None) -> Target:
    """Where this data folder's log goes, a series begun by its first backup in this folder; and how backups go on."""
    before = Target.load(layout)
    target = before or Target(str(backups.folder), "")
    if target.folder != str(backups.folder) or not target.series or not backups.series(target.series).folder.is_dir():
        target = replace(target, folder=str(backups.folder), series=uuid.uuid4().hex[:12])
    target = replace(
        target,
        keep=target.keep if keep is None else keep,
        every=target.every if every is None else every,
    )
    backups.series(target.series).create()
    spool = moments.spool_of(layout)
    spool.mkdir(exist_ok=True, mode=0o700)
    owner = (layout.data / "postgres").resolve().stat()
    os.chown(spool, owner.st_uid, owner.st_gid)
    await moments.begin_archive(connection, spool)
    target.save(layout)
    return target


async def stop(plan: Plan, credentials: Credentials) -> bool:
    """Send nothing more after the backups that there are; says whether anything was sent until now."""
    target = Target.load(plan.layout)
    if target is None:
        return False
    backups = Backups(Path(target.folder))
    # One that is being made would begin to send again; where the folder is gone, none is.
    with backups.alone() if backups.folder.is_dir() else nullcontext():
        connection = await asyncpg.connect(plan.postgres_url(credentials), timeout=10)
        try:
            await moments.end_archive(connection)
        finally:
            await connection.close(timeout=5)
        Target.path(plan.layout).unlink()
    shutil.rmtree(moments.spool_of(plan.layout), ignore_errors=True)
    return True


def _wanted(plan: Plan, backups: Backups) -> int:
    """Bytes that a backup takes, about: what is copied whole, and what of the object store is not there yet."""
    layout, target, store = plan.layout, Target.load(plan.layout), moments.store_of(plan)
    there = backups.series(target.series).contents() if target and target.folder == str(backups.folder) else {}
    files = _size(store.rglob("*")) if store is not None else 0
    new = max(0, files - sum(size for path, (size, _) in there.items() if path.startswith("files/")))
    cluster = (layout.data / "postgres").resolve()
    kafka = (layout.data / "kafka").rglob("*.log")
    return _size(cluster / path for path in cluster_files(cluster)[1]) + _size(kafka) + new


def _size(paths: Iterable[Path]) -> int:
    size = 0
    for path in paths:
        try:
            size += path.stat().st_size
        except FileNotFoundError:
            continue
    return size


async def in_thread(folder: str, files: Iterable[tuple[str, Kept]]) -> dict[str, Kept]:
    """What is copied there, file by file. Cancelled, it ends behind the file that is being copied: nothing is written after that."""
    stopped = threading.Event()

    def copy() -> dict[str, Kept]:
        found = dict[str, Kept]()
        for path, kept in files:
            found[f"{folder}/{path}"] = kept
            if stopped.is_set():
                break
        return found

    copying = asyncio.ensure_future(asyncio.to_thread(copy))
    try:
        return await asyncio.shield(copying)
    except asyncio.CancelledError:
        stopped.set()
        await asyncio.wait({copying})
        raise


def _keys(layout: Layout, target: Path) -> Iterator[tuple[str, Kept]]:
    for name in KEYS:
        source = layout.data / name
        paths = sorted(each for each in source.rglob("*") if each.is_file()) if source.is_dir() else [source]
        for path in paths:
            within = path.relative_to(layout.data).as_posix()
            if path.exists():
                yield within, copied(path, target / within)


def _written(path: Path, text: str) -> Kept:
    part = path.with_name(f"{path.name}{PART}")
    part.write_text(text)
    kept = copied(part, path)
    part.unlink()
    return kept


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
