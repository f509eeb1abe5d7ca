"""What follows from a sales team's month, from the log of what people asked (`team_asks`) alone: forecasts, ages of stages, timelines.

It imports nothing of the product. Who notes the log says what was accepted.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from selling_month import OPEN, Ledger
from team_asks import ABOUT, PEOPLE, SUCCESSOR, Step

Entry = tuple[str, str, int, datetime | None]
"""Type, kind and number of the document, and when it happened where the event says so itself."""


@dataclass
class Month:
    """What follows from what was accepted."""

    ledger: Ledger
    into: list[int | None] = field(default_factory=list)
    """Of each customer, whom it stands for."""
    gone: set[int] = field(default_factory=set)
    reps: list[int | None] = field(default_factory=list)
    currencies: list[str] = field(default_factory=list)
    own: dict[tuple[str, int], int | None] = field(default_factory=dict)
    """Of each document, the customer that it was made for."""
    entries: list[Entry] = field(default_factory=list)
    status: dict[tuple[str, int], str] = field(default_factory=dict)
    lead_owner: dict[int, int | None] = field(default_factory=dict)
    quoted: dict[int, tuple[int, int, str]] = field(default_factory=dict)
    """Of each quote, its opportunity, net and currency."""
    last_day: dict[int, date] = field(default_factory=dict)
    """Of each quote, the last day on which it can be accepted."""
    proposed: dict[int, tuple[int, str, str]] = field(default_factory=dict)
    away: int = 0
    """Who was absent for a part of the month."""
    lent: list[tuple[str, int]] = field(default_factory=list)
    """What they handed over for that time: leads and opportunities, by the step that assigns them."""
    ended: dict[int, list[tuple[str, int]]] = field(default_factory=dict)
    """What ended with a customer, for when it is back."""

    def meant(self, step: Step) -> Step | None:
        """The step with its numbers taken round among what is there; None where nothing is."""
        kind = ABOUT.get(step.action)
        count = sum(one == kind for one, _ in self.own)
        if kind is not None and count == 0:
            return None
        said = {
            name: value % len(self.into) if name in {"customer", "existing", "into"} and value is not None else value
            for name, value in step.said.items()
        }
        return replace(step, of=step.of if kind is None else step.of % count, said=said)

    def handed_over(self, step: Step) -> list[Step]:
        """What is asked when the busiest goes for a while, or returns: all that is open is another's for that time."""
        if step.action == "go":
            held = [(owner, which) for owner, which in self._held() if owner is not None]
            self.away = Counter(owner for owner, _ in held).most_common(1)[0][0]
            self.lent = [which for owner, which in held if owner == self.away]
            owner = (self.away + 1) % PEOPLE
            return [Step(step.at, *which, said={"owner": owner}) for which in self.lent]
        back = [which for owner, which in self._held() if which in self.lent and owner != self.away]
        return [Step(step.at, *which, said={"owner": self.away}) for which in back]

    def _held(self) -> Iterator[tuple[int | None, tuple[str, int]]]:
        """Whose what is open is, and by which step it is assigned."""
        for number in range(len(self.ledger.states)):
            now = self.ledger.now(number)
            if now["status"] == "open":
                yield now["owner"], ("assign", number)
        for number, owner in self.lead_owner.items():
            if self.status["lead", number] in {"new", "qualified"}:
                yield owner, ("assign_lead", number)

    def root(self, customer: int) -> int:
        while (further := self.into[customer]) is not None:
            customer = further
        return customer

    def timeline(self, customer: int) -> Counter[Entry]:
        """What a customer shows who stands for itself: its own, and that of those that it stands for."""
        return Counter(
            entry
            for entry in self.entries
            if (of := self.own[entry[1], entry[2]]) is not None and self.root(of) == customer
        )

    def tell(self, type: str, kind: str, number: int, at: datetime | None = None) -> None:
        self.entries.append((type, kind, number, at))

    def _make(self, kind: str, number: int, customer: int | None, type: str) -> None:
        self.own[kind, number] = customer
        self.tell(type, kind, number)

    def note(self, step: Step) -> None:
        getattr(self, f"_{step.action}")(step, **step.said)

    def _customer(self, step: Step, rep: int | None = None, currency: str = "EUR") -> None:
        number = len(self.into)
        self.into.append(None)
        self.reps.append(rep)
        self.currencies.append(currency)
        self._make("customer", number, number, "customer.created")

    def _lead(self, step: Step) -> None:
        number = len(self.lead_owner)
        self.lead_owner[number], self.status["lead", number] = None, "new"
        self._make("lead", number, None, "crm.lead.created")

    def _qualify_lead(self, step: Step) -> None:
        self.status["lead", step.of] = "qualified"
        self.tell("crm.lead.qualified", "lead", step.of)

    def _lose_lead(self, step: Step) -> None:
        self.status["lead", step.of] = "lost"
        self.tell("crm.lead.lost", "lead", step.of)

    def _assign_lead(self, step: Step, owner: int) -> None:
        self.lead_owner[step.of] = owner

    def _convert(self, step: Step, existing: int | None, deal: dict[str, Any]) -> None:
        if existing is None:
            self._customer(step, self.lead_owner[step.of], deal["currency"])
            customer = len(self.into) - 1
        else:
            customer = self.root(existing)
        self.own["lead", step.of], self.status["lead", step.of] = customer, "converted"
        self.tell("crm.lead.converted", "lead", step.of)
        # A customer who is there is invoiced as before.
        said = {**deal, "category": "pipeline", "probability": None, "stage": OPEN[0]}
        said["currency"] = self.currencies[customer]
        self._deal(step, customer, {**said, "owner": self.lead_owner[step.of]})

    def _open(self, step: Step, customer: int, **said: Any) -> None:
        self._deal(step, self.root(customer), said)

    def _deal(self, step: Step, customer: int, said: dict[str, Any]) -> None:
        number = len(self.ledger.states)
        self.ledger.add(number, step.at, **said, status="open", closed_on=None)
        self._make("opportunity", number, customer, "crm.opportunity.created")

    def _replace(self, step: Step, **said: Any) -> None:
        self.ledger.add(step.of, step.at, **said)

    def _assign(self, step: Step, owner: int) -> None:
        self.ledger.add(step.of, step.at, owner=owner)

    def _move(self, step: Step, stage: str) -> None:
        if self.ledger.now(step.of)["stage"] != stage:
            self._enter(step, stage)

    def _enter(self, step: Step, stage: str, **said: Any) -> None:
        self.ledger.add(step.of, step.at, stage=stage, **said)
        self.tell("crm.opportunity.stage_changed", "opportunity", step.of, step.at)

    def _win(self, step: Step, amount: int | None) -> None:
        day, worth = str(self.ledger.day(step.at)), {}
        if (proposal := self.proposed.pop(step.of, None)) is not None:
            net, currency, day = proposal
            worth = {"amount": net, "currency": currency}
        if amount is not None:
            worth = {"amount": amount}
        self._enter(step, "WON", status="won", closed_on=day, **worth)
        self.tell("crm.opportunity.won", "opportunity", step.of)

    def _lose(self, step: Step) -> None:
        self.proposed.pop(step.of, None)
        self._enter(step, "LOST", status="lost", closed_on=str(self.ledger.day(step.at)))
        self.tell("crm.opportunity.lost", "opportunity", step.of)

    def _reopen(self, step: Step, stage: str) -> None:
        self._enter(step, stage, status="open", closed_on=None)
        self.tell("crm.opportunity.reopened", "opportunity", step.of)

    def _delete(self, step: Step) -> None:
        self.ledger.add(step.of, step.at, status="deleted")
        self.tell("crm.opportunity.deleted", "opportunity", step.of)

    def _quote(self, step: Step, price: int, currency: str, valid: int) -> None:
        number, customer = len(self.quoted), self.own["opportunity", step.of]
        assert customer is not None
        self.quoted[number] = step.of, 10 * price, currency
        self.status["quote", number] = "draft"
        self.last_day[number] = self.ledger.day(step.at) + timedelta(days=valid)
        self._make("quote", number, self.root(customer), "quote.created")

    def _submit(self, step: Step) -> None:
        # Whoever is asked is the one who buys by now.
        customer = self.own["quote", step.of]
        assert customer is not None
        self.own["quote", step.of], self.status["quote", step.of] = self.root(customer), "approved"
        self.tell("quote.approved", "quote", step.of)

    def _send(self, step: Step) -> None:
        self.status["quote", step.of] = "sent"
        self.tell("quote.sent", "quote", step.of)

    def _accept(self, step: Step) -> None:
        if self.status["quote", step.of] == "accepted":
            return
        self.status["quote", step.of] = "accepted"
        self.tell("quote.accepted", "quote", step.of, step.at)
        deal, net, currency = self.quoted[step.of]
        if self.ledger.now(deal)["status"] == "open":
            self.proposed[deal] = net, currency, str(self.ledger.day(step.at))

    def expire(self, at: datetime) -> None:
        """What was sent and has not been answered by its last day, by a moment."""
        for number, last in self.last_day.items():
            if self.status["quote", number] == "sent" and last < self.ledger.day(at):
                self.status["quote", number] = "expired"
                self.tell("quote.expired", "quote", number)

    def _task(self, step: Step, customer: int) -> None:
        self._begin("task", customer, "open")

    def _meet(self, step: Step, customer: int) -> None:
        self._begin("meeting", customer, "planned")

    def _begin(self, kind: str, customer: int, status: str) -> None:
        number = sum(one == kind for one, _ in self.own)
        self._make(kind, number, customer, f"{kind}.created")
        self.status[kind, number] = status

    def _finish(self, step: Step, status: str) -> None:
        type = {"done": "task.completed", "cancelled": "task.cancelled", "open": "task.reopened"}[status]
        self._become(("task", step.of), status, type, step.at if status == "done" else None)

    def _hold(self, step: Step, status: str) -> None:
        type = {"held": "meeting.held", "cancelled": "meeting.cancelled", "planned": "meeting.reopened"}[status]
        self._become(("meeting", step.of), status, type)

    def _become(self, which: tuple[str, int], status: str, type: str, at: datetime | None = None) -> None:
        if self.status[which] != status:
            self.status[which] = status
            self.tell(type, *which, at)

    def _merge(self, step: Step, into: int) -> None:
        self.into[step.of] = into
        self.tell("customer.merged", "customer", step.of)
        # Open quotes are the other's from then on, whatever is undone; all else comes back.
        for number in self._open_quotes(step.of):
            self.own["quote", number] = self.root(into)

    def _unmerge(self, step: Step) -> None:
        self.into[step.of] = None
        self.tell("customer.unmerged", "customer", step.of)

    def _drop_customer(self, step: Step) -> None:
        self.gone.add(step.of)
        self.tell("customer.deleted", "customer", step.of)
        for number in self._open_quotes(step.of):
            self.status["quote", number] = "cancelled"
            self.tell("quote.cancelled", "quote", number)
        ended = self.ended[step.of] = []
        for (kind, number), own in self.own.items():
            # What belonged to one that stands for another by now is the other's, and goes on.
            if own is None or self.root(own) != step.of:
                continue
            if kind == "opportunity" and self.ledger.now(number)["status"] == "open":
                self._delete(Step(step.at, "delete", number))
                ended.append((kind, number))
            if kind == "task" and self.status[kind, number] == "open":
                self._become((kind, number), "cancelled", "task.cancelled")
                ended.append((kind, number))

    def _open_quotes(self, customer: int) -> list[int]:
        here = [number for number in self.quoted if self.own["quote", number] == customer]
        return [number for number in here if self.status["quote", number] in {"draft", "approved", "sent"}]

    def _restore_customer(self, step: Step) -> None:
        self.gone.discard(step.of)
        self.tell("customer.restored", "customer", step.of)
        for kind, number in self.ended.pop(step.of):
            if kind == "opportunity":
                self.ledger.add(number, step.at, status="open")
            else:
                self._become((kind, number), "open", "task.reopened")

    def _leave(self, step: Step) -> None:
        for number, states in enumerate(self.ledger.states):
            now = states[-1][1]
            if now["owner"] == step.of and now["status"] == "open":
                self.ledger.add(number, step.at, owner=SUCCESSOR)
        for number, owner in self.lead_owner.items():
            if owner == step.of and self.status["lead", number] in {"new", "qualified"}:
                self.lead_owner[number] = SUCCESSOR
        for number, rep in enumerate(self.reps):
            if rep == step.of and number not in self.gone:
                self.reps[number] = SUCCESSOR
                self.tell("customer.assigned", "customer", number)
