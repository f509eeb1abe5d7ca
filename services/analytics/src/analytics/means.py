"""What the service needs besides its database."""

from fastapi import FastAPI

from analytics.freshness import PUBLISHERS
from analytics.lake.clickhouse import SERVER, ClickHouse
from analytics.lake.engine import Engine
from analytics.lake.tables import Lake
from tailrace.capture.freshness import Watch
from tailrace.settings import Settings


async def prepare(app: FastAPI, settings: Settings) -> None:
    """Be ready to look how far the topics were read, and to write and to ask the lake."""
    app.state.lake = Lake(settings)
    app.state.engine = engine_of(app.state.lake, settings)
    app.state.watch = Watch(settings.kafka, "analytics", PUBLISHERS)


def engine_of(lake: Lake, settings: Settings) -> Engine:
    """A ClickHouse server where an address is set, else the engine within the process."""
    address = settings.partners.get(SERVER)
    return Engine(lake) if address is None else ClickHouse(lake, settings, address)
