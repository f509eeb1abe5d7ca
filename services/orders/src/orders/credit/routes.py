"""Credit over HTTP: how a customer stands, when orders are held, and the release of one by a person."""

from uuid import UUID

from orders.credit import commands
from orders.credit.bodies import CreditPolicyBody
from orders.credit.copies import BuyerCopy
from orders.credit.exposure import Standing, standing_of
from orders.credit.models import overdue_days
from orders.credit.projections import rates, receivables, terms
from orders.credit.reactions import decisions
from orders.credit.views import CreditPolicyView, CreditStandingView
from orders.models import Order
from orders.projections import customers, days, teams
from orders.scopes import CreditReader, PolicyMaker, Releaser
from orders.views import OrderView
from tailrace.http.etag import IfMatch
from tailrace.http.routing import ReasonBody, Tx, tenant_router

CREDIT = (terms, rates, receivables, decisions)
"""What a confirmation depends on besides."""

router = tenant_router(
    "/v1/orders",
    tag="credit",
    about="What customers may owe, what they owe and have ordered, and the orders that wait because of it.",
    reads=[customers, days, teams, *CREDIT],
)


@router.get("/credit-policy", response_model=CreditPolicyView)
async def read_credit_policy(tx: Tx, who: CreditReader) -> CreditPolicyView:
    """When the company holds orders for credit."""
    return CreditPolicyView(overdue_days=await overdue_days(tx))


@router.put("/credit-policy", response_model=CreditPolicyView)
async def replace_credit_policy(tx: Tx, who: PolicyMaker, body: CreditPolicyBody) -> CreditPolicyView:
    """Say when the company holds orders for credit. What is held is looked at again."""
    kept = await commands.set_policy(tx, body.overdue_days)
    return CreditPolicyView(overdue_days=kept.overdue_days)


@router.get("/credit/{customer_id}", response_model=CreditStandingView)
async def read_credit(tx: Tx, who: CreditReader, customer_id: UUID) -> Standing:
    """How a customer stands by now, in the books of all who sell. `status=credit_hold` lists the orders that wait."""
    await tx.find(BuyerCopy, customer_id)
    return await standing_of(tx, customer_id, await overdue_days(tx), in_full=True)


@router.post("/{order_id}/release", response_model=OrderView)
async def release_order(tx: Tx, who: Releaser, match: IfMatch, order_id: UUID, body: ReasonBody) -> Order:
    """Let an order go on that is held for credit, where the company asks nobody. Where it asks somebody, they decide."""
    return await commands.release(tx, order_id, match, body.reason)
