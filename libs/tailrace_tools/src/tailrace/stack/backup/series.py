"""What has happened since the first backup of one data folder: PostgreSQL's log, segment by segment, and the files of the object store.

A moment is complete when its line is written: the log up to its restore point is here, and so is every file that a row of that moment names.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

PACKED = ".gz"
_SEGMENTS = 256
"""Segments of 16 MB in what PostgreSQL calls a log file."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A restore point by name. `at` is of the database's clock; `segment` is the one that it lies in, the last that is needed."""

    name: str
    at: datetime
    lsn: str
    segment: str

    @classmethod
    def read(cls, raw: dict[str, Any]) -> "Moment":
        return cls(**{**raw, "at": datetime.fromisoformat(raw["at"])})

    @property
    def timeline(self) -> int:
        return int(self.segment[:8], 16)


@dataclass(frozen=True)
class Series:
    folder: Path

    @property
    def wal(self) -> Path:
        return self.folder / "wal"

    @property
    def files(self) -> Path:
        return self.folder / "files"

    def create(self) -> None:
        for each in (self.folder, self.wal, self.files):
            each.mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One writer at a time; another waits."""
        with (self.folder / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def moments(self) -> list[Moment]:
        """Complete ones, oldest first."""
        return sorted((Moment.read(raw) for raw in _lines(self.folder / "moments.jsonl")), key=lambda each: each.at)

    def add_moment(self, moment: Moment) -> None:
        """The last step: what it needs is on the disk."""
        _append(self.folder / "moments.jsonl", {**asdict(moment), "at": moment.at.isoformat()})

    def contents(self) -> dict[str, tuple[int, str]]:
        """Size and SHA-256 by path; the last word about a path counts."""
        return {path: (raw["size"], raw["sha256"]) for path, raw in self._known().items()}

    def modified(self) -> dict[str, int]:
        """When each of the object store's files was last modified, in nanoseconds of the Unix epoch, by path."""
        return {path: raw["modified"] for path, raw in self._known().items() if "modified" in raw}

    def take_segments(self, spool: Path) -> None:
        """Move what PostgreSQL has archived here."""
        for source in sorted(spool.glob(f"*{PACKED}")):
            self._take(source, f"wal/{source.name}")
            source.unlink()

    def take_files(self, store: Path, now: datetime) -> None:
        """Copy what is new in the object store's folder, and note what is gone. A file is written once; half of one has `#` in its name."""
        known, seen = self._known(), set[str]()
        for folder, _, names in os.walk(store):
            for name in names:
                source = Path(folder, name)
                path = f"files/{source.relative_to(store).as_posix()}"
                seen.add(path)
                with suppress(FileNotFoundError):  # it was deleted meanwhile
                    status, before = source.stat(), known.get(path, {})
                    same = (before.get("modified"), before.get("size")) == (status.st_mtime_ns, status.st_size)
                    if "#" not in name and (not same or "gone" in before):
                        self._take(source, path, modified=status.st_mtime_ns)
        for path, raw in known.items():
            if path.startswith("files/") and path not in seen and "gone" not in raw:
                _append(self.folder / "contents.jsonl", {**raw, "gone": now.isoformat()})

    def has_segment(self, name: str) -> bool:
        return (self.wal / f"{name}{PACKED}").exists()

    def segments(self, first: str, last: str) -> list[str]:
        """The names from the first to the last, of one timeline."""
        start, end = _number(first), _number(last)
        return [f"{first[:8]}{number // _SEGMENTS:08X}{number % _SEGMENTS:08X}" for number in range(start, end + 1)]

    def gaps(self, first: str, last: str) -> list[str]:
        """What is missing of the log, in sentences."""
        return [
            f"segment {name} of the log is missing in {self.wal}"
            for name in self.segments(first, last)
            if not self.has_segment(name)
        ]

    @staticmethod
    def needed(path: str, first: str) -> bool:
        """Whether a file counts for who begins with that segment."""
        name = path.removeprefix("wal/")
        return name == path or name[:24] >= first

    def forget_before(self, first: str, oldest: datetime) -> None:
        """Delete segments before that one, moments before that time, and files of the object store that were gone by then."""
        with self.alone():
            known = self._known()
            gone = {
                path for path, raw in known.items() if "gone" in raw and datetime.fromisoformat(raw["gone"]) < oldest
            }
            lines = [raw for path, raw in known.items() if path not in gone and self.needed(path, first)]
            _write(self.folder / "contents.jsonl", lines)
            for path in gone:
                (self.folder / path).unlink(missing_ok=True)
            _write(
                self.folder / "moments.jsonl",
                [raw for raw in _lines(self.folder / "moments.jsonl") if datetime.fromisoformat(raw["at"]) >= oldest],
            )
            for segment in self.wal.iterdir():
                if segment.name[:24] < first and not segment.name.endswith(f".history{PACKED}"):
                    segment.unlink()

    def _known(self) -> dict[str, dict[str, Any]]:
        return {raw["path"]: raw for raw in _lines(self.folder / "contents.jsonl")}

    def _take(self, source: Path, path: str, **more: int) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = target.with_name(f"{target.name}.part")
        digest = hashlib.sha256()
        with source.open("rb") as reading, os.fdopen(_private(part), "wb") as writing:
            while chunk := reading.read(1 << 20):
                writing.write(chunk)
                digest.update(chunk)
            size = writing.tell()
            writing.flush()
            os.fsync(writing.fileno())
        part.replace(target)
        _append(self.folder / "contents.jsonl", {"path": path, "size": size, "sha256": digest.hexdigest(), **more})


def _private(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)


def _number(segment: str) -> int:
    return int(segment[8:16], 16) * _SEGMENTS + int(segment[16:24], 16)


def _lines(path: Path) -> list[dict[str, Any]]:
    """A last line that was cut off counts for nothing."""
    try:
        text = path.read_text()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def _append(path: Path, line: dict[str, Any]) -> None:
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "rb+") as file:
        end = file.seek(0, os.SEEK_END)
        whole = 0
        if end:
            file.seek(max(0, end - 65536))
            tail = file.read()
            whole = end - len(tail) + tail.rfind(b"\n") + 1
        file.seek(whole)
        file.truncate()
        file.write(json.dumps(line).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _write(path: Path, lines: list[dict[str, Any]]) -> None:
    part = path.with_name(f"{path.name}.part")
    with os.fdopen(_private(part), "w") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
