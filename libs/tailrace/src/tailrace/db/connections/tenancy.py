"""How PostgreSQL is told which tenant a statement is for, with no statement that does nothing else: together with BEGIN, or within the one statement.

A transaction begins with its first statement, and what names the tenant goes with BEGIN, in one message (`Connection`). Most requests read one row by
its id and nothing else; that takes one message and no transaction around it (`find_alone`)::

    SELECT … WHERE id = $1 AND (SELECT set_config('app.tenant_id', $2, true)) IS NOT NULL

The inner SELECT depends on no row, so PostgreSQL answers it once and before it looks at any ("One-Time Filter" in its plan), and row-level security
goes by what it has set. It holds for that statement alone. Were it done in another order, nothing would be found: no statement begins with a tenant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Self
from uuid import UUID

import asyncpg
from sqlalchemy import Column, Engine, Select, bindparam, event, func, inspect, literal_column, select, true
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.orm import Session, SessionTransaction, make_transient_to_detached
from sqlalchemy.orm.attributes import instance_dict
from sqlalchemy.orm.util import identity_key

from tailrace.db.outbox import UnitOfWork

__all__ = ["SET_TENANT", "Connection", "find_alone", "keep_apart"]

SET_TENANT = select(func.set_config(literal_column("'app.tenant_id'"), bindparam("tenant"), true()))
"""For a transaction that learns its tenant after it began."""
_READING = ", set_config('transaction_read_only', 'on', true)"
_LATER = frozenset({"select", "raise", "raise_on_sql", "noload", "write_only", "dynamic"})
"""Relationships that are not loaded with their row."""


class Connection(asyncpg.Connection):  # type: ignore[misc]
    """A connection whose transactions begin with their tenant named: no statement comes before that.

    What is to be said holds for one transaction, and is forgotten when another one begins, also where nothing was asked in it. A connection whose
    transaction did not begin, or that comes back with one, is closed. So a request that is cancelled leaves no tenant behind (sqlalchemy#13381).
    """

    __slots__ = ("first",)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.first: str | None = None
        """Sent together with the next BEGIN."""

    async def execute(self, query: str, *arguments: Any, **options: Any) -> str:
        if self.first is None or not query.startswith("BEGIN"):
            return await super().execute(query, *arguments, **options)  # type: ignore[no-any-return]
        together, self.first = query + self.first, None
        try:
            return await super().execute(together, **options)  # type: ignore[no-any-return]
        except BaseException:
            self.terminate()
            raise


def keep_apart(engine: Engine) -> None:
    """Let every transaction of the engine begin with what it says itself, or with nothing; and hand on no connection within one."""

    @event.listens_for(engine, "begin")
    def forget(connection: SyncConnection) -> None:
        if not connection.invalidated:
            _of_driver(connection).first = None

    @event.listens_for(engine, "checkin")
    def close(adapted: Any, _: object) -> None:
        if adapted is not None and adapted.driver_connection.is_in_transaction():
            adapted.driver_connection.terminate()


@event.listens_for(UnitOfWork, "after_begin")
def _name(session: Session, transaction: SessionTransaction, connection: SyncConnection) -> None:
    """A session has taken a connection, on which nothing was sent yet."""
    assert isinstance(session, UnitOfWork)
    if transaction.nested:
        return  # a savepoint, in a transaction that has begun
    tenant_id = session.context.tenant_id
    # A UUID, made again: never a text that a client chose.
    named = "" if tenant_id is None else str(UUID(int=tenant_id.int))
    reading = _READING if session.reads_only else ""
    _of_driver(connection).first = f"SELECT set_config('app.tenant_id', '{named}', true){reading}"


def _of_driver(connection: SyncConnection) -> Connection:
    return connection.connection.driver_connection  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class _Alone:
    """How a row of one table is read by itself, with the attributes of its columns in order."""

    statement: Select[Any]
    attributes: Sequence[str]

    @classmethod
    def of(cls, kind: Any) -> Self | None:
        """None where more than one plain table is read for it."""
        mapper = inspect(kind)
        columns = {each.key: each.columns[0] for each in mapper.column_attrs}
        is_plain = all(isinstance(column, Column) and column.table is mapper.local_table for column in columns.values())
        later = all(each.lazy in _LATER for each in mapper.relationships)
        whole = not any(each.deferred or len(each.columns) > 1 for each in mapper.column_attrs)
        if (
            not (is_plain and later and whole and "id" in columns)
            or mapper.polymorphic_on is not None
            or mapper.inherits is not None
        ):
            return None
        named = SET_TENANT.scalar_subquery().is_not(None)
        return cls(select(*columns.values()).where(columns["id"] == bindparam("id"), named), tuple(columns))


_alone_of = cache(_Alone.of)


def find_alone(unit: Session, engine: Engine, kind: Any, id: UUID) -> tuple[bool, Any]:
    """Whether that could be done, and the row, None where there is none. `engine` commits by itself. Called in a greenlet (`run_sync`).

    Not done where the session has a connection or the row, sees rows of some owners alone, or where the row is more than its columns.
    """
    assert isinstance(unit, UnitOfWork)
    alone, tenant_id = _alone_of(kind), unit.context.tenant_id
    if alone is None or tenant_id is None or unit.owners is not None or unit.in_use():
        return False, None
    if identity_key(kind, (tenant_id, id)) in unit.identity_map:
        return False, None
    with engine.connect() as connection:
        row = connection.execute(alone.statement, {"id": id, "tenant": str(tenant_id)}).one_or_none()
    return True, None if row is None else _as_read(unit, kind, dict(zip(alone.attributes, row, strict=True)))


def _as_read(unit: UnitOfWork, kind: Any, values: Mapping[str, Any]) -> Any:
    """The row as the session would have made it."""
    made = inspect(kind).class_manager.new_instance()
    instance_dict(made).update(values)
    make_transient_to_detached(made)
    unit.add(made)
    return made
