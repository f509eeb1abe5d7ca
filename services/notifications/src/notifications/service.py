"""Notifications: what people must hear, on `notification.events`; in their feed, by mail, and in chat programs."""

from fastapi import FastAPI

from contracts.notifications import PUBLISHED
from notifications import mailing, projections, reactions, scopes
from notifications.feed import bell
from notifications.models import Base
from notifications.routes import channels, notifications, subscriptions
from tailrace.db.bells import Ear
from tailrace.errands.routes import errands_router
from tailrace.service import Exposed, Service
from tailrace.settings import Settings

_OWN = ["notifications:read", "notifications:write"]


async def prepare(app: FastAPI, settings: Settings) -> None:
    """Before anything is served or fired."""
    await mailing.prepare(app, settings)
    app.state.ear = Ear(bell, app.state.database)


service = Service(
    name="notifications",
    topic="notification.events",
    publishes=PUBLISHED,
    subscribers=[
        projections.days,
        projections.users,
        projections.teams,
        projections.customers,
        projections.documents,
        projections.roles,
        projections.companies,
        reactions.news,
        reactions.goings,
    ],
    timers=[mailing.due],
    errands=[mailing.sending],
    routers=[
        errands_router("/v1/notifications/errands", scopes.administer),
        channels.deliveries,
        channels.router,
        subscriptions.router,
        notifications.router,
    ],
    exposes=[
        Exposed(prefix="/v1/notifications"),
        Exposed(prefix="/v1/notifications/stream", stream=True, read_timeout=45.0),
        Exposed(prefix="/v1/subscriptions"),
        Exposed(prefix="/v1/notification-channels"),
    ],
    scopes=[scopes.read, scopes.write, scopes.send, scopes.administer],
    default_roles={
        "manager": [*_OWN, "notifications:send"],
        "sales": _OWN,
        "warehouse": _OWN,
        "accountant": _OWN,
        "viewer": _OWN,
    },
    released=False,
    on_start=prepare,
    metadata=Base.metadata,
)
