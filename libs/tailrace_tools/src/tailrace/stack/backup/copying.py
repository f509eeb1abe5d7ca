"""Copies of what is being written: of PostgreSQL within `pg_backup_start` and `pg_backup_stop`, of Kafka as a broker that was killed leaves its logs.

Neither is read back as it is. PostgreSQL rolls a copy forward by its log; Kafka, which finds no sign of an orderly end, checks every batch of every
segment, cuts off a last one that is not whole, and makes indexes and producers' states from the rest.
"""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from tailrace.core.operator_error import OperatorError
from tailrace.stack.backup.folder import Kept, copied

_NOT_COPIED = (
    "pg_wal",
    "pg_replslot",
    "pg_dynshmem",
    "pg_notify",
    "pg_serial",
    "pg_snapshots",
    "pg_stat_tmp",
    "pg_subtrans",
)
"""Folders of PostgreSQL whose contents a copy does without; the folders themselves it needs."""
_OF_A_RUN = ("postmaster.pid", "postmaster.opts", "backup_label", "tablespace_map", "backup_label.old")
_CONTROL = "global/pg_control"
"""Copied last, as PostgreSQL's manual asks."""
_METADATA = "__cluster_metadata-0"
_OFFSETS = "__consumer_offsets-"
_OF_THE_BROKER = ("meta.properties", "bootstrap.checkpoint")
_BESIDE_SEGMENTS = ("leader-epoch-checkpoint", "partition.metadata", "quorum-state")
_ATTEMPTS, _PAUSE = 20, 0.1


def cluster_files(data: Path) -> tuple[list[str], list[str]]:
    """The folders and the files of a cluster that a copy consists of, by their paths within it."""
    folders, files = list[str](), list[str]()
    for folder, inner, names in os.walk(data):
        here = Path(folder).relative_to(data)
        if here.parts and here.parts[0] in _NOT_COPIED:
            inner.clear()
            names = []
        inner[:] = [each for each in inner if not each.startswith("pgsql_tmp")]
        folders.append(here.as_posix())
        files += [
            (here / name).as_posix() for name in names if name not in _OF_A_RUN and not name.startswith("pgsql_tmp")
        ]
    files.sort(key=lambda path: (path == _CONTROL, path))
    return folders, files


def copy_cluster(data: Path, target: Path) -> Iterator[tuple[str, Kept]]:
    """Copy a cluster's files while its server writes; to be run between `pg_backup_start` and `pg_backup_stop`."""
    folders, files = cluster_files(data)
    for folder in folders:
        (target / folder).mkdir(parents=True, exist_ok=True, mode=0o700)
    for path in files:
        try:
            yield path, copied(data / path, target / path)
        except FileNotFoundError:
            continue  # dropped meanwhile, which its log says as well


def copy_kafka(data: Path, target: Path) -> Iterator[tuple[str, Kept]]:
    """Copy a broker's log folder while it writes. What is newer than the copy of its partition is not in it.

    The metadata come first, so that every partition that they name is there; then how far groups have read, which is never further than a
    partition that is copied later reaches.
    """
    for name in _OF_THE_BROKER:
        if (data / name).exists():
            yield name, copied(data / name, target / name)
    folders = [each.name for each in data.iterdir() if (each / "partition.metadata").exists() or each.name == _METADATA]
    folders.sort(key=lambda name: (name != _METADATA, not name.startswith(_OFFSETS), name))
    for name in folders:
        for path, kept in _partition(data / name, target / name).items():
            yield f"{name}/{path}", kept


def _partition(source: Path, target: Path) -> dict[str, Kept]:
    """The segments of one partition. Compaction replaces them under their names: if it did meanwhile, they are copied once more."""
    for _ in range(_ATTEMPTS):
        before = _segments(source)
        try:
            found = {
                name: copied(source / name, target / name) for name in _BESIDE_SEGMENTS if (source / name).exists()
            }
            found |= {name: copied(source / name, target / name) for name in before}
        except FileNotFoundError:
            found = {}
        now = _segments(source)
        swapping = any(each.suffix == ".swap" for each in source.iterdir())
        # The one that was last may have become an earlier one, whole.
        same = all(name in now and was in (None, now[name]) for name, was in before.items())
        if found and same and not swapping:
            return found
        shutil.rmtree(target, ignore_errors=True)
        time.sleep(_PAUSE)
    raise OperatorError(f"{source} does not hold still for a copy", "try again")


def _segments(folder: Path) -> dict[str, tuple[int, int] | None]:
    """Which files stand under which names, the earliest first. The last segment grows, and is never replaced."""
    names = sorted(each.name for each in folder.iterdir() if each.suffix == ".log")
    others = [each.name for each in folder.glob("*.checkpoint")] if folder.name == _METADATA else []
    found = dict[str, tuple[int, int] | None]()
    for name in [*others, *names[:-1]]:
        try:
            status = (folder / name).stat()
        except FileNotFoundError:
            continue
        found[name] = status.st_ino, status.st_ctime_ns
    return found | dict.fromkeys(names[-1:])
