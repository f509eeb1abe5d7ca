"""The catalogue: every kind of news, with its words."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from contracts.activities import MeetingReminderReached, TaskAssigned, TaskCreated, TaskDueSoon
from contracts.analytics import KpiUpdated
from contracts.approvals import ApprovalApproved, ApprovalAssigned, ApprovalEscalated, ApprovalRejected
from contracts.carriage import BookingTracked
from contracts.invoices import InvoiceOverdueReached, InvoicePaid
from contracts.shipments import ShipmentDelivered
from notifications.kinds import Audience, Kind, Language, numbered, own_customer
from notifications.selling import SELLING
from tailrace.core.events import Event


def _subjects_customer(event: Any) -> UUID | None:
    said = event.subject.attributes.get("customer_id")
    return UUID(said) if said else None


def _assigned(event: Any) -> Audience:
    return Audience(users=event.user_ids, roles=event.roles)


def _whose_kpi(event: KpiUpdated) -> Audience:
    if event.subject == "person":
        return Audience(users=[event.subject_id])
    return Audience(team_id=event.subject_id if event.subject == "team" else None)


def _requester(event: Any) -> UUID | None:
    """Who asks sees it, whatever others are to decide."""
    requester_id: UUID | None = event.subject.requester_id
    return requester_id


def _titled(event: Any) -> dict[str, Any]:
    return {"title": event.title}


def _subject(event: Any) -> dict[str, Any]:
    return {"number": event.subject.number, "reason": getattr(event, "reason", None) or ""}


def _is_in_trouble(event: BookingTracked) -> bool:
    """Since now: a step from before that is told late says nothing new."""
    return event.state in _TROUBLE and any(step.state == event.state for step in event.steps)


_TROUBLE: Mapping[str, Mapping[Language, str]] = {
    "lost": {"en": "it is lost", "ja": "紛失しました"},
    "exception": {"en": "something keeps it from being delivered", "ja": "配達できない状況です"},
    "returned": {"en": "it is on its way back", "ja": "返送されました"},
}


CATALOGUE: tuple[Kind, ...] = (
    *SELLING,
    Kind(
        "approval.requested",
        "approvals:read",
        {
            ApprovalAssigned: {
                "en": ("{number} waits for your approval", "Somebody asks for your decision about {number}."),
                "ja": ("承認依頼: {number}", "{number} があなたの承認を待っています。"),
            }
        },
        to=_assigned,
        document="approval_id",
        path="/v1/approvals",
        by_owner=True,
        owner=_requester,
        customer=_subjects_customer,
        values=_subject,
        urgent=True,
        plural={"en": "approvals that wait for you", "ja": "承認依頼"},
    ),
    Kind(
        "approval.answered",
        "approvals:read",
        {
            ApprovalApproved: {
                "en": ("{number} is approved", "What you asked for, {number}, is approved."),
                "ja": ("承認されました: {number}", "申請した {number} が承認されました。"),
            },
            ApprovalRejected: {
                "en": ("{number} is rejected", "What you asked for, {number}, is rejected: {reason}"),
                "ja": ("却下されました: {number}", "申請した {number} が却下されました。理由: {reason}"),
            },
        },
        to=lambda event: Audience(users=[event.subject.requester_id]),
        document="approval_id",
        path="/v1/approvals",
        by_owner=True,
        owner=_requester,
        customer=_subjects_customer,
        values=_subject,
        plural={"en": "answers to what you asked for", "ja": "申請への回答"},
    ),
    Kind(
        "approval.escalated",
        "approvals:read",
        {
            ApprovalEscalated: {
                "en": (
                    "{number} is overdue for a decision",
                    "{number} was not decided in time. You may decide it now.",
                ),
                "ja": ("期限超過の承認: {number}", "{number} は期限までに決裁されませんでした。あなたが決裁できます。"),
            }
        },
        to=_assigned,
        document="approval_id",
        path="/v1/approvals",
        by_owner=True,
        owner=_requester,
        customer=_subjects_customer,
        values=_subject,
        urgent=True,
        plural={"en": "approvals that are overdue", "ja": "期限超過の承認"},
    ),
    Kind(
        "task.assigned",
        "tasks:read",
        {
            each: {
                "en": ("A task for you: {title}", "You are to do this: {title}"),
                "ja": ("新しいタスク: {title}", "担当タスクが割り当てられました: {title}"),
            }
            for each in (TaskCreated, TaskAssigned)
        },
        to=lambda event: Audience(users=[event.user_id]),
        document="task_id",
        path="/v1/tasks",
        by_owner=True,
        owner=lambda event: event.user_id,
        customer=own_customer,
        values=_titled,
        plural={"en": "tasks for you", "ja": "新しいタスク"},
    ),
    Kind(
        "task.due_soon",
        "tasks:read",
        {
            TaskDueSoon: {
                "en": ("Due soon: {title}", "{title} is due by {due}."),
                "ja": ("期限間近: {title}", "{title} の期限は {due} です。"),
            }
        },
        to=lambda event: Audience(users=[event.user_id]),
        document="task_id",
        path="/v1/tasks",
        by_owner=True,
        owner=lambda event: event.user_id,
        customer=own_customer,
        values=lambda event: {"title": event.title, "due": event.due_date},
        plural={"en": "tasks that are due soon", "ja": "期限間近のタスク"},
    ),
    Kind(
        "meeting.soon",
        "meetings:read",
        {
            MeetingReminderReached: {
                "en": ("Meeting: {title}", "{title} begins at {begin}."),
                "ja": ("まもなく商談: {title}", "{title} は {begin} に始まります。"),
            }
        },
        to=lambda event: Audience(users=[event.owner_id]),
        document="meeting_id",
        path="/v1/meetings",
        by_owner=True,
        owner=lambda event: event.owner_id,
        customer=own_customer,
        values=lambda event: {"title": event.title, "begin": event.starts_at},
        plural={"en": "meetings that begin soon", "ja": "まもなく始まる商談"},
    ),
    Kind(
        "shipment.in_trouble",
        "shipping:read",
        {
            BookingTracked: {
                "en": ("{number} is in trouble", "The carrier says of the shipment {number} to {customer}: {state}."),
                "ja": ("配送異常: {number}", "{customer} への出荷 {number} について配送業者からの連絡: {state}"),
            }
        },
        to=lambda event: Audience(scope="shipping:write"),
        document="shipment_id",
        path="/v1/shipments",
        of_sale=True,
        tells_owner=True,
        values=lambda event: {"state": _TROUBLE[event.state]},
        when=_is_in_trouble,
        plural={"en": "parcels that are in trouble", "ja": "配送異常"},
    ),
    Kind(
        "shipment.delivered",
        "shipping:read",
        {
            ShipmentDelivered: {
                "en": ("{number} has arrived", "The shipment {number} to {customer} was delivered at {at}."),
                "ja": ("配達完了: {number}", "{customer} への出荷 {number} が {at} に配達されました。"),
            }
        },
        document="shipment_id",
        path="/v1/shipments",
        of_sale=True,
        values=lambda event: {"at": event.delivered_at},
        plural={"en": "shipments that have arrived", "ja": "配達が完了した出荷"},
    ),
    Kind(
        "invoice.overdue",
        "invoices:read",
        {
            InvoiceOverdueReached: {
                "en": ("{number} is overdue", "{customer} has not paid the invoice {number}."),
                "ja": ("支払期限超過: {number}", "{customer} の請求書 {number} が未入金です。"),
            }
        },
        to=lambda event: Audience(scope="invoices:write"),
        document="invoice_id",
        path="/v1/accounting/invoices",
        customer=own_customer,
        values=numbered,
        plural={"en": "invoices that are overdue", "ja": "支払期限を過ぎた請求書"},
    ),
    Kind(
        "invoice.paid",
        "invoices:read",
        {
            InvoicePaid: {
                "en": ("{number} is paid", "{customer} has paid the invoice {number}."),
                "ja": ("入金完了: {number}", "{customer} の請求書 {number} が入金されました。"),
            }
        },
        document="invoice_id",
        path="/v1/accounting/invoices",
        customer=own_customer,
        also=lambda event: [each.order_id for each in event.orders],
        values=numbered,
        plural={"en": "invoices that are paid", "ja": "入金済みの請求書"},
    ),
    Kind(
        "kpi.missed",
        "kpis:read",
        {
            KpiUpdated: {
                "en": ("{code} missed its target", "From {begin} to {end}, {code} did not reach its target."),
                "ja": ("目標未達: {code}", "{begin} から {end} までの {code} は目標に届きませんでした。"),
            }
        },
        to=_whose_kpi,
        by_owner=True,
        owner=lambda event: event.subject_id if event.subject == "person" else None,
        document="kpi_id",
        path="/v1/kpis",
        values=lambda event: {"code": event.code, "begin": event.begins_on, "end": event.ends_on},
        when=lambda event: event.over and event.state in {"missed", "near"},
        once="kpi_result_id",
        plural={"en": "KPIs that missed their targets", "ja": "目標に届かなかった KPI"},
    ),
)
BY_NAME: Mapping[str, Kind] = {kind.name: kind for kind in CATALOGUE}
BY_EVENT: Mapping[str, Kind] = {event.type: kind for kind in CATALOGUE for event in kind.events}
EVENTS: tuple[type[Event], ...] = tuple(event for kind in CATALOGUE for event in kind.events)
