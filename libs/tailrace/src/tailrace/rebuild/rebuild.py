"""A read model is built again from the topics while the old one goes on serving, compared with it, and put in its place in one transaction.

Built aside (see `shadow`), so whatever interrupts it leaves the live one as it is. At the end the service's consumers stand still for a moment:
the rebuilt one takes exactly the events that the live one has had, so that rows, marks and dead letters change together and agree. Only a
projection can be rebuilt; what a reaction did once is not done again.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

import asyncpg

from tailrace.db.database import Database
from tailrace.kafka.topic_reader import TopicReader
from tailrace.messaging.subscribers import Projection, Subscriber
from tailrace.rebuild import cutover, shadow_schema
from tailrace.rebuild.builder import Builder, CannotRebuild, Tell, collecting_seldom
from tailrace.rebuild.cutover import Compared
from tailrace.service import Service
from tailrace.settings import Settings


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of it. `still` is for how many seconds the consumers stood still; `dead_letters` is what the rebuild could not apply either."""

    events: int
    compared: Sequence[Compared]
    dead_letters: int
    switched: bool
    still: float

    @property
    def differs(self) -> bool:
        return any(each.differs for each in self.compared)


async def rebuild(
    service: Service,
    projection: Projection,
    settings: Settings,
    tell: Tell = lambda done, total: None,
    *,
    check: bool = False,
    owner_url: str | None = None,
) -> Rebuilt:
    """Build it aside, compare, and unless `check` switch. `owner_url` is of the owner role, where it is not the usual one.

    Raises CannotRebuild; failures of PostgreSQL and Kafka as they come.
    """
    owner_url = owner_url or settings.database(service.name, "owner", "postgresql")
    async with (
        _alone(projection, owner_url) as owner,
        TopicReader(settings.kafka, f"rebuild-{service.name}") as history,
    ):
        if others := await shadow_schema.strangers(owner, projection):
            raise CannotRebuild(f"{', '.join(others)} refers to its tables", "no other table may refer to a read model")
        await shadow_schema.create(owner, projection, f"{service.name}_app")
        try:
            async with _aside(service, projection, settings) as database:
                builder = Builder(service, projection, database, history, settings, tell)
                with collecting_seldom():
                    await builder.read_all()
                return await _finish(owner, projection, builder, check=check)
        finally:
            if not owner.is_closed():
                await shadow_schema.drop(owner, projection)


def projection_of(service: Service, name: str) -> Projection:
    """The projection of that name. Raises CannotRebuild for anything else."""
    found = next((subscriber for subscriber in service.subscribers if subscriber.name == name), None)
    if not isinstance(found, Projection):
        raise CannotRebuild(
            f"{name} is {_kind(found)}", "only a projection can be rebuilt: it does nothing but keep its tables"
        )
    if not found.tables:
        raise CannotRebuild(f"{name} declares no tables", f'declare them: Projection("{name}", tables=[…])')
    return found


def _kind(found: Subscriber | None) -> str:
    return "no subscriber" if found is None else f"a {type(found).__name__.lower()}"


async def _finish(
    owner: "asyncpg.Connection[Any]", projection: Projection, builder: Builder, *, check: bool
) -> Rebuilt:
    await builder.dead_letters()
    transaction = owner.transaction()
    await transaction.start()
    try:
        await cutover.freeze(owner)
        began = monotonic()
        await builder.follow(owner)
        dead_letters = await builder.dead_letters()
        tenants = builder.tenants | await cutover.tenants_of(owner, projection)
        compared = await cutover.compare(owner, projection, tenants)
        if not check:
            await cutover.replace(owner, projection, compared)
    except BaseException as error:
        if not owner.is_closed():
            await transaction.rollback()
        if isinstance(error, asyncpg.LockNotAvailableError):
            raise CannotRebuild(
                "its consumers were busy with one batch for 10 s", "nothing was changed; try again"
            ) from None
        raise
    await (transaction.rollback() if check else transaction.commit())
    return Rebuilt(builder.events, compared, dead_letters, not check, monotonic() - began)


@asynccontextmanager
async def _alone(projection: Projection, owner_url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """The owner's connection, and the only rebuild of this projection for as long as it lives."""
    owner = await asyncpg.connect(
        owner_url, server_settings={"application_name": f"tailrace-rebuild-{projection.name}"}
    )
    try:
        lock = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))"
        if not await owner.fetchval(lock, f"tailrace.rebuild/{projection.name}"):
            raise CannotRebuild(
                f"{projection.name} is being rebuilt by another process", "wait until that ends, or end it"
            )
        yield owner
    finally:
        await owner.close()


@asynccontextmanager
async def _aside(service: Service, projection: Projection, settings: Settings) -> AsyncIterator[Database]:
    url = settings.database(service.name)
    database = Database(url, service.name, pool=1, overflow=1, schema=shadow_schema.schema_of(projection))
    try:
        yield database
    finally:
        await database.close()
