"""A service's own database: every transaction names its tenant first, and PostgreSQL holds it to that."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, Executable, Row, Select, bindparam, event, select
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.engine import Dialect, ExceptionContext
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.orm.util import identity_key

from tailrace.core.addresses.database import for_engine
from tailrace.core.context import Context
from tailrace.core.errors import Stale, Unknown
from tailrace.db import event_streams
from tailrace.db.connections.tenancy import SET_TENANT, Connection, find_alone, keep_apart
from tailrace.db.error_classes import DatabaseAway, Restored, is_fenced, is_transient, sqlstate
from tailrace.db.models import Aggregate, SoftDeleted, TenantRow
from tailrace.db.outbox import Recorded, UnitOfWork
from tailrace.db.resting import Resting
from tailrace.db.violations import strip_values

AnyAggregate = TypeVar("AnyAggregate", bound=Aggregate)
AnyRow = TypeVar("AnyRow", bound=TenantRow)
AnyStream = TypeVar("AnyStream", bound=event_streams.Stream[Any])

_SERVER = {"lock_timeout": "10s", "idle_in_transaction_session_timeout": "60s"}
"""No transaction waits for a lock for ever, nor holds one while idle. Both count as failures that pass."""
_FAILURE, _ABORTED = "tailrace.failure", "25P02"
_DUE_IN = "tailrace.due_in"

_NOTHING = select(1)


# Statements are made once, where they can be: making one again costs more than running it.
def _select_by_id(kind: Any) -> Select[Any]:
    return select(kind).where(kind.id == bindparam("id"))


def _select_by_id_locked(kind: Any) -> Select[Any]:
    return _select_by_id(kind).with_for_update().execution_options(populate_existing=True)


_by_id: Callable[[Any], Select[Any]] = cache(_select_by_id)
_by_id_locked: Callable[[Any], Select[Any]] = cache(_select_by_id_locked)


class Tx(AsyncSession):
    """One transaction of one tenant: the first argument of every command, projection and reaction."""

    sync_session_class = UnitOfWork
    alone: Engine | None = None
    """Where a row is read by itself, in a transaction that only reads."""

    @property
    def _unit(self) -> UnitOfWork:
        unit = self.sync_session
        assert isinstance(unit, UnitOfWork)
        return unit

    @property
    def context(self) -> Context:
        return self._unit.context

    @context.setter
    def context(self, context: Context) -> None:
        self._unit.context = context

    @property
    def tenant_id(self) -> UUID:
        """The tenant of this transaction. Raises RuntimeError before one is known."""
        tenant_id = self.context.tenant_id
        if tenant_id is None:
            raise RuntimeError("this transaction has no tenant")
        return tenant_id

    @property
    def recorded(self) -> list[Recorded]:
        """The events that this transaction will publish, in order, as far as they are written."""
        return self._unit.recorder.written

    @property
    def owners(self) -> frozenset[UUID] | None:
        """Whose rows this transaction sees and changes, of those that have an owner; everybody's when None."""
        return self._unit.owners

    def narrow(self, owners: Collection[UUID]) -> None:
        """See and change no rows but these users' from here on, of those that have an owner (`tailrace.db.visibility`)."""
        known = self._unit.owners
        self._unit.owners = frozenset(owners) if known is None else known & frozenset(owners)

    @contextmanager
    def seeing_all(self) -> Iterator[None]:
        """While this lasts, what is done is the service's own business: rows of all owners are seen."""
        known, self._unit.owners = self._unit.owners, None
        try:
            yield
        finally:
            self._unit.owners = known

    async def enter_tenant(self, tenant_id: UUID) -> None:
        """Act for a tenant from here on: for the few transactions that learn it only after they began."""
        self.context = self.context.for_tenant(tenant_id)
        await self.execute(SET_TENANT, {"tenant": str(tenant_id)})

    async def find(self, kind: type[AnyRow], id: UUID, *within: ColumnElement[bool]) -> AnyRow:
        """The row with this id, for reading; `within` says where else it must belong, as in `Line.order_id == order_id`.

        Raises Unknown (404), for a deleted one too.
        """
        if self.alone is not None and not within:
            row: AnyRow | None
            done, row = await self.run_sync(find_alone, self.alone, kind, id)
            if done:
                return _there(row, kind, id)
        return await self._one(_by_id(kind).where(*within) if within else _by_id(kind), kind, id)

    async def load(
        self, kind: type[AnyAggregate], id: UUID, match: int | None = None, *, even_deleted: bool = False
    ) -> AnyAggregate:
        """The aggregate, locked, for a change; one that this transaction made is found too. Raises Stale (412) when `match` is not its version.

        Raises Unknown (404), for a deleted one too unless it is asked for.
        """
        aggregate = self._unit.locked.get(id)
        if not isinstance(aggregate, kind):
            await self._write_changes(kind, id)
            # What was made here, nobody else can see, let alone change.
            aggregate = self._unit.locked.get(id)
        if not isinstance(aggregate, kind):
            aggregate = await self._one(_by_id_locked(kind), kind, id, even_deleted=even_deleted)
            self._unit.locked[id] = aggregate
        if match is not None and match != aggregate.version:
            raise Stale(match, aggregate.version)
        return aggregate

    async def load_stream(self, kind: type[AnyStream], id: UUID) -> AnyStream:
        """The event-sourced stream, locked, for a change; new when it has no event yet."""
        return await event_streams.load(self, kind, id, lock=True)

    async def load_streams(self, kind: type[AnyStream], ids: Iterable[UUID]) -> Mapping[UUID, AnyStream]:
        """Several event-sourced streams, locked in the order of their ids, for a change; a few statements, however many they are."""
        return await event_streams.load_all(self, kind, ids)

    def new_stream(self, kind: type[AnyStream], id: UUID) -> AnyStream:
        """An event-sourced stream that is new by construction: no lock, no statement. IntegrityError at flush when it is not new."""
        return event_streams.begin(self, kind, id)

    async def view_stream(self, kind: type[AnyStream], id: UUID) -> AnyStream:
        """The event-sourced stream, for reading."""
        return await event_streams.load(self, kind, id, lock=False)

    @contextmanager
    def recording_nothing(self, who: str) -> Iterator[None]:
        """While this lasts, refuse every event, and every row of the outbox, with a RecordsNothing that names `who`."""
        with self._unit.recorder.silence(who):
            yield

    def ensure_recording(self, what: str) -> None:
        """Raises RecordsNothing where nothing is recorded; `what` was done there."""
        self._unit.recorder.ensure_recording(what)

    @contextmanager
    def writing_together(self) -> Iterator[None]:
        """While this lasts, a flush writes nothing: for commands of which none reads what another one writes."""
        self._unit.writes_together = True
        try:
            yield
        finally:
            self._unit.writes_together = False

    def makes_due(self, seconds: float = 0.0) -> None:
        """Have the runners of timers, jobs, errands and dead letters look so many seconds after the commit: there will be something for them."""
        self.info[_DUE_IN] = max(0.0, min(seconds, self.info.get(_DUE_IN, seconds)))

    async def settle(self) -> None:
        """Write everything that is pending, events and snapshots too, so that only the commit remains."""
        await self.flush()
        await self.run_sync(lambda _: self._unit.recorder.drain())
        await event_streams.save_snapshots(self)

    async def _write_changes(self, kind: type[AnyAggregate], id: UUID) -> None:
        """Write what was made here and is not there yet, and what was changed before the lock was asked for: reading the row again would undo that,
        and publish its event nevertheless."""
        known = self._unit.identity_map.get(identity_key(kind, (self.tenant_id, id)))
        made = any(isinstance(new, kind) and new.id == id for new in self._unit.new)
        if made or (known is not None and self._unit.is_modified(known)):
            await self.flush()

    async def _one(self, query: Select[AnyRow], kind: type[AnyRow], id: UUID, *, even_deleted: bool = False) -> AnyRow:
        return _there((await self.scalars(query, {"id": id})).one_or_none(), kind, id, even_deleted=even_deleted)


def _there(row: AnyRow | None, kind: type[AnyRow], id: UUID, *, even_deleted: bool = False) -> AnyRow:
    if row is None or (isinstance(row, SoftDeleted) and row.deleted_at is not None and not even_deleted):
        raise Unknown(kind.__name__, id)
    return row


class Database:
    """The pool of a service's connections, under its app role."""

    def __init__(self, url: str, service: str, *, pool: int = 5, overflow: int = 10, schema: str | None = None) -> None:
        """`pool` connections are kept, and `overflow` more are opened while they are needed and closed when they have rested.

        With a `schema`, its connections see that one alone, from the first moment on: nothing prepared elsewhere is ever run in it."""
        self.service = service
        seen = {} if schema is None else {"search_path": f'"{schema}"'}
        url, tls = for_engine(url)
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool + overflow,
            max_overflow=0,
            pool_use_lifo=True,
            pool_pre_ping=False,
            pool_recycle=1800,
            pool_timeout=10,
            # What a statement was sent may be personal: it stays out of error texts, and so out of logs.
            hide_parameters=True,
            connect_args={
                **tls,
                "connection_class": Connection,
                "server_settings": {**_SERVER, **seen, "application_name": f"tailrace-{service}"},
            },
        )
        self.resting = Resting(self.engine.sync_engine.pool, pool)
        _commit_nothing_that_failed(self.engine.sync_engine)
        keep_apart(self.engine.sync_engine)
        _tell_when_away(self.engine.sync_engine)
        self._looking = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._unchanging = self.engine.execution_options(isolation_level="REPEATABLE READ")
        self.told: Callable[[float], None] | None = None
        """Told after each commit that makes something due, in how many seconds (`tailrace.db.lookout`)."""
        self.announce: Callable[[Tx, float], Awaitable[None]] | None = None
        """Awaited in each such transaction, before it commits: for a process in which nobody works on what is due."""

    @asynccontextmanager
    async def transaction(self, context: Context, *, read_only: bool = False) -> AsyncIterator[Tx]:
        """Begin, name the tenant, and commit at the end; an exception rolls everything back.

        Raises DatabaseAway, or another failure that passes, when it cannot begin.
        """
        async with self._begun(self.engine, context, read_only=read_only) as tx:
            yield tx
            if not read_only:
                await tx.settle()
                if self.announce is not None and _DUE_IN in tx.info:
                    await self.announce(tx, tx.info[_DUE_IN])
        if self.told is not None and _DUE_IN in tx.info:
            self.told(tx.info[_DUE_IN])

    @asynccontextmanager
    async def snapshot(self, context: Context) -> AsyncIterator[Tx]:
        """Read what was committed when this began, whatever is committed while it lasts. Raises what `transaction` raises."""
        async with self._begun(self._unchanging, context, read_only=True) as tx:
            await tx.execute(_NOTHING)  # A transaction begins with its first statement, and so does what it sees.
            yield tx

    @asynccontextmanager
    async def _begun(self, engine: AsyncEngine, context: Context, *, read_only: bool) -> AsyncIterator[Tx]:
        options: dict[str, Any] = {"context": context, "service": self.service}
        tx = Tx(engine, expire_on_commit=False, autoflush=False, reads_only=read_only, **options)
        began = tx.sync_session.begin()
        tx.alone = self._looking.sync_engine if read_only else None
        try:
            yield tx
            if tx._unit.in_use():
                await tx.run_sync(_end, began)
        except BaseException:
            # Rolls back, and comes to its end also where the request was cancelled.
            async with tx:
                raise
        tx.sync_session.close()  # which has no connection any more, so there is nothing to wait for

    async def finds(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> bool:
        """Whether this finds a row in tables of no tenant: one statement by itself, for who looks often and mostly in vain.

        Raises what `transaction` raises.
        """
        return await self.look(statement, parameters) is not None

    async def look(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Row[Any] | None:
        """The first row that this finds, as `finds` does. Raises what `transaction` raises."""
        with _reaching_it():
            async with self._looking.connect() as connection:
                return (await connection.execute(statement, parameters)).first()

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[AsyncConnection]:
        """A connection of no tenant and no transaction, for who listens. Raises what `transaction` raises."""
        with _reaching_it():
            connection = await self._looking.connect()
        try:
            yield connection
        finally:
            await connection.close()

    @property
    def in_use(self) -> int:
        """Connections that are checked out of the pool now."""
        return int(self.engine.pool.checkedout())  # type: ignore[attr-defined]

    async def close(self) -> None:
        await self.engine.dispose()


@contextmanager
def _reaching_it() -> Iterator[None]:
    """Of a connection: nothing but the database itself can be at fault when there is none."""
    try:
        yield
    except Exception as error:
        if is_transient(error):
            raise
        raise DatabaseAway(f"{type(error).__name__}: {error}") from error


def _end(_: Session, began: SessionTransaction) -> None:
    """Commit; roll back what is not, for whatever reason."""
    with began:
        pass


def _tell_when_away(engine: Engine) -> None:
    @event.listens_for(engine, "do_connect")
    def connect(dialect: Dialect, _: object, arguments: Any, options: Any) -> Any:
        with _reaching_it():
            return dialect.connect(*arguments, **options)


def _commit_nothing_that_failed(engine: Engine) -> None:
    """PostgreSQL answers the commit of a transaction in which a statement failed by rolling it back, without a word.

    So a caller that passed over an error, without a savepoint to come back to, gets it again: at the next statement, which PostgreSQL refuses without
    saying why, or at the commit.
    """

    @event.listens_for(engine, "handle_error")
    def note(failure: ExceptionContext) -> BaseException | None:
        if failure.connection is None or failure.is_disconnect:
            return None
        error = failure.sqlalchemy_exception or failure.original_exception
        strip_values(error)
        if is_fenced(error):
            return failure.connection.info.setdefault(_FAILURE, Restored())  # type: ignore[no-any-return]
        first: BaseException = failure.connection.info.setdefault(_FAILURE, error)
        return _passed_over(first) if sqlstate(error) == _ABORTED else None

    # After a rollback too: a connection that rests in the pool would keep all that the failed one had in its hands.
    @event.listens_for(engine, "begin")
    @event.listens_for(engine, "rollback")
    @event.listens_for(engine, "rollback_savepoint")
    def forget(connection: SyncConnection, *_: object) -> None:
        if not connection.invalidated:
            connection.info.pop(_FAILURE, None)

    @event.listens_for(engine, "commit")
    def refuse(connection: SyncConnection) -> None:
        failure = connection.info.pop(_FAILURE, None)
        if failure is not None:
            raise _passed_over(failure)


def _passed_over(error: BaseException) -> BaseException:
    if not hasattr(error, "__notes__"):
        error.add_note("This error was caught and passed over, but it had ended the transaction: use a savepoint.")
    return error
