"""News of selling: orders, leads, customers and quotes. What is read of orders that later events leave out was kept (`copies`)."""

from contracts import orders
from contracts.credit import OrderCreditHeld
from contracts.customers import CustomerAssigned, CustomerReviewDueReached
from contracts.leads import LeadAssigned
from contracts.quote_mails import QuoteMailFailed
from contracts.quotes import QuoteAccepted, QuoteDeclined
from notifications.kinds import Audience, Kind, numbered, own_customer

SELLING: tuple[Kind, ...] = (
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
        by_owner=True,
        of_sale=True,
        customer=own_customer,
        values=numbered,
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
        by_owner=True,
        owner=lambda event: event.owner_id,
        customer=own_customer,
        values=numbered,
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
        by_owner=True,
        of_sale=True,
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
        by_owner=True,
        of_sale=True,
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
        by_owner=True,
        owner=lambda event: event.owner_id,
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
        by_owner=True,
        owner=lambda event: event.sales_rep_id,
        customer=own_customer,
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
        by_owner=True,
        owner=lambda event: event.sales_rep_id,
        customer=own_customer,
        values=numbered,
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
        by_owner=True,
        owner=lambda event: event.owner_id,
        customer=own_customer,
        values=lambda event: {
            "number": event.number,
            "reason": event.failure if isinstance(event, QuoteMailFailed) else getattr(event, "reason", ""),
        },
        plural={"en": "answers to quotes", "ja": "見積への回答"},
    ),
)
