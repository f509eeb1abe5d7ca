"""Failures have classes: what passes is waited out and leaves no dead letter; what may pass is tried a few times; any other would only repeat.

Passing: connections, locks, time-outs, collisions, a server that restarts or has no room. Uncertain: what says neither that it passes nor that it
does not. Any other, an error of the handler's own included, is the fault of what was tried.
"""

import errno
import re

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError

from tailrace.core.errors import Unavailable

# asyncpg's InterfaceError stands for a connection that is gone, and also for a statement that no server would take, which stays wrong.
_MISUSE = re.compile("number of query arguments|the server expects")

# SQLSTATE classes and codes (PostgreSQL manual, appendix A; a class is its first two characters).
# They say something about the connection, the server or another transaction, and nothing about the statement.
_PASSING_STATES = (
    "08",  # connection exception; a connection pool between us and PostgreSQL reports all its own trouble as 08P01
    "25006",  # read-only transaction: the server is a standby, or was made read-only for want of room
    "40",  # transaction rollback: serialization failure, deadlock, completion unknown
    "53000",  # insufficient resources
    "53100",  # disk full
    "53200",  # out of memory
    "53300",  # too many connections
    "55P03",  # lock not available, which is how a lock time-out ends
    "57",  # operator intervention: shutdown, crash, starting up, and a statement that was cancelled or took too long
    "58000",  # system error
    "58030",  # I/O error
)
_UNCERTAIN_STATES = (
    "0A000",  # a cached plan that a migration overtook; also a feature that does not exist
    "25P03",  # idle in a transaction for too long
    "25P04",  # a transaction that took too long
    "53400",  # a configured limit, such as that of temporary files
    "55006",  # object in use
    "58P01",  # undefined file
    "XX",  # internal error, corrupted data or index
)
_FENCED = re.compile(r"permission denied for table (outbox|inbox)\b")
_CLOSED = "the handler is closed"
"""uvloop's RuntimeError for a write to a connection that was closed a moment ago, where asyncio's own loop would only log it."""
_UNSTORABLE = {"22000", "22003", "22007", "22008", "22021", "22P02", "22P05"}

# Numbers of operating-system errors (errno(3)): what is between us and another host, and what this machine has run out of.
_PASSING_ERRORS = frozenset(
    getattr(errno, name)
    for name in (
        "EAGAIN EINTR EMFILE ENFILE ENOBUFS ENOMEM ENOSPC EDQUOT ENETDOWN ENETUNREACH ENETRESET EHOSTDOWN EHOSTUNREACH ETIMEDOUT ENOTCONN"
    ).split()
)
_OWN_ERRORS = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError)


class NotYet(Exception):
    """An event of another topic that this one builds on has not arrived. The event waits, alone, and is tried again."""


class Passing(Exception):
    """What the kit itself raises when trying the same again, later, is all that is needed."""


class DatabaseAway(Passing):
    """No transaction could begin: whatever the reason, it is not what was to be done in it."""


class Restored(Unavailable, Passing):
    """503: this service's database was restored behind what others have read of it, and takes no changes (`tailrace.capture.restored`)."""

    slug, title = "restored", "Restored behind what others have read"

    def __init__(self) -> None:
        super().__init__(
            "The database of this service was put back to an earlier state, and others have read what it no longer holds. It can be read; it takes "
            "no changes until an operator has decided.",
            retry_after=60,
        )


def is_fenced(error: BaseException) -> bool:
    """Whether PostgreSQL refused a row of the outbox, or a mark, since the right to write them was taken away."""
    return sqlstate(error) == "42501" and _FENCED.search(str(error)) is not None


def is_transient(error: BaseException) -> bool:
    """Whether it passes, and says nothing about what was tried: wait, and try the same again for as long as it takes."""
    if isinstance(error, Passing | PoolTimeout | ConnectionError):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    if isinstance(error, InterfaceError):
        return _MISUSE.search(str(error.orig)) is None
    if isinstance(error, asyncpg.InterfaceError):
        return _MISUSE.search(str(error)) is None
    if isinstance(error, OSError) and error.errno in _PASSING_ERRORS:
        return True
    if type(error) is RuntimeError and str(error).endswith(_CLOSED):
        return True
    return sqlstate(error).startswith(_PASSING_STATES)


def is_uncertain(error: BaseException) -> bool:
    """Whether it may pass or may repeat for ever: worth a few tries, with pauses, and no more."""
    if is_transient(error):
        return False
    if isinstance(error, OSError):
        return not isinstance(error, _OWN_ERRORS)
    return isinstance(error, StaleDataError | MemoryError) or sqlstate(error).startswith(_UNCERTAIN_STATES)


def is_conflict(error: BaseException) -> bool:
    """Whether two writers collided (stale version, serialization failure, deadlock), so that starting over at once may succeed."""
    return isinstance(error, StaleDataError) or sqlstate(error).startswith("40")


def is_unstorable(error: BaseException) -> bool:
    """Whether a value that was sent is one that PostgreSQL cannot hold: NUL in a text, a number or time out of range (SQLSTATE class 22)."""
    return isinstance(error, DBAPIError) and sqlstate(error) in _UNSTORABLE


def sqlstate(error: BaseException) -> str:
    """The five characters with which PostgreSQL names the failure; empty when it is none of PostgreSQL's."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    return str(getattr(origin, "sqlstate", None) or getattr(origin, "pgcode", None) or "")
