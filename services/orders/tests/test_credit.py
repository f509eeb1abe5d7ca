"""What a customer may owe decides whether an order binds: what fits is confirmed, what does not waits, two at once never take the same room."""

import asyncio
from datetime import timedelta

import pytest

from contracts import approvals, customers, inventory, invoices, refunds
from tailrace.core.ids import uuid7
from tailrace_testing import SetClock

from .conftest import Desk, shipping
from .credit import NOON, TODAY, Buyer, rate, say, submitted
from .test_backorders import answered
from .test_from_quotes import accepted, only_order


@pytest.fixture
async def ada(desk: Desk, clock: SetClock) -> Buyer:
    """She may owe 2,970: two orders of 1,100 and one of 770, exactly. It is noon of TODAY."""
    clock(NOON)
    return await (await Buyer(desk).described()).may_owe(2_970)


async def test_what_fits_is_confirmed_and_what_does_not_waits(desk: Desk, ada: Buyer) -> None:
    first, second = await ada.order(), await ada.order()
    third = await ada.order()
    assert [each["status"] for each in (first, second, third)] == ["confirmed", "confirmed", "credit_hold"]
    figures = {"credit_limit": 2_970, "limit_currency": "EUR", "exposure": 2_200, "worth": 1_100}
    hold = third["credit_hold"]
    assert (hold | figures, hold["reasons"], hold["state"]) == (hold, ["limit_exceeded"], "pending")
    asked = await submitted(desk)
    subject = asked.subject
    assert (subject.kind, str(subject.id), subject.amount, subject.requester_id) == (
        *("credit_release", third["id"], 1_100),
        desk.h.user,
    )
    assert subject.attributes["excess"] == "330"
    assert [each.type for each in await desk.h.published() if str(each.aggregate_id) == third["id"]] == [
        *("order.created", "order.credit_held")
    ]
    assert await desk.states(third) == []
    assert (await ada.order(7))["status"] == "confirmed"
    stands = await ada.stands()
    sums = {
        "currency": "EUR",
        "open_orders": 2_970,
        "receivables": 0,
        "paid_ahead": 0,
        "exposure": 2_970,
        "held": 1_100,
    }
    assert (stands["sums"], stands["exposure"], stands["available"]) == ([sums], 2_970, 0)
    listed = await desk.h.client.get("/v1/orders", params={"status": "credit_hold", "customer_id": str(ada.id)})
    assert [each["id"] for each in listed.json()["items"]] == [third["id"]]
    nobody = await desk.h.client.get(f"/v1/orders/credit/{uuid7()}")
    assert nobody.status_code == 404
    # Who is not kept has no limit, and neither has one without.
    assert (await desk.confirmed(desk.line(quantity="1000")))["status"] == "confirmed"
    await ada.may_owe(None)
    assert (await ada.order(1000))["status"] == "confirmed"
    stands = await ada.stands()
    assert (stands["available"], stands["sums"][0]["open_orders"]) == (None, 2_970 + 110_000)


async def test_of_many_at_once_as_many_are_confirmed_as_fit(desk: Desk, ada: Buyer) -> None:
    drafts = [await desk.create(desk.line(), customer_id=str(ada.id)) for _ in range(6)]
    posts = [desk.h.client.post(f"/v1/orders/{each['id']}/confirm") for each in drafts]
    body = desk.body(desk.line(), customer_id=str(ada.id), confirm=True)
    found = await asyncio.gather(*posts, *(desk.h.client.post("/v1/orders", json=body) for _ in range(2)))
    assert sorted(each.json()["status"] for each in found) == ["confirmed"] * 2 + ["credit_hold"] * 6
    assert (await ada.stands())["exposure"] == 2_200
    # In one transaction, each sees the one before.
    item = {**body, "lines": [desk.line(quantity="4")]}
    many = await desk.h.client.post("/v1/orders/bulk", json={"items": [item] * 3})
    assert [each["status"] for each in many.json()["items"]] == [201] * 3
    assert (await ada.stands())["exposure"] == 2_640


async def test_an_approval_decides_about_what_was_submitted_and_nothing_else(desk: Desk, ada: Buyer) -> None:
    await ada.order(20)
    order = await ada.order()
    refused = await desk.act(order, "release", 409, reason="a good customer")
    assert refused["type"] == "urn:tailrace:problem:order-released-by-approval"
    old = await submitted(desk)
    again = await desk.act(order, "confirm")
    assert again["status"] == "credit_hold"
    assert [each.reason for each in await desk.asked("order.credit_withdrawn")] == ["It was looked at again."]
    who = uuid7()
    await say(desk, approvals.ApprovalApproved, old, decided_by=who)
    assert await ada.status(order) == ["credit_hold"], "that was of another submission"
    await say(
        desk, approvals.ApprovalRejected, await submitted(desk), decided_by=who, reason="pay first", then="restart"
    )
    assert (await desk.read(order))["credit_hold"]["state"] == "pending"
    await say(desk, approvals.ApprovalApproved, await submitted(desk), decided_by=who)
    now = await desk.read(order)
    assert (now["status"], now["credit_hold"], now["allocating"]) == ("confirmed", None, True)
    types = [each.type for each in await desk.h.published() if str(each.aggregate_id) == order["id"]]
    assert types[-3:] == ["order.credit_released", "order.confirmed", "order.reservation_requested"]
    await say(desk, approvals.ApprovalVoided, await submitted(desk))
    assert await ada.status(order) == ["confirmed"]


async def test_a_no_leaves_it_waiting_or_ends_it(desk: Desk, ada: Buyer) -> None:
    await ada.order(20)
    order = await ada.order()
    await say(desk, approvals.ApprovalRejected, await submitted(desk), reason="pay first", then="return")
    hold = (await desk.read(order))["credit_hold"]
    assert (hold["state"], hold["answer"]) == ("rejected", "pay first")
    assert (await desk.act(order, "release", 409, reason="still"))["type"].endswith("released-by-approval")
    assert (await desk.act(order, "hold", 409, reason="x"))["type"].endswith("order-not-confirmed")
    await desk.act(order, "confirm")
    await say(desk, approvals.ApprovalRecalled, await submitted(desk))
    assert (await desk.read(order))["credit_hold"]["state"] == "recalled"
    assert await desk.asked("order.credit_withdrawn") == [], "what was answered is not withdrawn"
    await desk.act(order, "confirm")
    await say(desk, approvals.ApprovalRejected, await submitted(desk), reason="never", then="fail")
    now = await desk.read(order)
    assert (now["status"], now["cancel_reason"], now["credit_hold"]) == ("cancelled", "never", None)
    assert await desk.asked("order.credit_released") == []
    await desk.act(order, "confirm", 409)
    await desk.act(order, "release", 409, reason="after all")


async def test_where_nobody_is_asked_a_person_with_the_right_releases_it(desk: Desk, ada: Buyer) -> None:
    await ada.order(20)
    order = await ada.order()
    await say(desk, approvals.ApprovalApproved, await submitted(desk))
    assert (await desk.read(order))["credit_hold"]["state"] == "nobody_asked"
    at = f"/v1/orders/{order['id']}/release"
    seller = await desk.h.client_as("orders:read orders:write").post(at, json={"reason": "mine"})
    assert seller.status_code == 403
    stale = await desk.h.client.post(at, json={"reason": "x"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert (await desk.act(order, "release", reason="a good customer"))["status"] == "confirmed"
    (released,) = await desk.asked("order.credit_released")
    assert (released.by, released.reason) == ("person", "a good customer")
    again = await desk.act(order, "release", 409, reason="twice")
    assert again["type"] == "urn:tailrace:problem:order-not-held-for-credit"


async def test_changed_or_cancelled_its_release_is_asked_for_no_more(desk: Desk, ada: Buyer) -> None:
    await ada.order(20)
    order, other = await ada.order(), await ada.order()
    body = desk.body(desk.line(quantity="7"), customer_id=str(ada.id))
    changed = (await desk.h.client.put(f"/v1/orders/{order['id']}", json=body)).json()
    assert (changed["status"], changed["credit_hold"]) == ("draft", None)
    assert (await desk.act(order, "confirm"))["status"] == "confirmed"
    cancelled = await desk.act(other, "cancel", reason="too slow")
    assert (cancelled["status"], cancelled["credit_hold"]) == ("cancelled", None)
    withdrawn = await desk.asked("order.credit_withdrawn")
    assert [(str(each.order_id), each.reason) for each in withdrawn] == [
        (order["id"], "It was changed."),
        (other["id"], "It was cancelled."),
    ]
    # Nothing of it was under way, so nothing is taken back.
    types = {each.type for each in await desk.h.published() if str(each.aggregate_id) == other["id"]}
    assert types == {"order.created", "order.credit_held", "order.credit_withdrawn", "order.cancelled"}


async def test_what_makes_room_lets_the_oldest_go_on_and_none_keeps_another_waiting(desk: Desk, ada: Buyer) -> None:
    taken = await ada.order(25)
    large, small, least = await ada.order(15), await ada.order(5), await ada.order(3)
    waiting = (large, small, least)
    assert await ada.status(*waiting) == ["credit_hold"] * 3
    bill = await ada.invoice(taken, 2_750)
    assert await ada.status(*waiting) == ["credit_hold"] * 3, "what is invoiced is owed"
    await ada.pay(400, bill)
    # 620 is free: the large one does not fit, the next takes 550 of it, and 70 is less than 330.
    assert await ada.status(*waiting) == ["credit_hold", "confirmed", "credit_hold"]
    (released,) = await desk.asked("order.credit_released")
    assert released.by == "exposure"
    assert [str(each.order_id) for each in await desk.asked("order.credit_withdrawn")] == [small["id"]]
    await ada.pay(1_420)
    # 1,490 is free: the large one was taken before the least, and needs 1,650.
    assert await ada.status(large, least) == ["credit_hold", "confirmed"]
    await desk.act(small, "cancel", reason="changed their mind")
    assert await ada.status(large) == ["confirmed"]
    late = await ada.order(10)
    await ada.may_owe(10_000)
    assert (await desk.act(late, "confirm"))["status"] == "confirmed"
    assert [each.by for each in await desk.asked("order.credit_released")] == ["exposure"] * 4
    assert (await ada.stands())["exposure"] == 2_750 - 400 - 1_420 + 330 + 1_650 + 1_100


async def test_exposure_is_what_was_ordered_and_not_invoiced_and_what_is_open(desk: Desk, ada: Buyer) -> None:
    await ada.may_owe(100_000)

    async def parts() -> tuple[int, int, int]:
        (sums,) = (await ada.stands())["sums"]
        return sums["open_orders"], sums["receivables"], sums["paid_ahead"]

    order, _, request = await shipping(desk, desk.line(quantity="3", net=1_000), customer_id=str(ada.id))
    assert await parts() == (1_100, 0, 0)
    bill = await ada.invoice(order, 400)
    assert await parts() == (700, 400, 0)
    await ada.pay(500, bill)
    assert await parts() == (700, -100, 0), "more than is open shows as such"
    await ada.credit(bill, order, 50)
    assert await parts() == (700, -150, 0), "what was credited is not ordered again"
    # A third leaves, worth 333 and 33 of tax, less than was invoiced; the rest is given up.
    await desk.dispatch(request, "1")
    await desk.act(order, "cancel", reason="enough")
    await ada.pay(10)
    assert await parts() == (0, -150, 10)
    second, _, request = await shipping(desk, desk.line(quantity="3", net=1_000), customer_id=str(ada.id))
    await desk.dispatch(request, "2")
    await desk.act(second, "cancel", reason="enough")
    assert await parts() == (667 + 67, -150, 10), "what left is invoiced yet"


async def test_money_that_went_back_is_paid_ahead_no_more(desk: Desk, ada: Buyer) -> None:
    await ada.pay(500)
    assert (await ada.stands())["exposure"] == -500
    await ada.paid_back(500)
    assert (await ada.stands())["sums"] == []
    large = await ada.order(30)
    assert large["credit_hold"]["exposure"] == 0
    await ada.paid_back(330, refunds.RefundReturned)
    assert await ada.status(large) == ["confirmed"], "it came in again, and that makes room"


async def test_money_that_went_back_was_the_one_who_paid_it(desk: Desk, ada: Buyer) -> None:
    """Of a refund of two who were one, each part is of the credit of whose payment it was."""
    await ada.pay(500)
    await ada.paid_back(800, parts=[(ada.id, 500), (uuid7(), 300)])
    assert (await ada.stands())["sums"] == []


async def test_what_was_given_up_is_owed_no_more(desk: Desk, ada: Buyer) -> None:
    terms = {"when_short": "cancel", "partial_allowed": True, "customer_id": str(ada.id)}
    await desk.confirmed(desk.line(quantity="10"), **terms)
    request = await desk.reservation()
    waits = await ada.order(20)
    assert waits["status"] == "credit_hold"
    await desk.answer(inventory.ReservationMade, request, lines=answered(request, "4"), complete=False)
    (_,) = await desk.asked("order.rest_cancelled")
    assert await ada.status(waits) == ["confirmed"], "it made room"
    assert (await ada.stands())["exposure"] == 440 + 2_200


async def test_what_is_asked_for_ahead_is_counted_once(desk: Desk, ada: Buyer) -> None:
    await desk.h.client.put("/v1/orders/credit-policy", json={"overdue_days": 0})
    await ada.may_owe(100_000)
    order = await ada.order(10)
    ahead = await ada.ask_ahead(550)
    assert (await ada.stands())["exposure"] == 1_100, "it asks for what is ordered already"
    await ada.pay(550, ahead)
    assert (await ada.stands())["exposure"] == 550
    bill = await ada.invoice(order, 1_100, prepaid=550)
    deducted = {"deducted_by": bill, "amount": 550, "deducted": 550}
    await ada.desk.h.deliver(invoices.PrepaymentDeducted(invoice_id=ahead, **deducted), aggregate_id=ahead)
    assert (await ada.stands())["exposure"] == 550, "half of the invoice is paid"
    await ada.pay(550, bill)
    assert (await ada.stands())["sums"] == []
    assert (await ada.order(10))["status"] == "confirmed", "nothing is overdue"


async def test_merged_customers_have_one_limit_and_orders_of_others_count_for_a_seller_who_sees_none(
    desk: Desk, ada: Buyer
) -> None:
    bob = await Buyer(desk).described(number="C-2")
    await bob.order(20)
    merged = customers.CustomerMerged(customer_id=bob.id, into_customer_id=ada.id, reason="the same")
    await desk.h.deliver(merged, aggregate_id=bob.id)
    assert (await ada.stands())["exposure"] == (await bob.stands())["exposure"] == 2_200
    seller = desk.h.client_as("orders:read:own orders:write:own", user=uuid7())
    body = desk.body(desk.line(), customer_id=str(bob.id), confirm=True)
    made = await seller.post("/v1/orders", json=body)
    assert (made.status_code, made.json()["status"], made.json()["customer_id"]) == (201, "credit_hold", str(ada.id))
    parted = customers.CustomerUnmerged(customer_id=bob.id, from_customer_id=ada.id, reason="not the same")
    await desk.h.deliver(parted, aggregate_id=bob.id)
    assert await ada.status(made.json()) == ["confirmed"]


async def test_other_currencies_count_at_the_days_rate_and_without_one_it_waits(desk: Desk, ada: Buyer) -> None:
    yen = await ada.order(1, currency="JPY")
    assert (yen["status"], yen["credit_hold"]["reasons"]) == ("credit_hold", ["rate_missing"])
    await rate(desk, "EUR", "JPY", "50", TODAY + timedelta(days=1))
    assert await ada.status(yen) == ["credit_hold"], "that rate has not begun"
    # One euro is 100 yen, so 110 yen are 1.10; the inverse, older, does not count.
    await rate(desk, "JPY", "EUR", "0.5", TODAY - timedelta(days=9))
    await rate(desk, "EUR", "JPY", "100")
    assert await ada.status(yen) == ["confirmed"]
    assert (await ada.stands())["exposure"] == 110
    more = await ada.order(27, currency="JPY")
    assert (more["status"], more["credit_hold"]["worth"]) == ("credit_hold", 2_970)
    await ada.invoice(None, 5, currency="USD")
    stands = await ada.stands()
    assert (stands["missing_rates"], stands["exposure"]) == (["USD"], None)
    assert (await ada.order(1))["credit_hold"]["reasons"] == ["rate_missing"]


async def test_what_is_owed_may_be_more_than_any_one_amount(desk: Desk, ada: Buyer) -> None:
    """Ten invoices of the largest amount are more than the canonical form of JSON has numbers for."""
    await ada.may_owe(1_000)
    for _ in range(10):
        await ada.invoice(None, 10**15)
    order = await ada.order()
    assert (order["status"], (await submitted(desk)).exposure) == ("credit_hold", 10**16)


async def test_the_overdue_and_the_inactive_wait_also_without_a_limit(desk: Desk, ada: Buyer) -> None:
    eve = await ada.may_owe(None)
    policy = "/v1/orders/credit-policy"
    late = await eve.invoice(None, 1_000, due_on=TODAY - timedelta(days=11))
    assert (await desk.h.client.get(policy)).json() == {"overdue_days": None}
    assert (await eve.order())["status"] == "confirmed"
    for wrong in (-1, 3_651, "x"):
        answer = await desk.h.client.put(policy, json={"overdue_days": wrong})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/overdue_days")
    assert (await desk.h.client.put(policy, json={"overdue_days": 10})).json() == {"overdue_days": 10}
    order = await eve.order()
    hold = order["credit_hold"]
    since = (TODAY - timedelta(days=11)).isoformat()
    assert (hold["reasons"], hold["overdue_invoices"], hold["overdue_since"]) == (["invoice_overdue"], 1, since)
    assert await eve.status(order) == ["credit_hold"]
    await desk.h.client.put(policy, json={"overdue_days": 11})
    assert await eve.status(order) == ["confirmed"]
    await desk.h.client.put(policy, json={"overdue_days": 10})
    second = await eve.order()
    await eve.pay(1_000, late)
    assert await eve.status(second) == ["confirmed"]
    await eve.described(status="inactive")
    third = await eve.order()
    assert third["credit_hold"]["reasons"] == ["customer_inactive"]
    await eve.described(status="active")
    assert await eve.status(third) == ["confirmed"]


async def test_what_was_quoted_waits_too_and_keeps_its_price(desk: Desk, ada: Buyer) -> None:
    await ada.may_owe(1_000)
    event = accepted(desk, customer_id=ada.id)
    await desk.h.deliver(event, aggregate_id=event.quote_id)
    order = await only_order(desk, event)
    assert (order["status"], order["credit_hold"]["worth"]) == ("credit_hold", 1_099)
    await say(desk, approvals.ApprovalApproved, await submitted(desk), decided_by=uuid7())
    now = await desk.read(order)
    assert (now["status"], now["net"], now["tax"], now["quote_id"]) == ("confirmed", 999, 100, str(event.quote_id))


async def test_what_is_taxed_otherwise_by_now_is_not_released_unseen(desk: Desk, ada: Buyer) -> None:
    await ada.order(20)
    asked, unasked, waits = await ada.order(), await ada.order(), await ada.order(20)
    first, second, _ = await desk.asked("order.credit_held")
    await say(desk, approvals.ApprovalApproved, second)
    await desk.item(desk.bolt, "BOLT", tax="0.12")
    await say(desk, approvals.ApprovalApproved, first, decided_by=uuid7())
    hold = (await desk.read(asked))["credit_hold"]
    assert (hold["state"], hold["answer"]) == ("voided", "It is taxed otherwise by now: confirm it again.")
    refused = await desk.act(unasked, "release", 409, reason="a good customer")
    assert (refused["type"], refused["errors"][0]["field"]) == (
        "urn:tailrace:problem:price-changed",
        "/lines/0/tax_rate",
    )
    await ada.may_owe(100_000)
    assert await ada.status(asked, unasked, waits) == ["credit_hold"] * 3, "what fits goes on as it was held, or not"
    for order in (asked, unasked, waits):
        now = await desk.act(order, "confirm", reprice=True)
        assert (now["status"], now["tax"]) == ("confirmed", order["tax"] * 12 // 10)
