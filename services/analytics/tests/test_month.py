"""A month that is made up: whatever order it arrives in, reports say what a count over the whole list says, today and as of three past days.

The count knows nothing of how reports are kept: it replays what had happened by a moment, looks how each document stands then, and adds up.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from selling_desk import ZONE, Desk

from contracts import activities, approvals, customers, invoices, opportunities, orders, payments, quotes
from tailrace.core.events import Event
from tailrace.core.ids import uuid7

BEGIN, UNTIL = date(2026, 10, 1), date(2026, 11, 1)
PAST = (date(2026, 10, 7), date(2026, 10, 16), date(2026, 10, 25))
TOKYO = ZoneInfo(ZONE)


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=TOKYO).astimezone(UTC)


@dataclass(frozen=True)
class Told:
    """An event as it was published."""

    at: datetime
    document: UUID
    sequence: int
    event: Event


class Month:
    """What happened, by document, in order."""

    def __init__(self, seed: int, desk: Desk) -> None:
        self.random = random.Random(seed)
        self.people = [desk.bo, desk.cy, desk.di]
        self.customers = [uuid7() for _ in range(9)]
        self.told: list[Told] = []
        self._ids = 0

    def id(self) -> UUID:
        return uuid7()

    def moment(self) -> datetime:
        """Some time from the last days of September to the first of November, often close to midnight in Tokyo."""
        day = date(2026, 9, 26) + timedelta(days=self.random.randrange(38))
        if self.random.random() < 0.3:
            return midnight(day) + timedelta(seconds=self.random.choice([-1, 0, 1]))
        return midnight(day) + timedelta(seconds=self.random.randrange(86_400))

    def tell(self, document: UUID, *steps: tuple[datetime, Event]) -> None:
        for number, (at, event) in enumerate(steps, 1):
            self.told.append(Told(at, document, number, event))

    def times(self, many: int) -> list[datetime]:
        first = self.moment()
        gaps = [timedelta(seconds=self.random.randrange(300_000)) for _ in range(many - 1)]
        times = [first]
        for gap in gaps:
            times.append(times[-1] + gap)
        return times

    def fill(self) -> None:
        for kind, many in (
            (self.customer, 9),
            (self.order, 40),
            (self.quote, 30),
            (self.approval, 25),
            (self.task, 40),
        ):
            for number in range(many):
                kind(number)
        for number in range(20):
            self.meeting(number)
            self.opportunity(number)
            self.invoice(number)

    def shuffled(self) -> list[Told]:
        """In some order in which each document's events keep theirs."""
        waiting: dict[UUID, list[Told]] = defaultdict(list)
        for each in self.told:
            waiting[each.document].append(each)
        found = []
        while waiting:
            document = self.random.choice(list(waiting))
            found.append(waiting[document].pop(0))
            if not waiting[document]:
                del waiting[document]
        return found

    # What happens to one document.

    def customer(self, number: int) -> None:
        id, (first, second, third, fourth) = self.customers[number], self.times(4)

        def said(status: Any) -> dict[str, Any]:
            segment = self.random.choice(["retail", "trade", None])
            said = {"number": f"C-{number}", "name": "Some", "kind": "company", "status": status, "segment": segment}
            return {
                **said,
                "currency": "EUR",
                "payment_terms_days": 30,
                "customer_id": id,
                "sales_rep_id": self.seller(),
            }

        steps: list[tuple[datetime, Event]] = [(first, customers.CustomerCreated(**said("prospect")))]
        steps.append((second, customers.CustomerUpdated(**said("active"))))
        if number % 3 == 0:
            steps.append((third, customers.CustomerDeleted(customer_id=id, number=f"C-{number}")))
            if number % 2 == 0:
                steps.append((fourth, customers.CustomerRestored(**said("active"))))
        self.tell(id, *steps)

    def seller(self) -> UUID | None:
        return self.random.choice([*self.people, None])

    def order(self, number: int) -> None:
        id, times = self.id(), iter(self.times(9))
        choose = self.random.choice
        currency = choose(["EUR", "JPY"])
        lines = [
            orders.OrderLine(
                line_id=self.id(),
                item_id=self.id(),
                sku="A",
                name="A",
                warehouse_id=self.id(),
                quantity=Decimal(self.random.randrange(1, 9)),
                unit_price=Decimal(100),
                net=self.random.randrange(1, 100_000),
                tax_rate=Decimal("0.1"),
                tax=1,
            )
            for _ in range(2)
        ]
        net, owner = sum(line.net for line in lines), self.seller()
        said: dict[str, Any] = {
            "order_id": id,
            "number": f"SO-{number}",
            "customer_reference": "R",
            "customer_name": "Some",
            "currency": currency,
            "tax": 2,
            "lines": lines,
            "customer_id": choose([*self.customers, None]),
            "owner_id": owner,
        }
        first = next(times)
        said["ordered_at"] = first - timedelta(days=choose([0, 0, 2]))
        steps: list[tuple[datetime, Event]] = [(first, orders.OrderCreated(**said, net=net + 7))]
        if number % 3 == 0:
            steps.append((next(times), orders.OrderChanged(**said, net=net + 3)))
        if number % 5:
            steps.append((next(times), orders.OrderConfirmed(**said, net=net)))
            if number % 4 == 1:
                to = self.seller()
                given = {"owner_id": to, "previous_owner_id": owner, "reason": "moved"}
                steps.append((next(times), orders.OrderAssigned(order_id=id, number=f"SO-{number}", **given)))
            if number % 7 == 1:
                steps.append((next(times), orders.OrderCancelled(order_id=id, reason="no")))
                if number % 2:
                    steps.append((next(times), orders.OrderReinstated(order_id=id, reason="left")))
            for part in ([1], [1, 2])[number % 2]:
                left = [
                    orders.LineQuantity(line_id=one.line_id, quantity=min(one.quantity, Decimal(part))) for one in lines
                ]
                shipped = orders.OrderShipmentProgressed(order_id=id, shipment="partial", lines=left)
                steps.append((next(times), shipped))
            invoice = {"order_id": id, "invoice_id": self.id(), "invoice_number": "I"}
            for total in ([net], [net, net - 100])[number % 2]:
                steps.append((next(times), orders.OrderInvoiced(**invoice, invoicing="partial", invoiced=total)))
            if number % 3 == 1:
                steps.append((steps[-1][0], orders.OrderPaid(**invoice, payment="full", paid=net)))
        self.tell(id, *steps)

    def quote(self, number: int) -> None:
        id, (first, second, third, fourth) = self.id(), self.times(4)
        customer, currency = self.random.choice(self.customers), self.random.choice(["EUR", "JPY"])
        head = {"quote_id": id, "number": f"Q-{number}", "revision": 1}
        owner = self.seller()

        def said(net: int) -> dict[str, Any]:
            given = {**head, "customer_id": customer, "customer_name": "Some", "currency": currency, "owner_id": owner}
            return {**given, "dated": first, "valid_until": first, "discount": 0, "net": net, "tax": 0, "lines": []}

        def of_day(given: dict[str, Any]) -> dict[str, Any]:
            return {**given, "dated": first.date(), "valid_until": first.date()}

        net = self.random.randrange(1, 50_000)
        steps: list[tuple[datetime, Event]] = [(first, quotes.QuoteCreated(**of_day(said(net))))]
        ends = {**head, "customer_id": customer}
        sent = quotes.QuoteSent(**ends, valid_until=first.date(), net=net + 5, tax=0, currency=currency)
        if number % 6 == 0:
            steps.append((second, quotes.QuoteDeleted(**head)))
        else:
            steps += [(second, quotes.QuoteUpdated(**of_day(said(net + 5)))), (third, sent)]
        taken = {"customer_name": "Some", "customer_reference": "R", "accepted_at": fourth, "warehouse_id": self.id()}
        ending: dict[int, Event] = {
            1: quotes.QuoteAccepted(**ends, **taken, currency=currency, net=net - 1, tax=0, lines=[]),
            2: quotes.QuoteDeclined(**ends, reason="dear"),
            3: quotes.QuoteExpired(**ends, valid_until=first.date()),
            4: quotes.QuoteCancelled(**head, reason="no"),
        }
        if number % 6 in ending:
            steps.append((fourth, ending[number % 6]))
        self.tell(id, *steps)

    def approval(self, number: int) -> None:
        id, times = self.id(), iter(self.times(5))
        kind = self.random.choice(["quote", "order"])
        subject = approvals.ApprovalSubject(
            kind=kind,
            id=self.id(),
            number=f"A-{number}",
            sha256="0" * 64,
            amount=self.random.randrange(1, 9_000),
            currency="EUR",
            requester_id=self.seller(),
        )
        said: dict[str, Any] = {"approval_id": id, "subject": subject}
        steps: list[tuple[datetime, Event]] = [(next(times), approvals.ApprovalRequested(**said))]
        if number % 5 == 1:
            steps.append((next(times), approvals.ApprovalRejected(**said, reason="no", then="restart")))
            steps.append((next(times), approvals.ApprovalRequested(**said, round=2)))
        if number % 5 != 4:
            steps.append((next(times), approvals.ApprovalApproved(**said)))
        if number % 5 == 2:
            steps.append((next(times), approvals.ApprovalVoided(**said)))
        if number % 5 == 4 and number % 2:
            steps.append((next(times), approvals.ApprovalRecalled(**said)))
        self.tell(id, *steps)

    def task(self, number: int) -> None:
        id, (first, second, third, fourth) = self.id(), self.times(4)
        customer, user = self.random.choice([*self.customers, None]), self.random.choice(self.people)
        due: dict[str, Any] = {}
        if number % 3 == 0:
            due = {"due_at": first + timedelta(days=2)}
        elif number % 3 == 1:
            due = {"due_on": (first + timedelta(days=3)).date()}
        head = {"task_id": id, "title": "T", "customer_id": customer}
        said = {**head, "user_id": user, "status": "open", "time_zone": "America/New_York", **due}
        steps: list[tuple[datetime, Event]] = [(first, activities.TaskCreated(**said, priority="high"))]
        match number % 8:
            case 0 | 1 | 2:
                steps.append((second, activities.TaskCompleted(**head, user_id=user, completed_at=second)))
            case 3:
                steps.append((second, activities.TaskCompleted(**head, user_id=user, completed_at=second)))
                steps.append((third, activities.TaskReopened(**head, user_id=user)))
                steps.append((fourth, activities.TaskCompleted(**head, user_id=user, completed_at=fourth)))
            case 4:
                steps.append((second, activities.TaskCancelled(**head, user_id=user)))
            case 5:
                steps.append((second, activities.TaskDeleted(**head)))
            case 6:
                to = self.random.choice(self.people)
                steps.append((second, activities.TaskAssigned(**head, user_id=to, previous_user_id=user)))
                steps.append((second, activities.TaskUpdated(**{**said, "user_id": to}, priority="low")))
        self.tell(id, *steps)

    def meeting(self, number: int) -> None:
        id, (first, second, third) = self.id(), self.times(3)
        head = {"meeting_id": id, "customer_id": self.random.choice(self.customers), "title": "M"}
        owner = self.seller()
        said = {**head, "owner_id": owner, "time_zone": ZONE, "starts_at": second, "ends_at": second}
        steps: list[tuple[datetime, Event]] = [(first, activities.MeetingCreated(**said, status="planned"))]
        ending: dict[int, Event] = {
            1: activities.MeetingHeld(**head, owner_id=owner),
            2: activities.MeetingCancelled(**head, owner_id=owner),
            3: activities.MeetingHidden(**head),
        }
        if number % 4 in ending:
            steps.append((third, ending[number % 4]))
        self.tell(id, *steps)

    def opportunity(self, number: int) -> None:
        id, (first, second, third) = self.id(), self.times(3)
        owner, amount = self.seller(), self.random.randrange(1, 70_000)
        said: dict[str, Any] = {
            "opportunity_id": id,
            "number": f"O-{number}",
            "name": "O",
            "customer_id": self.random.choice(self.customers),
            "owner_id": owner,
            "pipeline_id": self.id(),
            "stage": "s",
            "currency": "EUR",
            "category": "best",
            "expected_close_on": BEGIN,
        }
        steps: list[tuple[datetime, Event]] = [
            (first, opportunities.OpportunityCreated(**said, status="open", amount=amount))
        ]
        if number % 4:
            status = ("won", "won", "lost")[number % 4 - 1]
            steps.append((second, opportunities.OpportunityUpdated(**said, status=status, amount=amount + 9)))
        if number % 4 == 2:
            steps.append((third, opportunities.OpportunityUpdated(**said, status="open", amount=amount)))
        self.tell(id, *steps)

    def invoice(self, number: int) -> None:
        (at,) = self.times(1)
        said: dict[str, Any] = {"currency": "EUR", "net": self.random.randrange(1, 9_000), "tax": 0, "taxes": []}
        said |= {"lines": [], "customer_id": self.random.choice(self.customers), "dated": at.date(), "effective_at": at}
        id = self.id()
        issued = invoices.InvoiceIssued(
            **said, invoice_id=id, customer_name="S", number="I", due_on=at.date(), delivered_net=0, delivered_tax=0
        )
        self.tell(id, (at, issued))
        paid = self.id()
        received = payments.PaymentReceived(
            payment_id=paid,
            number="P",
            bank_account_id=self.id(),
            account="1000",
            currency="EUR",
            amount=said["net"],
            value_day=at.date(),
            effective_at=at,
        )
        steps: list[tuple[datetime, Event]] = [(at, received)]
        if number % 4 == 0:
            back = at + timedelta(days=3)
            gone = payments.PaymentReversed(
                payment_id=paid,
                account="1000",
                currency="EUR",
                amount=said["net"],
                reason="no",
                day=back.date(),
                effective_at=back,
            )
            steps.append((back, gone))
        self.tell(paid, *steps)


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
                yield Found(kinds[type(each.event)], each.at, seconds=took, **same)  # type: ignore[index]
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
            names = {invoices.InvoiceIssued: "invoice_issued", payments.PaymentReceived: "payment_received"}
            what = names.get(type(event), "payment_reversed")
            amount = event.net if what == "invoice_issued" else event.amount
            customer = life[0].event.customer_id  # type: ignore[attr-defined]
            yield Found(what, event.effective_at, None, customer, event.currency, amount)


FIELDS = {
    "sales-summary": {
        "placed": "order_placed",
        "confirmed": "order_confirmed",
        "cancelled": "order_cancelled",
        "shipped": "order_shipped",
        "invoiced": "order_invoiced",
        "paid": "order_paid",
        "quotes_made": "quote_made",
        "quotes_sent": "quote_sent",
        "quotes_accepted": "quote_accepted",
        "quotes_declined": "quote_declined",
        "opportunities_won": "opportunity_won",
        "opportunities_lost": "opportunity_lost",
        "invoices_issued": "invoice_issued",
        "payments_received": "payment_received",
        "payments_reversed": "payment_reversed",
    },
    "customer-statistics": {"added": "customer_added", "deleted": "customer_deleted"},
    "approval-statistics": {
        "requested": "approval_requested",
        "approved": "approval_approved",
        "rejected": "approval_rejected",
        "recalled": "approval_recalled",
        "voided": "approval_voided",
    },
    "task-completion": {
        "created": "task_created",
        "completed": "task_completed",
        "on_time": "task_on_time",
        "late": "task_late",
        "cancelled": "task_cancelled",
        "meetings_held": "meeting_held",
        "meetings_cancelled": "meeting_cancelled",
    },
}
STANDING = {
    "sales-summary": {"opportunities_open": "opportunity_open"},
    "customer-statistics": {"customers": "customer_standing"},
    "approval-statistics": {"open": "approval_open"},
    "task-completion": {"open": "task_open", "overdue": "task_due", "meetings_planned": "meeting_planned"},
}


def first_day(moment: datetime, interval: str) -> str:
    day = moment.astimezone(TOKYO).date()
    if interval == "whole":
        return BEGIN.isoformat()
    if interval == "week":
        day = max(day - timedelta(days=day.weekday()), BEGIN)
    return day.isoformat()


def half_up(seconds: int, count: int) -> int:
    return int((Decimal(seconds) / count).quantize(Decimal(1), ROUND_HALF_UP))


def counted(found: Iterable[Found], fields: dict[str, str], key: Callable[[Found], tuple[Any, ...]]) -> dict[Any, Any]:
    names = {what: name for name, what in fields.items()}
    rows: dict[Any, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    for each in found:
        if each.what in names:
            total = rows[key(each)][names[each.what]]
            for place, more in enumerate((each.count, each.amount, each.seconds)):
                total[place] += more
    return {
        at: {name: total for name, total in row.items() if total != [0, 0, 0]}
        for at, row in rows.items()
        if any(total != [0, 0, 0] for total in row.values())
    }


def shown(rows: list[dict[str, Any]], fields: dict[str, str], head: tuple[str, ...], money: bool) -> dict[Any, Any]:
    found = {}
    for row in rows:
        figures = {}
        for name in fields:
            figure = row[name]
            total = [figure["count"], figure["amount"] if money else 0, figure.get("average_seconds")]
            if figure["count"] or (money and figure["amount"]):
                figures[name] = total
        if figures:
            found[tuple(row.get(name) for name in head)] = figures
    return found


def same(expected: dict[Any, Any], found: dict[Any, Any], money: bool) -> None:
    assert expected.keys() == found.keys()
    for key, row in expected.items():
        assert row.keys() == found[key].keys(), key
        for name, (count, amount, seconds) in row.items():
            other = found[key][name]
            assert [count, amount if money else 0] == other[:2], (key, name)
            if other[2] is not None:
                assert half_up(seconds, count) == other[2], (key, name)


KEYS: dict[str, Callable[[Found], Any]] = {
    "company": lambda one: None,
    "person": lambda one: one.owner and str(one.owner),
    "customer": lambda one: one.customer and str(one.customer),
    "status": lambda one: one.label,
    "kind": lambda one: one.label,
    "priority": lambda one: one.label,
    "segment": lambda one: one.segment,
}
ASKED = (
    ("sales-summary", "company", "day"),
    ("sales-summary", "person", "week"),
    ("sales-summary", "team", "whole"),
    ("sales-summary", "customer", "whole"),
    ("customer-statistics", "company", "week"),
    ("customer-statistics", "status", "whole"),
    ("customer-statistics", "segment", "whole"),
    ("approval-statistics", "company", "day"),
    ("approval-statistics", "kind", "whole"),
    ("approval-statistics", "person", "week"),
    ("task-completion", "company", "day"),
    ("task-completion", "person", "whole"),
    ("task-completion", "priority", "week"),
)


async def deliver(desk: Desk, month: Month) -> None:
    """In some order, in batches, a third of it twice."""
    records = []
    for each in month.shuffled():
        record = desk.h._record(each.event, each.document, each.sequence, desk.h.tenant, each.at, None)
        records.append(record)
        if month.random.random() < 0.3:
            records.append(month.random.choice(records))
    while records:
        many = month.random.randrange(1, 60)
        await desk.h.redeliver(*records[:many])
        del records[:many]


async def compare(desk: Desk, month: Month, as_of: date | None) -> None:
    moment = None if as_of is None else midnight(as_of + timedelta(days=1)) - timedelta(microseconds=1)
    count = Count(month, moment)
    end = midnight(UNTIL) - timedelta(microseconds=1)
    standing_at = end if moment is None else min(moment, end)
    then = Count(month, standing_at)
    # Cy went to the south on the 14th.
    moved = moment is None or moment >= midnight(date(2026, 10, 14))
    north, south = str(desk.north), str(desk.south)
    team = {desk.bo: north, desk.cy: south if moved else north, desk.di: south}
    keys = {**KEYS, "team": lambda one: team.get(one.owner)}
    for report, by, interval in ASKED:
        money = report == "sales-summary"
        asked = {"from_": BEGIN, "until": UNTIL, "by": by, "interval": interval, "as_of": as_of}
        answer = await desk.ask(f"/v1/reports/{report}", **asked)
        within = [each for each in count.found if midnight(BEGIN) <= each.at < midnight(UNTIL)]

        def place(one: Found) -> tuple[Any, ...]:
            return (first_day(one.at, interval), keys[by](one), one.currency if money else None)  # noqa: B023

        expected = counted(within, FIELDS[report], place)
        found = shown(answer["rows"], FIELDS[report], ("begins_on", "key", "currency"), money)
        assert expected, (report, by)
        same(expected, found, money)
        stands = [one for one in then.found if one.what != "task_due" or one.at <= standing_at]
        expected = counted(
            stands,
            STANDING[report],
            lambda one: (keys[by](one), one.currency if money else None),  # noqa: B023
        )
        same(expected, shown(answer["standing"], STANDING[report], ("key", "currency"), money), money)
        if report == "customer-statistics" and by == "company":
            ordering = defaultdict(set)
            for one in within:
                if one.what == "order_confirmed" and one.customer is not None:
                    ordering[first_day(one.at, interval)].add(one.customer)
            told = {row["begins_on"]: row["ordering"] for row in answer["rows"] if row["ordering"]}
            assert told == {day: len(who) for day, who in ordering.items()}


@pytest.mark.parametrize("seed", [1, 20261128])
async def test_reports_say_what_a_count_of_everything_says(desk: Desk, seed: int) -> None:
    month = Month(seed, desk)
    month.fill()
    await desk.form(desk.north, desk.bo, at=midnight(date(2026, 10, 14)))
    await desk.form(desk.south, desk.di, desk.cy, at=midnight(date(2026, 10, 14)))
    await deliver(desk, month)
    for as_of in (None, *PAST):
        await compare(desk, month, as_of)
