"""Backups of the embedded stack, in one folder: base backups of PostgreSQL, its log segment by segment as it is written, topics, files and secrets.

```
base/20260301T120000Z/   postgres, files, secrets.json, ports.json, backup.json
wal/                     a compressed file for each segment of the log, at most `SEGMENT_WITHIN` seconds old
topics/20260301T115959Z/ what the topics got since the backup before
```

A base backup is taken while everything runs, by PostgreSQL's own low-level interface. All services' databases are on one server, so rolled forward
they are all of one moment. Topics are copied first: whatever they hold then is in the databases by the time that the base backup ends.
"""

import asyncio
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from tailrace.core.operator_error import OperatorError
from tailrace.stack.accounts import Account
from tailrace.stack.layout import Layout

SEGMENT_WITHIN = 30
"""Seconds after which a segment of the log that holds anything is archived though it is not full: what a lost machine takes along at most."""
VARIABLE = "TAILRACE_BACKUPS"
_PLAIN = re.compile(r"[A-Za-z0-9 _./@:+-]+")
# What PostgreSQL's manual says a base backup leaves out (26.3.4.4); slots above all, which would hold a log that is not there.
_EMPTIED = {
    "pg_wal", "pg_replslot", "pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans",
}  # fmt: skip
_LEFT_OUT = {"postmaster.pid", "postmaster.opts", "recovery.signal", "standby.signal", "backup_label"}
ARCHIVING = """\
archive_mode = on
archive_timeout = {within}
archive_command = 'if test -f "{wal}/%f.gz"; then gzip -dc "{wal}/%f.gz" | cmp -s - "%p"; else gzip -1 -n -c "%p" > "{wal}/%f.part" && sync "{wal}/%f.part" && mv "{wal}/%f.part" "{wal}/%f.gz"; fi'
"""  # noqa: E501


@dataclass(frozen=True)
class Base:
    """One base backup. `wal_from` is the first segment of the log that it needs; times in UTC."""

    name: str
    made_at: str
    wal_from: str
    position: str
    seconds: float


@dataclass(frozen=True)
class Archive:
    """A folder of backups."""

    folder: Path

    @classmethod
    def named(cls, folder: Path) -> "Archive":
        """Raises `OperatorError` for a name that cannot stand in PostgreSQL's settings."""
        folder = folder.expanduser().absolute()
        if not _PLAIN.fullmatch(str(folder)):
            raise OperatorError(
                f"{folder} cannot be a folder of backups", "choose a name of letters, digits and . _ - / @ : +"
            )
        return cls(folder)

    @property
    def wal(self) -> Path:
        return self.folder / "wal"

    @property
    def topics(self) -> Path:
        return self.folder / "topics"

    def create(self, account: Account) -> None:
        """Make the folders; PostgreSQL's account writes into one of them. Raises `OperatorError` when it cannot get there."""
        for folder in (self.folder, self.folder / "base", self.topics, self.wal):
            folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o711 if not account.is_caller else 0o700)
        for folder in (self.folder / "base", self.topics, self.wal):
            folder.chmod(0o700)
        account.own(self.wal)
        if not account.can_cross(self.folder):
            raise OperatorError(
                f"PostgreSQL, which runs as uid {account.uid}, cannot reach {self.wal}",
                f"set {VARIABLE} to a folder that others may cross",
            )

    def settings(self) -> str:
        """Lines of postgresql.conf."""
        return ARCHIVING.format(within=f"{SEGMENT_WITHIN}s", wal=self.wal)

    def recovery(self, until: datetime | None) -> str:
        """Lines of postgresql.auto.conf with which a base backup is rolled forward, to the end of the log or to a moment."""
        lines = [f"""restore_command = 'gzip -dc "{self.wal}/%f.gz" > "%p"'""", "recovery_target_action = 'promote'"]
        lines += [f"recovery_target_time = '{until.astimezone(UTC).isoformat()}'"] if until else []
        return "".join(f"{line}\n" for line in lines)

    def bases(self) -> list[Base]:
        """Those that are complete, oldest first."""
        found = sorted((self.folder / "base").glob("*/backup.json"))
        return [Base(**json.loads(file.read_text())) for file in found]

    def base_for(self, until: datetime | None) -> Base:
        """The newest one that can be rolled forward to that moment. Raises `OperatorError` when there is none."""
        fitting = [base for base in self.bases() if until is None or datetime.fromisoformat(base.made_at) <= until]
        if not fitting:
            raise OperatorError(f"{self.folder} holds no backup from before that", "see: tailrace backup --list")
        return fitting[-1]

    async def take(self, postgres_url: str, layout: Layout) -> Base:
        """A base backup of the server whose data is in `layout`, while it runs. Returns when every segment that it needs is archived."""
        began = datetime.now(UTC)
        name = f"{began:%Y%m%dT%H%M%SZ}"
        building = self.folder / "base" / f"{name}.part"
        building.mkdir(mode=0o700)
        connection = await asyncpg.connect(postgres_url)
        try:
            if await connection.fetchval("SHOW archive_mode") != "on":
                raise OperatorError("PostgreSQL archives nothing", f"start the stack with {VARIABLE} set")
            position = await connection.fetchval("SELECT pg_backup_start($1, fast => true)::text", f"tailrace {name}")
            wal_from = await connection.fetchval("SELECT pg_walfile_name($1::text::pg_lsn)", position)
            await asyncio.to_thread(_copy_cluster, (layout.data / "postgres").resolve(), building / "postgres")
            stopped = await connection.fetchrow(
                "SELECT labelfile FROM pg_backup_stop(wait_for_archive => true)", timeout=300
            )
        finally:
            await connection.close()
        (building / "postgres" / "backup_label").write_text(stopped["labelfile"])
        await asyncio.to_thread(_copy_rest, layout, building)
        seconds = (datetime.now(UTC) - began).total_seconds()
        base = Base(name, datetime.now(UTC).isoformat(), wal_from, position, seconds)
        (building / "backup.json").write_text(json.dumps(asdict(base), indent=1))
        building.rename(building.with_suffix(""))
        return base

    def thin_out(self, keep: int) -> None:
        """Delete all but the newest base backups, and the segments that only the others needed."""
        bases = self.bases()
        for base in bases[:-keep]:
            shutil.rmtree(self.folder / "base" / base.name)
        needed = min((base.wal_from[8:24] for base in bases[-keep:]), default="")
        for file in self.wal.glob("*.gz"):
            # History files have no position, and are few.
            if len(file.name.partition(".")[0]) == 24 and file.name[8:24] < needed:
                file.unlink()

    def lay_out(self, base: Base, layout: Layout, account: Account, cluster: Path, until: datetime | None) -> None:
        """Put a base backup where a stack that starts finds it, to be rolled forward. Raises `OperatorError` where data is."""
        self.create(account)
        # Who carried the backups here may have made them its own.
        for segment in self.wal.iterdir():
            account.own(segment)
        source = self.folder / "base" / base.name
        shutil.copytree(source / "postgres", cluster, dirs_exist_ok=True, symlinks=True)
        for empty in _EMPTIED:
            (cluster / empty).mkdir(exist_ok=True)
        for needed in ("pg_wal/archive_status", "pg_wal/summaries"):
            (cluster / needed).mkdir(exist_ok=True)
        with (cluster / "postgresql.auto.conf").open("a") as file:
            file.write(self.recovery(until))
        (cluster / "recovery.signal").touch()
        for path in (cluster, *cluster.rglob("*")):
            account.own(path)
        cluster.chmod(0o700)
        for name in ("secrets.json", "ports.json"):
            if (source / name).exists() and not (layout.data / name).exists():
                shutil.copy2(source / name, layout.data / name)
        if (source / "files").exists():
            shutil.copytree(source / "files", layout.data / "files", dirs_exist_ok=True)

    def forget_recovery(self, cluster: Path) -> None:
        """Take the lines of `recovery` out again, once it is done: the next start is an ordinary one."""
        path = cluster / "postgresql.auto.conf"
        lines = [
            line for line in path.read_text().splitlines() if not line.startswith(("restore_command", "recovery_"))
        ]
        path.write_text("".join(f"{line}\n" for line in lines))


def _copy_cluster(source: Path, target: Path) -> None:
    """A file that changes while it is copied is mended by the log, and one that vanishes was deleted in it."""
    target.mkdir(mode=0o700)
    for path in _files(source):
        place = target / path.relative_to(source)
        if path.is_dir():
            place.mkdir(exist_ok=True)
            continue
        try:
            shutil.copyfile(path, place)
        except FileNotFoundError:
            continue


def _files(folder: Path) -> Iterator[Path]:
    try:
        there = sorted(folder.iterdir())
    except FileNotFoundError:
        return
    for path in there:
        if path.name in _LEFT_OUT or path.name.startswith("pgsql_tmp"):
            continue
        yield path
        if path.is_dir() and path.name not in _EMPTIED:
            yield from _files(path)


def _copy_rest(layout: Layout, target: Path) -> None:
    """Files never change, so a copy that goes on while services run holds all that the databases name."""
    for name in ("secrets.json", "ports.json"):
        if (layout.data / name).exists():
            shutil.copy2(layout.data / name, target / name)
    if (layout.data / "files").exists():
        shutil.copytree(layout.data / "files", target / "files")
