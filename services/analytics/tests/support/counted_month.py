"""What stood at a moment, counted by replaying all that had happened by then; it knows nothing of how reports are kept."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from made_month import Month, Told

from contracts import activities, approvals, customers, invoices, opportunities, orders, payments, quotes


@dataclass
class Found:
    """Something to count."""

    what: str
    at: datetime
    owner: UUID | None
    customer: UUID | None = None
    currency: str | None = None
    amount: int = 0
    seconds: int = 0
    label: str | None = None
    segment: str | None = None
    count: int = 1


@dataclass
class Count:
    """What stood at a moment, by replaying what had happened by then."""

    month: Month
    moment: datetime | None
    found: list[Found] = field(default_factory=list)

    def __post_init__(self) -> None:
        lives: dict[UUID, list[Told]] = defaultdict(list)
        for each in self.month.told:
            if self.moment is None or each.at <= self.moment:
                lives[each.document].append(each)
        for life in lives.values():
            first = life[0].event
            ways: dict[type, Callable[[list[Told]], Iterable[Found]]] = {
                orders.OrderCreated: self.order,
                quotes.QuoteCreated: self.quote,
                customers.CustomerCreated: self.customer,
                approvals.ApprovalRequested: self.approval,
                activities.TaskCreated: self.task,
                activities.MeetingCreated: self.meeting,
                opportunities.OpportunityCreated: self.opportunity,
                invoices.InvoiceIssued: self.books,
                payments.PaymentReceived: self.books,
            }
            self.found += ways[type(first)](life)

    @staticmethod
    def last(life: list[Told], *kinds: type[Any]) -> Any:
        return next((each for each in reversed(life) if isinstance(each.event, kinds)), None)

    def order(self, life: list[Told]) -> Iterable[Found]:
        told = self.last(life, orders.OrderCreated, orders.OrderChanged, orders.OrderConfirmed).event
        moved = self.last(life, orders.OrderAssigned)
        same = (told.owner_id if moved is None else moved.event.owner_id, told.customer_id, told.currency)
        yield Found("order_placed", told.ordered_at, *same, told.net)
        if confirmed := self.last(life, orders.OrderConfirmed):
            yield Found("order_confirmed", confirmed.at, *same, told.net)
        ended = self.last(life, orders.OrderCancelled, orders.OrderReinstated)
        if ended is not None and isinstance(ended.event, orders.OrderCancelled):
            yield Found("order_cancelled", ended.at, *same, told.net)
        before: dict[str, int] = defaultdict(int)
        for each in life:
            event = each.event
            if isinstance(event, orders.OrderShipmentProgressed):
                left = {one.line_id: one.quantity for one in event.lines}
                parts = [Decimal(one.net) * left[one.line_id] / one.quantity for one in told.lines]
                what, total = "order_shipped", sum(int(part.quantize(Decimal(1), ROUND_HALF_UP)) for part in parts)
            elif isinstance(event, orders.OrderInvoiced):
                what, total = "order_invoiced", event.invoiced
            elif isinstance(event, orders.OrderPaid):
                what, total = "order_paid", event.paid
            else:
                continue
            more = total - before[what]
            if more:
                yield Found(what, each.at, *same, more, count=1 if more > 0 else -1)
            before[what] = total

    def quote(self, life: list[Told]) -> Iterable[Found]:
        if self.last(life, quotes.QuoteDeleted):
            return
        told = self.last(life, quotes.QuoteCreated, quotes.QuoteUpdated).event
        same = (told.owner_id, told.customer_id, told.currency)
        yield Found("quote_made", life[0].at, *same, told.net)
        for kind, what in (
            (quotes.QuoteSent, "quote_sent"),
            (quotes.QuoteAccepted, "quote_accepted"),
            (quotes.QuoteDeclined, "quote_declined"),
        ):
            if each := self.last(life, kind):
                yield Found(what, each.at, *same, each.event.net if what == "quote_accepted" else told.net)

    def customer(self, life: list[Told]) -> Iterable[Found]:
        told = self.last(life, customers.CustomerCreated, customers.CustomerUpdated, customers.CustomerRestored).event
        same = {"owner": told.sales_rep_id, "customer": told.customer_id, "label": told.status, "segment": told.segment}
        yield Found("customer_added", life[0].at, **same)
        if isinstance(life[-1].event, customers.CustomerDeleted):
            yield Found("customer_deleted", life[-1].at, **same)
        else:
            yield Found("customer_standing", life[0].at, **same)

    def approval(self, life: list[Told]) -> Iterable[Found]:
        kinds = {
            approvals.ApprovalApproved: "approval_approved",
            approvals.ApprovalRejected: "approval_rejected",
            approvals.ApprovalRecalled: "approval_recalled",
            approvals.ApprovalVoided: "approval_voided",
        }
        asked = life[0].at
        for each in life:
            subject = each.event.subject  # type: ignore[attr-defined]
            same = {"owner": subject.requester_id, "label": subject.kind}
            if isinstance(each.event, approvals.ApprovalRequested):
                asked = each.at
                yield Found("approval_requested", each.at, **same)
            else:
                took = (each.at - asked) // timedelta(seconds=1)
                yield Found(kinds[type(each.event)], each.at, seconds=took, **same)
        if isinstance(life[-1].event, approvals.ApprovalRequested):
            yield Found("approval_open", asked, **same)

    def task(self, life: list[Told]) -> Iterable[Found]:
        if self.last(life, activities.TaskDeleted):
            return
        told = self.last(life, activities.TaskCreated, activities.TaskUpdated).event
        same = {"owner": told.user_id, "customer": told.customer_id, "label": told.priority}
        due = told.due_at
        if told.due_on is not None:
            after = told.due_on + timedelta(days=1)
            due = datetime(after.year, after.month, after.day, tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)
        yield Found("task_created", life[0].at, **same)
        end = self.last(life, activities.TaskCompleted, activities.TaskCancelled, activities.TaskReopened)
        if end is None or isinstance(end.event, activities.TaskReopened):
            yield Found("task_open", life[0].at, **same)
            if due is not None:
                yield Found("task_due", due, **same)
        elif isinstance(end.event, activities.TaskCancelled):
            yield Found("task_cancelled", end.at, **same)
        else:
            yield Found("task_completed", end.at, seconds=(end.at - life[0].at) // timedelta(seconds=1), **same)
            if due is not None:
                yield Found("task_on_time" if end.at < due else "task_late", end.at, **same)

    def meeting(self, life: list[Told]) -> Iterable[Found]:
        first, last = life[0].event, life[-1]
        assert isinstance(first, activities.MeetingCreated)
        same = (first.owner_id, first.customer_id)
        if isinstance(last.event, activities.MeetingHeld):
            yield Found("meeting_held", first.starts_at, *same)
        elif isinstance(last.event, activities.MeetingCancelled):
            yield Found("meeting_cancelled", last.at, *same)
        elif isinstance(last.event, activities.MeetingCreated):
            yield Found("meeting_planned", first.starts_at, *same)

    def opportunity(self, life: list[Told]) -> Iterable[Found]:
        told: Any = life[-1].event
        what = f"opportunity_{told.status}"
        at = life[0].at if told.status == "open" else life[-1].at
        yield Found(what, at, told.owner_id, told.customer_id, told.currency, told.amount)

    def books(self, life: list[Told]) -> Iterable[Found]:
        for each in life:
            event: Any = each.event
            names: dict[type, str] = {
                invoices.InvoiceIssued: "invoice_issued",
                payments.PaymentReceived: "payment_received",
            }
            what = names.get(type(event), "payment_reversed")
            amount = event.net if what == "invoice_issued" else event.amount
            customer = life[0].event.customer_id  # type: ignore[attr-defined]
            yield Found(what, event.effective_at, None, customer, event.currency, amount)
