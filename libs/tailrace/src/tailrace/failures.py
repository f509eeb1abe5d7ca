"""Failures have classes: one that passes by itself is waited out and parks nothing; any other is the message's own fault."""

import re

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError

# asyncpg's InterfaceError stands for a connection that is gone, and also for a statement that no server would take, which stays wrong.
_MISUSE = re.compile("number of query arguments|the server expects")
# SQLSTATE classes and codes that say nothing about the statement: connection, rollback, resources, operator, system (PostgreSQL manual, appendix A).
_TRANSIENT_STATES = ("08", "40", "53", "57", "58", "55P03", "25006", "XX000")
_UNSTORABLE = {"22000", "22003", "22007", "22008", "22021", "22P02", "22P05"}


class NotYet(Exception):
    """A fact of another topic that this one builds on has not arrived. The event waits, alone, and is tried again."""


def is_transient(error: BaseException) -> bool:
    """Whether trying the same again, later, may succeed: connections, locks, time-outs, writers that collided."""
    if isinstance(error, StaleDataError | PoolTimeout | OSError | TimeoutError):
        return True
    if isinstance(error, DBAPIError):
        if error.connection_invalidated or isinstance(error, OperationalError):
            return True
        if isinstance(error, InterfaceError):
            return _MISUSE.search(str(error.orig)) is None
        return _state(error.orig).startswith(_TRANSIENT_STATES)
    return isinstance(error, asyncpg.PostgresConnectionError | asyncpg.InterfaceError)


def is_conflict(error: BaseException) -> bool:
    """Whether two writers collided (stale version, serialization failure, deadlock), so that starting over at once may succeed."""
    if isinstance(error, StaleDataError):
        return True
    return isinstance(error, DBAPIError) and _state(error.orig).startswith("40")


def is_unstorable(error: BaseException) -> bool:
    """Whether a value that was sent is one that PostgreSQL cannot hold: NUL in a text, a number or time out of range (SQLSTATE class 22)."""
    return isinstance(error, DBAPIError) and _state(error.orig) in _UNSTORABLE


def _state(error: BaseException | None) -> str:
    return str(getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or "")
