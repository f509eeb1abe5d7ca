"""The catalogue: every kind of news, with its words."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from contracts import orders
from contracts.activities import MeetingReminderReached, TaskAssigned, TaskCreated, TaskDueSoon
from contracts.analytics import KpiUpdated
from contracts.approvals import ApprovalApproved, ApprovalAssigned, ApprovalEscalated, ApprovalRejected
from contracts.carriage import BookingTracked
from contracts.credit import OrderCreditHeld
from contracts.customers import CustomerAssigned, CustomerReviewDueReached
from contracts.invoices import InvoiceOverdueReached, InvoicePaid
from contracts.leads import LeadAssigned
from contracts.quote_mails import QuoteMailFailed
from contracts.quotes import QuoteAccepted, QuoteDeclined
from contracts.shipments import ShipmentDelivered
from notifications.kinds import Audience, Kind
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


def _numbered(event: Any) -> dict[str, Any]:
    return {"number": event.number}


def _titled(event: Any) -> dict[str, Any]:
    return {"title": event.title}


def _subject(event: Any) -> dict[str, Any]:
    return {"number": event.subject.number, "reason": getattr(event, "reason", None) or ""}


def _own(event: Any) -> UUID | None:
    customer_id: UUID | None = event.customer_id
    return customer_id


CATALOGUE: tuple[Kind, ...] = (
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
        customer=_own,
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
        customer=_own,
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
        customer=_own,
        values=lambda event: {"title": event.title, "begin": event.starts_at},
        plural={"en": "meetings that begin soon", "ja": "まもなく始まる商談"},
    ),
    Kind(
        "order.credit_held",
        "orders:read",
        {
            OrderCreditHeld: {
                "en": ("{number} is held for credit", "The order {number} of {customer} waits for a release."),
                "ja": ("与信保留: {number}", "{customer} の受注 {number} が与信保留になりました。"),
            }
        },
        to=lambda event: Audience(users=[event.subject.requester_id], scope="orders:release"),
        document="order_id",
        path="/v1/orders",
        customer=_own,
        values=_numbered,
        plural={"en": "orders that are held for credit", "ja": "与信保留の受注"},
    ),
    Kind(
        "order.confirmed",
        "orders:read",
        {
            orders.OrderConfirmed: {
                "en": ("{number} is confirmed", "The order {number} of {customer} is confirmed."),
                "ja": ("受注確定: {number}", "{customer} の受注 {number} が確定しました。"),
            }
        },
        to=lambda event: Audience(users=[event.owner_id]),
        document="order_id",
        path="/v1/orders",
        customer=_own,
        values=_numbered,
        plural={"en": "orders that are confirmed", "ja": "確定した受注"},
    ),
    Kind(
        "order.cancelled",
        "orders:read",
        {
            orders.OrderCancelled: {
                "en": ("{number} is cancelled", "The order {number} of {customer} is cancelled: {reason}"),
                "ja": ("受注取消: {number}", "{customer} の受注 {number} が取り消されました。理由: {reason}"),
            },
            orders.OrderReinstated: {
                "en": ("{number} stands after all", "The order {number} of {customer} is confirmed again: {reason}"),
                "ja": ("受注取消の撤回: {number}", "{customer} の受注 {number} は確定に戻りました。理由: {reason}"),
            },
        },
        document="order_id",
        path="/v1/orders",
        order="order_id",
        tells_owner=True,
        values=lambda event: {"reason": event.reason},
        plural={"en": "orders that are cancelled", "ja": "取り消された受注"},
    ),
    Kind(
        "order.shipped",
        "orders:read",
        {
            orders.OrderShipmentProgressed: {
                "en": ("{number} is supplied", "All of the order {number} of {customer} has left or was performed."),
                "ja": (
                    "出荷・役務提供完了: {number}",
                    "{customer} の受注 {number} の出荷・役務提供がすべて完了しました。",
                ),
            }
        },
        document="order_id",
        path="/v1/orders",
        order="order_id",
        tells_owner=True,
        when=lambda event: event.shipment == "full",
        plural={"en": "orders that are supplied", "ja": "出荷・役務提供が完了した受注"},
    ),
    Kind(
        "lead.assigned",
        "leads:read",
        {
            LeadAssigned: {
                "en": ("A lead is yours", "You look after another lead now."),
                "ja": ("リードの割り当て", "新しいリードがあなたの担当になりました。"),
            }
        },
        to=lambda event: Audience(users=[event.owner_id]),
        document="lead_id",
        path="/v1/leads",
        plural={"en": "leads that are yours", "ja": "割り当てられたリード"},
    ),
    Kind(
        "customer.assigned",
        "customers:read",
        {
            CustomerAssigned: {
                "en": ("{customer} is yours", "You look after {customer} now."),
                "ja": ("担当顧客: {customer}", "{customer} があなたの担当になりました。"),
            }
        },
        to=lambda event: Audience(users=[event.sales_rep_id]),
        document="customer_id",
        path="/v1/customers",
        customer=_own,
        plural={"en": "customers that are yours", "ja": "担当になった顧客"},
    ),
    Kind(
        "customer.review_due",
        "customers:read",
        {
            CustomerReviewDueReached: {
                "en": ("{customer} is to be asked again", "The review of {customer} ({number}) is due."),
                "ja": ("適合性の見直し: {customer}", "{customer}（{number}）の見直し時期になりました。"),
            }
        },
        to=lambda event: Audience(users=[event.sales_rep_id]),
        document="customer_id",
        path="/v1/customers",
        customer=_own,
        values=_numbered,
        plural={"en": "customers that are to be asked again", "ja": "見直し時期の顧客"},
    ),
    Kind(
        "quote.answered",
        "quotes:read",
        {
            QuoteAccepted: {
                "en": ("{number} is accepted", "{customer} accepts the quote {number}."),
                "ja": ("見積承諾: {number}", "{customer} が見積 {number} を承諾しました。"),
            },
            QuoteDeclined: {
                "en": ("{number} is declined", "{customer} declines the quote {number}: {reason}"),
                "ja": ("見積辞退: {number}", "{customer} が見積 {number} を辞退しました。理由: {reason}"),
            },
            QuoteMailFailed: {
                "en": ("{number} was not mailed", "The quote {number} did not go to {customer} by mail: {reason}"),
                "ja": (
                    "見積の送信失敗: {number}",
                    "見積 {number} のメールを {customer} に送信できませんでした。理由: {reason}",
                ),
            },
        },
        to=lambda event: Audience(users=[event.owner_id]),
        document="quote_id",
        path="/v1/quotes",
        customer=_own,
        values=lambda event: {
            "number": event.number,
            "reason": event.failure if isinstance(event, QuoteMailFailed) else getattr(event, "reason", ""),
        },
        plural={"en": "answers to quotes", "ja": "見積への回答"},
    ),
    Kind(
        "shipment.in_trouble",
        "shipping:read",
        {
            BookingTracked: {
                "en": (
                    "{number} is in trouble",
                    "The carrier says of the shipment {number} to {customer}: {state}.",
                ),
                "ja": ("配送異常: {number}", "{customer} への出荷 {number} について配送業者からの連絡: {state}"),
            }
        },
        to=lambda event: Audience(scope="shipping:write"),
        document="shipment_id",
        path="/v1/shipments",
        also=lambda event: [each for each in [event.order_id] if each],
        order="order_id",
        tells_owner=True,
        values=lambda event: {"state": event.state},
        when=lambda event: event.state in {"lost", "exception", "returned"},
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
        also=lambda event: [event.order_id],
        order="order_id",
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
        customer=_own,
        values=_numbered,
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
        customer=_own,
        also=lambda event: [each.order_id for each in event.orders],
        values=_numbered,
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
