"""/v1/subscriptions: what one wants to hear of besides what one must."""

from typing import Annotated
from uuid import UUID

from sqlalchemy import select

from notifications import commands
from notifications.bodies import NewsSubscriptionBody
from notifications.kinds import NewsKindName
from notifications.models import Subscription
from notifications.projections import customers, documents
from notifications.scopes import Reader, Writer
from notifications.views import NewsSubscriptionView
from tailrace.http.lists.filters import any_of, equal
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/subscriptions",
    tag="subscriptions",
    about="What one wants to hear of: a kind of news, a document, or a customer.",
    reads=[customers, documents],
)
Subscriptions = Annotated[
    PageRequest,
    listed(
        Subscription,
        any_of(Subscription.kind, NewsKindName),
        equal(Subscription.document_id),
        equal(Subscription.customer_id),
        sort=[Subscription.created_at],
    ),
]


@router.post("", status_code=201, response_model=NewsSubscriptionView)
async def create_subscription(tx: Tx, who: Writer, body: NewsSubscriptionBody) -> Subscription:
    """Hear of a kind, of a document or of a customer. One is told of what one's roles show at that moment, and of nothing else: with
    `orders:read:own`, of one's own orders. What people write goes to those alone whom they name."""
    return await commands.subscribe(tx, who, body)


@router.get("", response_model=Page[NewsSubscriptionView])
async def list_subscriptions(tx: Tx, who: Reader, page: Subscriptions) -> Listing[Subscription]:
    """What one wants to hear of."""
    own = select(Subscription).where(Subscription.user_id == who.user_id, Subscription.deleted_at.is_(None))
    return await paginate(tx, own, page)


@router.delete("/{subscription_id}", status_code=204)
async def delete_subscription(tx: Tx, who: Writer, subscription_id: UUID) -> None:
    """Want to hear of it no more."""
    await commands.unsubscribe(tx, who, subscription_id)
