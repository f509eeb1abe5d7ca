"""The next backup by itself: the supervisor takes one when the newest is as old as was asked for, while moments go on beside it."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tailrace.core.operator_error import OperatorError
from tailrace.stack.backup import take
from tailrace.stack.backup.folder import Backups, Manifest, Target
from tailrace.stack.credentials import Credentials
from tailrace.stack.plan import Plan

log = logging.getLogger("tailrace.backup")

LOOKS = 60.0
"""Seconds between two looks at how old the newest is."""
LATER = 900.0
"""Seconds after one that failed: what a full disk keeps from being made is not copied again each minute."""


async def keep_backups(plan: Plan, credentials: Credentials, looks: float = LOOKS, later: float = LATER) -> None:
    """Take each when it is due, for a data folder that has a first one; until cancelled."""
    while True:
        pause = looks
        try:
            taken = await keep_backup(plan, credentials)
            if taken is not None:
                log.info("backup %s is whole: %d files, %d bytes", taken.name, len(taken.files), taken.size)
        except Exception as error:
            # Whatever it is: who asked for one each day is told, and the next may come to its end.
            log.warning("no backup, tried again in %.0f s: %s", later, error if str(error) else type(error).__name__)
            pause = later
        await asyncio.sleep(pause)


async def keep_backup(plan: Plan, credentials: Credentials) -> Manifest | None:
    """One, where it is due. Raises `OperatorError` when the folder is gone, as with a disk that is not mounted, and what taking one does."""
    target = Target.load(plan.layout)
    if target is None or not target.every:
        return None
    newest = await asyncio.to_thread(_newest_there, target)
    if newest is not None and datetime.now(UTC) - newest < timedelta(hours=target.every):
        return None
    return (await take.take(plan, credentials, Backups(Path(target.folder)), log.info)).manifest


def _newest_there(target: Target) -> datetime | None:
    if not Backups(Path(target.folder)).series(target.series).folder.is_dir():
        raise OperatorError(f"{target.folder} is gone", "mount it again, or begin another: tailrace backup")
    return newest_of(target)


def newest_of(target: Target) -> datetime | None:
    """When the newest backup of this data folder was whole. Raises `OperatorError`."""
    whole = Backups(Path(target.folder)).whole()
    return max((each.moment.at for each in whole if each.series == target.series), default=None)
