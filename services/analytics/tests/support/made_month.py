"""A month that is made up from a seed: what happened to customers, orders, quotes, approvals, tasks, meetings, opportunities and invoices."""

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

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
