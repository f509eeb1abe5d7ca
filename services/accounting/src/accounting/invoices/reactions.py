"""What is invoiced by itself: each shipment as it leaves and each service as it is performed, where that is the policy."""

from uuid import UUID

from accounting.invoices import commands, policy
from accounting.invoices.buyers import followed
from accounting.invoices.copies import DeliveryCopy, OrderCopy
from accounting.invoices.drafting import uninvoiced
from accounting.invoices.refusals import OrderNotYetKnown
from contracts.performances import ServicesPerformed
from contracts.shipments import ShipmentDispatched
from tailrace.core.events import Meta
from tailrace.db.database import Tx
from tailrace.messaging.replica import by_ids
from tailrace.messaging.subscribers import EVER, Reaction

billing = Reaction("accounting.billing", since=EVER)


@billing.on(ShipmentDispatched)
async def dispatched(tx: Tx, event: ShipmentDispatched, meta: Meta) -> None:
    await _bill(tx, event.shipment_id, event.order_id, event.number)


@billing.on(ServicesPerformed)
async def performed(tx: Tx, event: ServicesPerformed, meta: Meta) -> None:
    await _bill(tx, event.performance_id, event.order_id, event.number)


async def _bill(tx: Tx, delivery_id: UUID, order_id: UUID, number: str) -> None:
    """Invoice what was supplied, unless the policy says otherwise or somebody has done so. Raises OrderNotYetKnown."""
    said = await policy.policy_of(tx)
    if said.mode != "per_shipment" and not await policy.invoices_somebody_per_shipment(tx):
        return
    order = (await by_ids(tx, OrderCopy, [order_id])).get(order_id)
    if order is None or delivery_id not in await by_ids(tx, DeliveryCopy, [delivery_id]):
        raise OrderNotYetKnown(number)
    mode = said.mode
    if order.customer_id is not None:
        mode = (await policy.terms_of(tx, await followed(tx, order.customer_id))).mode or mode
    found = await uninvoiced(tx, DeliveryCopy.id == delivery_id)
    if mode != "per_shipment" or not found:
        return
    invoice = await commands.draft(tx, found)
    if said.issues:
        await commands.issue(tx, invoice.id, None)
