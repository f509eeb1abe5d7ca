"""A data folder made from a backup, at a moment, on this machine or another; `tailrace up` goes on from there.

PostgreSQL is rolled forward to the moment. Kafka's copy is from before it: what the outboxes hold and the copy does not is published as it was the
first time, with the epochs and sequences that readers' marks know, so that who heard it passes over it. The new timeline then makes the start
begin a new epoch, as for any database that was put back, since the world outside may know events of after the moment.
"""

import asyncio
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tailrace.core.operator_error import OperatorError
from tailrace.stack.accounts import Account
from tailrace.stack.artifacts import Lock, cache_folder
from tailrace.stack.backup.folder import Backups, Kept, Manifest, copied, in_words, room_for
from tailrace.stack.backup.moments import SPOOL
from tailrace.stack.backup.series import PACKED, Moment, Series
from tailrace.stack.backup.take import release
from tailrace.stack.embedded import Stack
from tailrace.stack.layout import Layout
from tailrace.stack.plan import service_names
from tailrace.stack.postgres import Postgres

Say = Callable[[str], None]
_OURS = ("restore_command", "recovery_target", "hot_standby", "archive_command", "archive_timeout")
"""What in `postgresql.auto.conf` is of one run, or of another data folder."""


@dataclass(frozen=True)
class Choice:
    """What to restore: a backup, and either one of its moments, or a time before that."""

    manifest: Manifest
    moment: Moment
    """The log is needed up to here."""
    at: datetime | None = None

    @property
    def reached(self) -> datetime:
        return self.at or self.moment.at


@dataclass(frozen=True)
class Restored:
    choice: Choice
    published: dict[str, int]
    """Rows by service that Kafka's copy did not hold."""
    lost: dict[str, int]
    """Events by service that it holds and the database does not: none, unless clocks or files were interfered with."""


def choose(backups: Backups, at: datetime | None) -> Choice:
    """The newest backup that reaches the time, or the newest moment of all. Raises `OperatorError` when none does."""
    whole = backups.whole()
    if not whole:
        raise OperatorError(f"there is no backup in {backups.folder}", "name the folder of backups: --from")
    known = {name: backups.series(name).moments() for name in {manifest.series for manifest in whole}}
    reaching = [(manifest, _after(manifest, known[manifest.series])) for manifest in whole]
    if at is None:
        manifest, after = max(reaching, key=lambda each: each[1][-1].at)
        return Choice(manifest, after[-1])
    fitting = [(manifest, after) for manifest, after in reaching if manifest.moment.at <= at <= after[-1].at]
    if not fitting:
        spans = "; ".join(f"{m.moment.at:%Y-%m-%dT%H:%M:%SZ} to {a[-1].at:%Y-%m-%dT%H:%M:%SZ}" for m, a in reaching)
        raise OperatorError(
            f"no backup reaches {at:%Y-%m-%dT%H:%M:%SZ}", f"those that there are reach from {spans}; or take --latest"
        )
    manifest, after = max(fitting, key=lambda each: each[0].moment.at)
    moment = next(each for each in after if each.at >= at)
    return Choice(manifest, moment, None if moment.at == at else at)


def reaches(manifest: Manifest, backups: Backups) -> datetime:
    """The last moment that it can be restored to."""
    return _after(manifest, backups.series(manifest.series).moments())[-1].at


def _after(manifest: Manifest, moments: list[Moment]) -> list[Moment]:
    """Its own moment and those that followed, as long as the server ran on the same timeline."""
    later = [each for each in moments if each.at > manifest.moment.at and each.timeline == manifest.moment.timeline]
    return [manifest.moment, *later]


def check(choice: Choice, backups: Backups, layout: Layout) -> None:
    """Raises `OperatorError` when it cannot be restored there. Writes nothing."""
    if layout.data.exists() and (there := [each for each in layout.data.iterdir() if each.name != "lost+found"]):
        raise OperatorError(
            f"{layout.data} is not empty: {there[0].name} is in it",
            "a backup is restored into an empty folder: move this one away, or set TAILRACE_DATA to another",
        )
    manifest = choice.manifest
    if _numbers(manifest.release) > _numbers(release()):
        raise OperatorError(
            f"the backup is of release {manifest.release}, and this is {release()}", "restore it with that release"
        )
    if absent := sorted(set(manifest.services) - set(service_names())):
        raise OperatorError(
            f"the backup holds services that are not installed here: {', '.join(absent)}", "install them first"
        )
    if gaps := backups.series(manifest.series).gaps(manifest.first_segment, choice.moment.segment):
        raise OperatorError(gaps[0], "restore an earlier moment: --at")
    existing = next(folder for folder in (layout.data, *layout.data.parents) if folder.exists())
    room_for(existing, 2 * manifest.size)


def restore(choice: Choice, backups: Backups, layout: Layout, say: Say) -> Restored:
    """Raises `OperatorError`; what was written until then is of no use, and `tailrace up` refuses it."""
    with in_words(layout.data):
        return _restore(choice, backups, layout, say)


def _restore(choice: Choice, backups: Backups, layout: Layout, say: Say) -> Restored:
    layout.create()
    layout.restoring.touch()
    manifest, source = choice.manifest, backups.folder / choice.manifest.name
    series = backups.series(manifest.series)
    say(f"copying backup {manifest.name}, {manifest.size / 1e6:,.0f} MB")
    keys = layout.data
    _take(manifest, source, "keys", keys)
    _take(manifest, source, "kafka", layout.data / "kafka")
    _take_files(series, layout, choice.reached)
    cluster = Postgres.locate(Lock.load(), cache_folder(layout.data), layout.data, 0)
    if cluster.shipped_version != manifest.postgres:
        raise OperatorError(
            f"the backup is of PostgreSQL {manifest.postgres}, this release ships {cluster.shipped_version}",
            f"restore it with release {manifest.release}",
        )
    _lay_cluster(choice, source, series, cluster)
    say(f"rolling PostgreSQL forward to {choice.reached:%Y-%m-%d %H:%M:%S} UTC")
    published, lost = dict[str, int](), dict[str, int]()
    with_kafka = any(path.startswith("kafka/") for path in manifest.files)
    with Stack(layout.data, only="kafka" if with_kafka else "postgres") as stack:
        if with_kafka:
            published, lost = asyncio.run(_reconcile(stack, say))
    _settings(cluster.data, cluster.account, [])
    shutil.rmtree(cluster.data.with_name(SPOOL))
    layout.restoring.unlink()
    return Restored(choice, published, lost)


def _take(manifest: Manifest, source: Path, part: str, target: Path) -> None:
    """Copy a part of the backup, and check each byte. Raises `OperatorError`."""
    for path, kept in manifest.files.items():
        if path.startswith(f"{part}/"):
            _checked(source / path, target / path.removeprefix(f"{part}/"), kept)


def _checked(source: Path, target: Path, kept: Kept) -> None:
    try:
        found = copied(source, target)
    except FileNotFoundError:
        found = None
    if found != kept:
        raise OperatorError(f"{source} is not what was backed up", "restore another backup: tailrace backup list")


def _take_files(series: Series, layout: Layout, until: datetime) -> None:
    """The object store as of then. Those of after it are not named by any row."""
    sums = series.contents()
    for path, modified in series.modified().items():
        if modified <= until.timestamp() * 1e9:
            target = layout.data / path
            _checked(series.folder / path, target, Kept(*sums[path]))
            os.utime(target, ns=(modified, modified))


def _lay_cluster(choice: Choice, source: Path, series: Series, cluster: Postgres) -> None:
    """The cluster's files, the log that it needs, and how far to go."""
    manifest, data, spool = choice.manifest, cluster.data, cluster.data.with_name(SPOOL)
    data.mkdir(exist_ok=True, mode=0o700)
    _take(manifest, source, "postgres", data)
    for folder in sorted(each for each in (source / "postgres").rglob("*") if each.is_dir()):
        (data / folder.relative_to(source / "postgres")).mkdir(exist_ok=True, mode=0o700)
    spool.mkdir(mode=0o700)
    sums = series.contents()
    for name in series.segments(manifest.first_segment, choice.moment.segment):
        path = f"wal/{name}{PACKED}"
        _checked(series.folder / path, spool / f"{name}{PACKED}", Kept(*sums[path]))
    target = (
        f"recovery_target_name = '{choice.moment.name}'"
        if choice.at is None
        else f"recovery_target_time = '{choice.at.astimezone(UTC).isoformat()}'"
    )
    here = str(spool).replace("%", "%%").replace("'", "''")
    command = f'test -f "{here}/%f{PACKED}" && gzip -dc "{here}/%f{PACKED}" > "%p"'
    settings = [
        f"restore_command = '{command}'",
        target,
        f"recovery_target_timeline = '{manifest.moment.timeline}'",
        "recovery_target_action = 'promote'",
        # With it, the server says that it is ready while it is still on its way.
        "hot_standby = 'off'",
    ]
    _settings(data, cluster.account, settings)
    (data / "recovery.signal").touch()
    for each in (spool, *spool.rglob("*"), data, *data.rglob("*")):
        cluster.account.own(each)


def _settings(data: Path, account: Account, lines: list[str]) -> None:
    """What was set by ALTER SYSTEM stays, but for what is of one run."""
    path = data / "postgresql.auto.conf"
    kept = [line for line in path.read_text().splitlines() if not line.startswith(_OURS)]
    path.write_text("\n".join([*kept, *lines]) + "\n")
    account.own(path)


async def _reconcile(stack: Stack, say: Say) -> tuple[dict[str, int], dict[str, int]]:
    """Publish what the outboxes hold and Kafka's copy does not, under the epochs that it was recorded in."""
    import asyncpg

    from tailrace.capture import history, slots
    from tailrace.capture.reconcile import compare
    from tailrace.capture.republish import republish
    from tailrace.runtime.fleet import load_services
    from tailrace.runtime.provision import prepare_topics
    from tailrace.settings import settings_from

    settings, services = settings_from(stack.environment), load_services()
    await prepare_topics(services, settings, lambda part, phase, detail: None)
    published, lost = dict[str, int](), dict[str, int]()
    connection = await asyncpg.connect(stack.postgres_url, timeout=10)
    try:
        there = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
    finally:
        await connection.close(timeout=5)
    for service in services:
        if service.topic is None or service.name not in there:
            continue
        try:
            async with slots.connected(service, settings) as connection:
                found = await history.look(connection, service, None)
                difference = await compare(connection, service, settings.kafka, found.epoch)
                rows = await republish(connection, service, settings.kafka, difference.since, say, difference.unheard)
        except asyncpg.UndefinedTableError:
            continue  # it was being installed then
        if rows:
            published[service.name] = rows
            say(f"{service.name}: {rows:,} events of after Kafka's copy are published again")
        if difference.lost:
            lost[service.name] = len(difference.lost)
    return published, lost


def _numbers(release: str) -> list[int]:
    return [int(part) for part in release.split(".") if part.isdigit()]
