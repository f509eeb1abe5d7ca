"""What was taken away counts no more, and again only when it is there again."""

from datetime import date, datetime
from typing import Any

import pytest
from selling_desk import NOON, order_said

from analytics.measures import CARRIED, Measure
from analytics.standings import accounting as of_accounting
from analytics.standings import activities as of_activities
from analytics.standings import opportunities as of_opportunities
from analytics.standings import orders as of_orders
from analytics.standings.standing import Entry
from contracts import activities, invoices, opportunities, orders, reopenings
from tailrace.core.ids import uuid7


def entries(fold: Any, *told: Any, at: datetime = NOON) -> list[tuple[str, int]]:
    """The measures that a document counts in after all of these events, with amounts."""
    standing = None
    for event in told:
        standing = fold(standing, event, at)
    return [] if standing is None else [(entry.measure, entry.amount) for entry in standing.entries()]


def test_a_deleted_opportunity_that_follows_its_customer_stays_deleted() -> None:
    id = uuid7()
    said = {"opportunity_id": id, "number": "O", "name": "O", "status": "open", "pipeline_id": uuid7(), "stage": "s"}
    said |= {"amount": 700, "currency": "EUR", "category": "best", "expected_close_on": date(2026, 12, 1)}
    made = opportunities.OpportunityCreated(**said, customer_id=uuid7())
    gone = opportunities.OpportunityDeleted(opportunity_id=id, number="O")
    moved = opportunities.OpportunityUpdated(**said, customer_id=uuid7())
    back = opportunities.OpportunityRestored(**said, customer_id=uuid7())
    there = [("opportunity_created", 700), ("opportunity_open", 700)]
    assert entries(of_opportunities.fold_opportunity, made) == there
    assert entries(of_opportunities.fold_opportunity, made, gone, moved) == []
    assert entries(of_opportunities.fold_opportunity, made, gone, moved, back, moved) == there


@pytest.mark.parametrize("kind", ["task", "meeting"])
def test_a_deleted_task_or_meeting_that_is_handed_over_stays_deleted_until_it_is_restored(kind: str) -> None:
    head: dict[str, Any] = {f"{kind}_id": uuid7(), "title": "T", "customer_id": uuid7()}
    if kind == "task":
        fold: Any = of_activities.fold_task
        said = {**head, "user_id": uuid7(), "status": "open", "priority": "high", "time_zone": "Etc/UTC"}
        life: list[Any] = [
            activities.TaskCreated(**said),
            activities.TaskDeleted(**head),
            activities.TaskUpdated(**said),
        ]
        back: Any = activities.TaskRestored(**said)
    else:
        fold = of_activities.fold_meeting
        said = {
            **head,
            "owner_id": uuid7(),
            "status": "planned",
            "starts_at": NOON,
            "ends_at": NOON,
            "time_zone": "Etc/UTC",
        }
        life = [activities.MeetingCreated(**said), activities.MeetingDeleted(**head), activities.MeetingUpdated(**said)]
        back = activities.MeetingRestored(**said)
    assert entries(fold, *life) == []
    assert entries(fold, *life, back) == entries(fold, life[0]) != []


def test_an_order_that_was_reopened_is_placed_and_no_more_until_it_binds_again() -> None:
    said = order_said(1, 600, None)
    id = said["order_id"]
    reopened = reopenings.OrderReopened(order_id=id, number="SO-1", revision=2)
    first = [orders.OrderCreated(**said), orders.OrderConfirmed(**said)]
    assert entries(of_orders.fold, *first) == [("order_placed", 600), ("order_confirmed", 600)]
    assert entries(of_orders.fold, *first, reopened) == [("order_placed", 600)]
    again = orders.OrderConfirmed(**{**said, "net": 900}, revision=2)
    assert entries(of_orders.fold, *first, reopened, again) == [("order_placed", 900), ("order_confirmed", 900)]


def test_an_entry_has_no_figure_that_its_measure_does_not_carry() -> None:
    """A wide question does not read what no row of its measures has: such a row would be in one answer and not in the other."""
    said: list[tuple[Measure, dict[str, Any]]] = [
        ("task_created", {"seconds": 1}),
        ("task_completed", {"amount": 1}),
        ("order_paid", {"quantity": 1}),
        ("meeting_held", {"amount": 1}),
    ]
    for measure, figures in said:
        with pytest.raises(ValueError, match=measure):
            Entry(measure, NOON, **figures)
    for measure, carried in CARRIED.items():
        every: dict[str, Any] = dict.fromkeys(carried, 1)
        Entry(measure, NOON, **every)


def test_what_another_system_invoiced_is_not_invoiced_again() -> None:
    said: dict[str, Any] = {"invoice_id": uuid7(), "customer_name": "Ada", "currency": "EUR", "net": 700, "tax": 70}
    said |= {"taxes": [], "lines": [], "number": "RE-1", "dated": date(2025, 12, 1), "due_on": date(2025, 12, 31)}
    issued = invoices.InvoiceIssued(**said, delivered_net=0, delivered_tax=0, effective_at=NOON)
    assert entries(of_accounting.fold_invoice, issued) == [("invoice_issued", 700)]
    theirs = issued.model_copy(update={"taken_over_on": date(2026, 1, 1)})
    assert entries(of_accounting.fold_invoice, theirs) == []
