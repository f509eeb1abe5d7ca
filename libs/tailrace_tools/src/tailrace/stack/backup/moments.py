"""From its first backup on, a data folder sends its log and its files after it: every half minute a moment to go back to.

PostgreSQL packs each segment of its log into a spool beside its files, which its account can always reach. The supervisor, whose folder the
backups are in, moves it on. A restore point is written, then the store's files are copied, then the segment is closed and waited for: whatever a
row at the restore point names was uploaded before it, so it is there.
"""

import asyncio
import logging
import os
import shlex
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from tailrace.core.operator_error import OperatorError
from tailrace.stack.backup.folder import Backups, Target
from tailrace.stack.backup.series import PACKED, Moment, Series
from tailrace.stack.credentials import Credentials
from tailrace.stack.layout import Layout
from tailrace.stack.plan import Plan

log = logging.getLogger("tailrace.backup")

EVERY = 30.0
"""Seconds from moment to moment: what a lost machine takes with it, at most, besides the seconds that one takes."""
RENEWED = timedelta(days=6)
"""After which a backup is too old: outboxes, which make up for what its copy of Kafka does not hold, retain seven days."""
LATE = 180.0
"""Seconds after which the newest moment is too old."""
SPOOL = "postgres-wal"
_WITHIN = 60.0
_ARCHIVE = "gzip -cn1 %p > {spool}/%f.part && sync {spool}/%f.part && mv {spool}/%f.part {spool}/%f" + PACKED
_SETTINGS = ("archive_command", "archive_timeout")


def spool_of(layout: Layout) -> Path:
    """Beside the cluster's files, wherever these lie."""
    return (layout.data / "postgres").resolve().with_name(SPOOL)


async def begin_archive(connection: Any, spool: Path) -> None:
    """Have every segment packed into the spool from now on; a second time it changes nothing. Needs no restart."""
    quoted = shlex.quote(str(spool)).replace("%", "%%")
    for name, value in zip(_SETTINGS, (_ARCHIVE.format(spool=quoted), f"{2 * EVERY:.0f}s"), strict=True):
        await connection.execute(f"ALTER SYSTEM SET {name} = {_literal(value)}")
    await connection.execute("SELECT pg_reload_conf()")
    deadline = time.monotonic() + _WITHIN
    while str(spool) not in await connection.fetchval("SHOW archive_command"):
        if time.monotonic() > deadline:
            raise OperatorError(
                "PostgreSQL does not take up the settings of its archive", "see: tailrace logs postgres"
            )
        await asyncio.sleep(0.05)


async def end_archive(connection: Any) -> None:
    for name in _SETTINGS:
        await connection.execute(f"ALTER SYSTEM RESET {name}")
    await connection.execute("SELECT pg_reload_conf()")


async def make_moment(connection: Any, series: Series, spool: Path, store: Path | None) -> Moment:
    """One moment to go back to; it is complete when this returns. `connection` is the superuser's.

    Raises `OperatorError` when PostgreSQL does not archive, OSError and asyncpg's errors.
    """
    name = f"moment-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    row = await connection.fetchrow("SELECT pg_create_restore_point($1)::text AS lsn, clock_timestamp() AS at", name)
    # Going back to a time ends at the first commit after it, so one follows.
    await connection.execute("SELECT pg_current_xact_id()")
    segment = await connection.fetchval("SELECT pg_walfile_name(pg_switch_wal())")
    moment = Moment(name, row["at"], row["lsn"], segment)
    await asyncio.to_thread(_take_files, series, store, moment.at)
    deadline = time.monotonic() + _WITHIN
    while not series.has_segment(segment):
        await asyncio.to_thread(_take_segments, series, spool)
        if time.monotonic() > deadline:
            failed = await connection.fetchval("SELECT last_failed_wal FROM pg_stat_archiver")
            raise OperatorError(
                f"segment {segment} of PostgreSQL's log was not archived within {_WITHIN:.0f} s"
                + (f"; {failed} could not be" if failed else ""),
                "see: tailrace logs postgres",
            )
        await asyncio.sleep(0.1)
    await asyncio.to_thread(_add, series, moment)
    return moment


async def keep_moments(plan: Plan, credentials: Credentials, every: float = EVERY) -> None:
    """Make one every so many seconds, for a data folder that has a backup; until cancelled."""
    while True:
        began = time.monotonic()
        try:
            await keep_moment(plan, credentials)
        except (OSError, ValueError, OperatorError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("no moment to go back to: %s", error if str(error) else type(error).__name__)
        await asyncio.sleep(max(0.0, every - (time.monotonic() - began)))


async def keep_moment(plan: Plan, credentials: Credentials) -> Moment | None:
    """One, where there is a backup to continue."""
    target = Target.load(plan.layout)
    if target is None:
        return None
    folder = Path(target.folder)
    series = Backups(folder).series(target.series)
    if not series.folder.is_dir():
        raise OperatorError(f"{series.folder} is gone", "mount it again, or begin another: tailrace backup")
    connection = await asyncpg.connect(plan.postgres_url(credentials), timeout=10)
    try:
        return await make_moment(connection, series, spool_of(plan.layout), store_of(plan))
    finally:
        await connection.close(timeout=5)


def store_of(plan: Plan) -> Path | None:
    """The folder of the object store; None when that is a bucket, which keeps its own copies."""
    from tailrace.settings import settings_from

    settings = settings_from({"TAILRACE_DATA": str(plan.layout.data), **_storage(plan)})
    return None if urlsplit(settings.storage).scheme else Path(settings.storage or settings.data / "files").absolute()


def _storage(plan: Plan) -> dict[str, str]:
    given = plan.extra.get("TAILRACE_STORAGE") or os.environ.get("TAILRACE_STORAGE")
    return {"TAILRACE_STORAGE": given} if given else {}


def _take_files(series: Series, store: Path | None, at: datetime) -> None:
    if store is not None:
        with series.alone():
            series.take_files(store, at)


def _take_segments(series: Series, spool: Path) -> None:
    with series.alone():
        series.take_segments(spool)


def _add(series: Series, moment: Moment) -> None:
    with series.alone():
        series.add_moment(moment)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
