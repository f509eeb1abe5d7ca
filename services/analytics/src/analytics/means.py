"""What the service needs besides its database."""

from fastapi import FastAPI

from analytics.freshness import PUBLISHERS
from tailrace.capture.freshness import Watch
from tailrace.settings import Settings


async def prepare(app: FastAPI, settings: Settings) -> None:
    """Be ready to look how far the topics were read."""
    app.state.watch = Watch(settings.kafka, "analytics", PUBLISHERS)
