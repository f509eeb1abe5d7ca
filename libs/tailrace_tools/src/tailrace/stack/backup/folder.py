"""The folder of backups: what a whole backup is, which there are, whether their bytes are still what they were.

    <name>/manifest.json      a backup: every file of it with its size and SHA-256; the name is when it was taken
    <name>/postgres, kafka, keys
    series-<id>/wal, files    what has been recorded and uploaded since the first backup of one data folder
    series-<id>/moments.jsonl, contents.jsonl

A backup is made under a name that ends with `.part` and renamed when everything is on the disk, so one that was cut off never looks whole.
"""

import errno
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg

from tailrace.core.operator_error import OperatorError
from tailrace.core.private_files import write_private
from tailrace.stack.backup.series import Moment, Series
from tailrace.stack.layout import Layout

FORMAT = 1
"""Of what this release writes. One that is higher was written by a later release."""
MANIFEST = "manifest.json"
PART = ".part"
KEEP, EVERY = 7, 24
"""How many backups stay, and from which hour on the supervisor takes the next, unless somebody says otherwise."""
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """A file as it was when it was copied: bytes, and SHA-256 in hexadecimal."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What one backup says of itself. `files` are by their path within it."""

    name: str
    release: str
    postgres: str
    """The major version."""
    system: str
    """PostgreSQL's system identifier."""
    series: str
    moment: Moment
    """The earliest to go back to with it."""
    first_segment: str
    """From which on the log is needed."""
    services: list[str]
    files: dict[str, Kept] = field(repr=False)
    format: int = FORMAT

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(each.size for each in self.files.values())

    def save(self, folder: Path) -> None:
        write_private(folder / MANIFEST, json.dumps(asdict(self), indent=1, default=str) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "Manifest":
        """Raises `OperatorError` for one that cannot be read, or that a later release wrote."""
        try:
            raw: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
            if raw["format"] > FORMAT:
                raise OperatorError(
                    f"{folder} was written by a later release ({raw['release']})", "use that release, or a later one"
                )
            raw["moment"] = Moment.read(raw["moment"])
            raw["files"] = {path: Kept(**each) for path, each in raw["files"].items()}
            return cls(**raw)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise OperatorError(
                f"the manifest of {folder} cannot be read: {error!r}", "this is no backup, or a damaged one"
            ) from error


@dataclass(frozen=True)
class Backups:
    """All backups in one folder."""

    folder: Path

    @classmethod
    def of(cls, layout: Layout, given: Path | None) -> "Backups":
        """The folder that was named, else `$TAILRACE_BACKUPS`, else where the last backup of this data went, else one beside the data.

        Raises `OperatorError` for one within the data folder, which would go when that goes.
        """
        kept = Target.load(layout)
        named = given or os.environ.get("TAILRACE_BACKUPS") or (kept.folder if kept else None)
        folder = Path(named or layout.data.with_name(f"{layout.data.name}-backups")).expanduser().absolute()
        if folder.resolve().is_relative_to(layout.data.resolve()):
            raise OperatorError(f"{folder} lies in the data folder", "name one elsewhere, best on another disk: --into")
        return cls(folder)

    def create(self) -> None:
        """Make the folder; others cannot read it, since keys are in it. Raises `OperatorError`."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise OperatorError(f"{self.folder} cannot be made: {error.strerror}", "name another: --into") from error
        if not os.access(self.folder, os.W_OK):
            raise OperatorError(f"{self.folder} cannot be written", "name another: --into")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One backup at a time. Raises `OperatorError` while another is being made."""
        with (self.folder / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OperatorError(f"another backup is being made in {self.folder}", "wait for its end") from None
            yield

    def whole(self) -> list[Manifest]:
        """Every backup that came to its end, oldest first; those that cannot be read are left out unless all are such. Raises `OperatorError`."""
        whole, unreadable = self.all()
        if unreadable and not whole:
            raise unreadable[0]
        return whole

    def all(self) -> tuple[list[Manifest], list[OperatorError]]:
        """Every backup that came to its end, oldest first, and what is wrong with those that cannot be read. Raises `OperatorError`."""
        try:
            folders = sorted(each for each in self.folder.iterdir() if (each / MANIFEST).exists())
        except OSError as error:
            raise OperatorError(
                f"{self.folder} cannot be read: {error.strerror}", "name the folder of backups"
            ) from error
        whole, unreadable = list[Manifest](), list[OperatorError]()
        for each in folders:
            if each.suffix != PART:
                try:
                    whole.append(Manifest.load(each))
                except OperatorError as error:
                    unreadable.append(error)
        return whole, unreadable

    def cut_off(self) -> list[Path]:
        """What backups that did not come to their end left behind."""
        return sorted(self.folder.glob(f"*{PART}"))

    def series(self, name: str) -> Series:
        return Series(self.folder / f"series-{name}")

    def verify(self, manifest: Manifest, tell: Callable[[int], None] = lambda done: None) -> list[str]:
        """What is wrong with a backup and with the log behind it, in sentences; nothing when it is whole. Reads every byte."""
        folder, found = self.folder / manifest.name, list[str]()
        for path, kept in manifest.files.items():
            if (fault := fault_of(folder / path, kept)) is not None:
                found.append(fault)
            tell(kept.size)
        series = self.series(manifest.series)
        moments = [each for each in series.moments() if each.at >= manifest.moment.at]
        last = moments[-1] if moments else manifest.moment
        found += series.gaps(manifest.first_segment, last.segment)
        for path, (kept_size, sha256) in series.contents().items():
            if not series.needed(path, manifest.first_segment):
                continue
            if (fault := fault_of(series.folder / path, Kept(kept_size, sha256))) is not None:
                found.append(fault)
            tell(kept_size)
        return found

    def prune(self, keep: int) -> list[str]:
        """Delete all but the newest `keep` backups, and what of the log only they needed; returns the names that went."""
        backups = self.whole()
        gone = backups[:-keep]
        for manifest in gone:
            # Without its manifest it is no backup, however far this comes.
            (self.folder / manifest.name / MANIFEST).unlink()
            shutil.rmtree(self.folder / manifest.name)
        kept = backups[-keep:]
        for name in {manifest.series for manifest in backups}:
            of_it = [manifest for manifest in kept if manifest.series == name]
            if of_it:
                self.series(name).forget_before(of_it[0].first_segment, of_it[0].moment.at)
            else:
                shutil.rmtree(self.series(name).folder)
        return [manifest.name for manifest in gone]


@dataclass(frozen=True)
class Target:
    """Where the moments of a data folder go, kept within it. A restored folder has none: its first backup begins a series of its own."""

    folder: str
    series: str
    keep: int = KEEP
    """How many backups stay."""
    every: int = EVERY
    """Hours after which the supervisor takes another; 0 for never."""

    @staticmethod
    def path(layout: Layout) -> Path:
        return layout.data / "backup.json"

    @classmethod
    def load(cls, layout: Layout) -> "Target | None":
        """Raises ValueError for what is no such file."""
        try:
            said = json.loads(cls.path(layout).read_text())
        except FileNotFoundError:
            return None
        known = {each.name for each in fields(cls)}
        # Of before anybody could say when the next is taken: by hand, as until then.
        return cls(**{"every": 0, **{name: value for name, value in said.items() if name in known}})

    def save(self, layout: Layout) -> None:
        write_private(self.path(layout), json.dumps(asdict(self)) + "\n")


def fault_of(path: Path, kept: Kept) -> str | None:
    """What is wrong with a file, in a sentence, or None."""
    try:
        size = path.stat().st_size
        if size != kept.size:
            return f"{path} has {size:,} bytes and had {kept.size:,}"
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    return None if found == kept.sha256 else f"{path} holds other bytes than were written"


def copied(source: Path, target: Path) -> Kept:
    """Copy a file, as far as it reaches now, readable by nobody else. Raises FileNotFoundError when there is none, OSError."""
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as reading:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as writing:
            left = os.fstat(reading.fileno()).st_size
            while left and (chunk := reading.read(min(left, _CHUNK))):
                writing.write(chunk)
                digest.update(chunk)
                size, left = size + len(chunk), left - len(chunk)
    return Kept(size, digest.hexdigest())


def room_for(folder: Path, size: int) -> None:
    """Raises `OperatorError` unless so many bytes, and a little more, fit there."""
    free = shutil.disk_usage(folder).free
    if free < (wanted := size + size // 20 + (64 << 20)):
        raise OperatorError(
            f"{folder} has {free / 1e9:.2f} GB free, and {wanted / 1e9:.2f} GB are needed",
            "free some space, or name a folder on another disk",
        )


@contextmanager
def in_words(folder: Path) -> Iterator[None]:
    """What goes wrong with disks and servers, for a person: raises `OperatorError`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise OperatorError(f"no space is left in {folder}", "free some, or name a folder elsewhere") from error
        where = error.filename or folder
        raise OperatorError(
            f"{where}: {error.strerror or error!r}", "see: tailrace status, and whether the disk is there"
        ) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise OperatorError(f"PostgreSQL refuses: {error}", "see: tailrace logs postgres") from error


def when(name: datetime) -> str:
    """A moment as the name of a backup."""
    return name.strftime("%Y%m%dT%H%M%SZ")
