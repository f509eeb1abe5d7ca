"""/v1/notification-channels and /v1/notifications/deliveries: where the company's news goes, and what did not arrive."""

from typing import Annotated
from uuid import UUID

from sqlalchemy import select

from contracts.notifications import Service
from notifications import mailing
from notifications.bodies import NotificationChannelBody
from notifications.channels import NotificationChannel
from notifications.models import Delivery, Status, Way
from notifications.projections import users
from notifications.refusals import NotToBeSent
from notifications.scopes import Administrator
from notifications.views import NotificationChannelView, NotificationDeliveryView
from tailrace.core.errors import Unknown
from tailrace.http.lists.filters import any_of, equal
from tailrace.http.lists.master_data import master_data_routes
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/notification-channels",
    tag="notification channels",
    about="Channels of Slack and Teams that news goes to: the company's, and one person's.",
    reads=[users],
)
deliveries = tenant_router(
    "/v1/notifications/deliveries",
    tag="notification deliveries",
    about="What leaves the feed by mail and chat programs, and what did not arrive.",
)
master_data_routes(
    router,
    NotificationChannel,
    "a channel",
    body=NotificationChannelBody,
    view=NotificationChannelView,
    reader=Administrator,
    writer=Administrator,
    filters=[any_of(NotificationChannel.service, Service), equal(NotificationChannel.user_id)],
    deletes="Delete a channel; what waits for it is not sent.",
)
Deliveries = Annotated[
    PageRequest,
    listed(
        Delivery,
        any_of(Delivery.status, Status),
        any_of(Delivery.way, Way),
        equal(Delivery.user_id),
        equal(Delivery.channel_id),
        default="-id",
    ),
]


@deliveries.get("", response_model=Page[NotificationDeliveryView])
async def list_notification_deliveries(tx: Tx, who: Administrator, page: Deliveries) -> Listing[Delivery]:
    """What leaves the feed, the newest first. With `status=failed`, what did not arrive. What it says is not shown."""
    return await paginate(tx, select(Delivery), page)


@deliveries.post("/{delivery_id}/retry", response_model=NotificationDeliveryView)
async def retry_notification_delivery(tx: Tx, who: Administrator, delivery_id: UUID) -> Delivery:
    """Send what did not arrive again, now."""
    row = await tx.scalar(select(Delivery).where(Delivery.id == delivery_id).with_for_update())
    if row is None:
        raise Unknown("Delivery", delivery_id)
    if row.status != "failed":
        raise NotToBeSent(f"It is {row.status}.")
    await mailing.repeat(tx, row)
    return row
