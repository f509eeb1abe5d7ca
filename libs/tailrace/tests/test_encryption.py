"""`sslmode` of TAILRACE_POSTGRES holds for every connection that follows from it. The server of the tests speaks no TLS, so that who asks for it
is not connected: without these words, it would be."""

import pytest
from sqlalchemy import text
from toy import service

from tailrace.capture import slots
from tailrace.capture.connectors import connector_config
from tailrace.core.context import Context
from tailrace.core.ids import uuid7
from tailrace.db.database import Database
from tailrace.runtime.migrate import migrate, prepare_database
from tailrace.settings import Settings
from tailrace_testing.databases import Databases

REFUSED = "rejected SSL upgrade"


@pytest.fixture
def settings(databases: Databases) -> Settings:
    return databases.settings.model_copy(update={"postgres": f"{databases.settings.postgres}?sslmode=require"})


async def test_requests_consumers_and_timers(settings: Settings) -> None:
    database = Database(settings.database(service.name), service.name)
    try:
        with pytest.raises(Exception, match=REFUSED):
            async with database.transaction(Context(tenant_id=uuid7())) as tx:
                await tx.execute(text("SELECT 1"))
    finally:
        await database.close()


async def test_preparing_and_migrating(settings: Settings) -> None:
    with pytest.raises(ConnectionError, match=REFUSED):
        await prepare_database(settings.postgres, service, settings)
    with pytest.raises(ConnectionError, match=REFUSED):
        await migrate(service, settings.database(service.name, "owner"))


async def test_repairs(settings: Settings) -> None:
    with pytest.raises(ConnectionError, match=REFUSED):
        async with slots.connected(service, settings):
            pass


def test_connectors() -> None:
    settings = Settings(postgres="postgresql://a:b@db/postgres?sslmode=verify-full&sslrootcert=/etc/ca.pem")
    config = connector_config(service, settings)
    assert (config["database.sslmode"], config["database.sslrootcert"]) == ("verify-full", "/etc/ca.pem")
    assert "database.sslmode" not in connector_config(service, Settings(postgres="postgresql://a:b@db/postgres"))
