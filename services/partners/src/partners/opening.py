"""What a partner has at Kafka is made what its row says, again and again until it is: by a timer, set in the transaction of each change.

Everything that is done there can be done twice. A crash, or a Kafka that is away, leaves the timer where it is.
"""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

from fastapi import FastAPI
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from partners.models import Filling, Login, Partner
from partners.sharing import ABOUT, bell
from tailrace.db.database import Tx
from tailrace.db.per_database import PerDatabase
from tailrace.kafka.quotas import READ_BYTES, REQUESTS, set_quotas
from tailrace.kafka.topics import create_topics, delete_topics
from tailrace.messaging.timers import Timer
from tailrace.runtime import access
from tailrace.settings import Settings

due = Timer("partners.opening")
settings_here: PerDatabase[Settings] = PerDatabase()


async def prepare(app: FastAPI, settings: Settings) -> None:
    """Before anything is served or fired."""
    settings_here.keep(app.state.database, settings)


def password_of(settings: Settings, partner: Partner) -> str:
    """The one that counts now."""
    return password(settings, partner.user, partner.credential)


def password(settings: Settings, user: str, credential: int) -> str:
    """One of those that a user has had."""
    return settings.kafka_user_password(f"{user}/{credential}")


async def soon(tx: Tx, partner: Partner) -> None:
    """Let HTTP follow what was changed with this commit, and Kafka once it has committed."""
    if partner.status == "closing":
        await tx.execute(delete(Login).where(Login.partner_id == partner.id))
    else:
        row = insert(Login).values(partner_id=partner.id, credential=partner.credential)
        said = {"credential": row.excluded.credential}
        await tx.execute(row.on_conflict_do_update(index_elements=["partner_id"], set_=said))
    await due.set(tx, partner.id, datetime.now(UTC))


@due.due
async def follow(tx: Tx, partner_id: UUID) -> None:
    settings = settings_here.of(tx)
    partner = await tx.load(Partner, partner_id)
    if partner.status == "opening":
        await open_at_kafka(settings, partner)
        row = insert(Filling).values(
            partner_id=partner.id,
            owner_id=tx.tenant_id,
            types=partner.types,
            personal=partner.personal,
            since=partner.since,
        )
        said = {name: row.excluded[name] for name in ("types", "personal")}
        await tx.execute(row.on_conflict_do_update(index_elements=["partner_id"], set_=said))
        await bell.ring(tx, ABOUT)
        partner.opened()
    elif partner.status == "closing":
        await tx.execute(delete(Filling).where(Filling.partner_id == partner.id))
        await bell.ring(tx, ABOUT)
        await close_at_kafka(settings, partner)
        partner.closed()


async def open_at_kafka(settings: Settings, partner: Partner) -> None:
    """Topics, the filler's right to write them, the partner's to read them within its quotas, and its password last. Raises `OperatorError`."""
    user, kafka = partner.user, settings.kafka
    await asyncio.to_thread(access.grant, kafka, access.rights_to_fill("partners", user))
    await create_topics(kafka, partner.topics, settings.partitions, settings.replication)
    await asyncio.to_thread(access.apply, kafka, access.rights_of_partner(user), [user])
    most = {READ_BYTES: settings.partner_read_bytes, REQUESTS: settings.partner_request_percent}
    await set_quotas(kafka, user, most)
    await asyncio.to_thread(access.set_password, kafka, user, password_of(settings, partner))


async def close_at_kafka(settings: Settings, partner: Partner) -> None:
    """The rights first: they end connections that are open, at their next request. Raises `OperatorError`."""
    user, kafka = partner.user, settings.kafka
    await asyncio.to_thread(access.apply, kafka, [], [user])
    await asyncio.to_thread(access.forget_user, kafka, user)
    await set_quotas(kafka, user, {READ_BYTES: None, REQUESTS: None})
    # Those of contexts of which nothing is granted any more, too.
    await delete_topics(kafka, f"{user}.")
    await asyncio.to_thread(access.take_back, kafka, access.rights_to_fill("partners", user))
