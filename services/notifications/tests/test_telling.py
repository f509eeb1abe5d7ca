"""Those whom an event is about are told, once, in their language; nobody sees another's."""

from datetime import UTC, datetime
from string import Formatter

import pytest

from contracts.activities import TaskCreated, TaskDueSoon
from contracts.approvals import ApprovalRejected, ApprovalSubject
from contracts.carriage import BookingTracked, TrackedStep
from contracts.credit import OrderCreditHeld
from contracts.customers import CustomerDeleted
from contracts.notifications import NotificationCreated, NotificationFolded
from contracts.promised import manifests
from contracts.quote_mails import QuoteMailFailed
from contracts.quotes import QuoteAccepted, QuoteDeclined
from contracts.users import RoleChanged, UserDeleted
from notifications import catalogue, kinds
from tailrace.core.ids import uuid7
from tailrace.core.manifest import scopes_of

from .conftest import NEWS, OWN, SUBSCRIPTIONS, Office


async def test_who_is_asked_is_told_with_a_link_and_nobody_else(office: Office) -> None:
    event = await office.asks(office.bo)
    (one,) = await office.feed(office.bo)
    assert (one["kind"], one["title"], one["text"]) == (
        "approval.requested",
        "承認依頼: Q-1",
        "Q-1 があなたの承認を待っています。",
    )
    assert (one["link"], one["customer_id"], one["read_at"]) == (
        f"/v1/approvals/{event.approval_id}",
        str(office.ada),
        None,
    )
    assert (await office.feed(office.cy), await office.feed(office.h.user)) == ([], [])
    (said,) = await office.h.published(NotificationCreated)
    assert said.event.model_dump()["user_id"] == office.bo
    assert said.causation_id is not None


async def test_everybody_of_a_role_is_told_but_for_who_did_it(office: Office) -> None:
    event = office.asked(users=(office.h.user,), roles=("manager",))
    await office.h.deliver(event, aggregate_id=event.approval_id)
    assert len(await office.feed(office.bo)) == 1
    assert await office.feed(office.h.user) == []


async def test_an_event_that_comes_again_tells_nobody_again(office: Office) -> None:
    id = uuid7()
    event = office.asked(users=(office.bo,))
    await office.h.deliver(event, aggregate_id=event.approval_id, event_id=id)
    # The marks are lost, and everything is heard from its beginning.
    await office.h.admin.execute("DELETE FROM inbox")
    await office.h.deliver(event, aggregate_id=event.approval_id, event_id=id, sequence=1)
    assert len(await office.feed(office.bo)) == 1
    await office.h.run_errands()
    assert len(office.mail) == 1


async def test_what_happened_before_is_no_news(office: Office) -> None:
    await office.asks(office.bo, time=datetime(2026, 11, 27, tzinfo=UTC))
    assert await office.feed(office.bo) == []


async def test_the_answer_goes_to_who_asked(office: Office) -> None:
    subject = ApprovalSubject(
        kind="quote", id=uuid7(), number="Q-{x}", sha256="0" * 64, amount=1, currency="JPY", requester_id=office.bo
    )
    event = ApprovalRejected(approval_id=uuid7(), subject=subject, reason="Too {dear}.")
    await office.h.deliver(event, aggregate_id=event.approval_id)
    (one,) = await office.feed(office.bo)
    assert (one["kind"], one["text"]) == ("approval.answered", "申請した Q-{x} が却下されました。理由: Too {dear}.")


async def test_words_are_the_readers_language_and_moments_their_clock(office: Office) -> None:
    await office.prefer(office.bo, language="en", time_zone="America/New_York")
    due = datetime(2026, 12, 1, 23, 30, tzinfo=UTC)
    for user in (office.bo, office.cy):
        event = TaskDueSoon(task_id=uuid7(), title="Call", due_date=due, user_id=user)
        await office.h.deliver(event, aggregate_id=event.task_id)
    assert [one["text"] for one in await office.feed(office.bo)] == ["Call is due by 2026-12-01 18:30."]
    assert [one["text"] for one in await office.feed(office.cy)] == ["Call の期限は 2026-12-02 08:30 です。"]


async def test_credit_people_are_those_whose_role_releases(office: Office) -> None:
    subject = ApprovalSubject(
        kind="credit_release", id=uuid7(), number="SO-1", sha256="0" * 64, amount=1, currency="JPY"
    )
    event = OrderCreditHeld(
        order_id=subject.id, subject=subject, number="SO-1", customer_id=office.ada, reasons=["limit_exceeded"]
    )
    await office.h.deliver(event, aggregate_id=event.order_id)
    assert [one["text"] for one in await office.feed(office.bo)] == ["Ada Works の受注 SO-1 が与信保留になりました。"]
    assert await office.feed(office.cy) == []


async def test_a_parcel_that_goes_its_way_is_no_news(office: Office) -> None:
    role = RoleChanged(role_id=uuid7(), name="warehouse", scopes=["shipping:*"])
    await office.h.deliver(role, aggregate_id=role.role_id)
    booking, parcel = uuid7(), uuid7()
    for state in ("in_transit", "lost"):
        step = TrackedStep(reference=state, state=state, at=datetime.now(UTC))
        event = BookingTracked(booking_id=booking, shipment_id=parcel, state=state, steps=[step])
        await office.h.deliver(event, aggregate_id=booking)
    told = [(one["title"], one["text"]) for one in await office.feed(office.cy)]
    assert told == [(f"配送異常: {parcel}", f"顧客 への出荷 {parcel} について配送業者からの連絡: 紛失しました")]


async def test_a_storm_is_folded_into_one_whose_number_rises(office: Office) -> None:
    for number in range(9):
        await office.asks(office.bo, number=f"Q-{number}")
    shown = await office.feed(office.bo)
    assert [one["title"] for one in shown] == [*(f"承認依頼: Q-{number}" for number in range(5)), "ほか 4 件: 承認依頼"]
    assert (shown[-1]["count"], shown[-1]["link"]) == (4, None)
    assert [each.event.model_dump()["count"] for each in await office.h.published(NotificationFolded)] == [2, 3, 4]
    await office.asks(office.cy)
    assert len(await office.feed(office.cy)) == 1


async def test_a_folded_one_is_unread_again_with_each_more(office: Office) -> None:
    for number in range(6):
        await office.asks(office.bo, number=f"Q-{number}")
    await office.as_(office.bo).patch(f"{NEWS}/read-all")
    assert (await office.as_(office.bo).get(f"{NEWS}/unread")).json()["count"] == 0
    await office.asks(office.bo, number="Q-6")
    assert [one["count"] for one in (await office.as_(office.bo).get(f"{NEWS}/unread")).json()["items"]] == [2]


async def test_one_reads_and_takes_away_ones_own_and_no_others(office: Office) -> None:
    for number in range(3):
        await office.asks(office.bo, number=f"Q-{number}")
    bo, cy, boss = office.as_(office.bo), office.as_(office.cy), office.as_(office.h.user, "*")
    first, second, third = await office.feed(office.bo)
    for stranger in (cy, boss):
        assert (await stranger.patch(f"{NEWS}/{first['id']}/read")).status_code == 404
        assert (await stranger.delete(f"{NEWS}/{first['id']}")).status_code == 404
        assert (await stranger.get(NEWS)).json()["items"] == []
        assert (await stranger.get(f"{NEWS}/unread")).json() == {"count": 0, "items": []}
    assert (await bo.patch(f"{NEWS}/{first['id']}/read")).json()["read_at"] is not None
    assert (await bo.delete(f"{NEWS}/{second['id']}")).status_code == 204
    assert (await bo.patch(f"{NEWS}/{second['id']}/read")).status_code == 404
    unread = (await bo.get(f"{NEWS}/unread")).json()
    assert (unread["count"], [one["id"] for one in unread["items"]]) == (1, [third["id"]])
    assert [one["id"] for one in await office.feed(office.bo, read=True)] == [first["id"]]
    assert [one["id"] for one in await office.feed(office.bo, read=False, kind="approval.requested")] == [third["id"]]


async def test_all_are_read_up_to_here(office: Office) -> None:
    for number in range(3):
        await office.asks(office.bo, number=f"Q-{number}")
    bo = office.as_(office.bo)
    assert (await office.as_(office.cy).patch(f"{NEWS}/read-all")).json() == {"count": 0}, "who was never told anything"
    assert (await bo.patch(f"{NEWS}/read-all")).json() == {"count": 3}
    assert (await bo.patch(f"{NEWS}/read-all")).json() == {"count": 0}
    assert len(await office.h.published("notification.mailbox.all_read")) == 1
    assert all(one["read_at"] for one in await office.feed(office.bo))
    await office.asks(office.bo)
    assert (await bo.get(f"{NEWS}/unread")).json()["count"] == 1


async def test_people_tell_others_by_name_and_by_role(office: Office) -> None:
    body = {"title": "{Fire} drill", "text": "At noon.", "user_ids": [str(office.cy)], "roles": ["manager"]}
    refused = await office.as_(office.h.user).post(NEWS, json=body)
    assert refused.status_code == 403
    sent = await office.as_(office.h.user, "notifications:send").post(NEWS, json=body)
    assert (sent.status_code, sent.json()["told"]) == (201, 2)
    for user in (office.bo, office.cy):
        (one,) = await office.feed(user)
        assert (one["kind"], one["title"], one["sender_id"]) == ("message", "{Fire} drill", str(office.h.user))
    nobody = await office.h.client.post(NEWS, json={"title": "x", "user_ids": [str(uuid7())]})
    assert nobody.json()["errors"][0]["field"] == "/user_ids/0"


async def test_a_message_goes_to_those_whom_it_names_and_to_nobody_else(office: Office) -> None:
    bo = office.as_(office.bo, f"{OWN} notifications:send")
    refused = await bo.post(SUBSCRIPTIONS, json={"kind": "message"})
    assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, ["/kind"])
    role = RoleChanged(role_id=uuid7(), name="manager", scopes=["notifications:*"])
    await office.h.deliver(role, aggregate_id=role.role_id)
    about = {"customer_id": str(office.ada)}
    assert (await bo.post(SUBSCRIPTIONS, json=about)).status_code == 201
    sent = await office.h.client.post(NEWS, json={"title": "Between us", "user_ids": [str(office.cy)], **about})
    assert (sent.status_code, sent.json()["told"]) == (201, 1)
    assert [one["title"] for one in await office.feed(office.cy)] == ["Between us"]
    assert await office.feed(office.bo) == []


async def test_a_role_that_is_not_there_is_named_and_nobody_is_told(office: Office) -> None:
    gone = RoleChanged(role_id=uuid7(), name="old", scopes=[])
    await office.h.deliver(gone, aggregate_id=gone.role_id)
    body = {"title": "Hello", "user_ids": [str(office.cy)], "roles": ["manager", "manger", "old"]}
    refused = await office.h.client.post(NEWS, json=body)
    assert refused.status_code == 422, refused.text
    assert [each["field"] for each in refused.json()["errors"]] == ["/roles/1", "/roles/2"]
    assert (await office.feed(office.cy), await office.feed(office.bo)) == ([], [])


async def test_who_sells_hears_the_answer_to_their_quote(office: Office) -> None:
    about = {"number": "Q-7", "revision": 1, "customer_id": office.ada}
    ended = QuoteDeclined(quote_id=uuid7(), owner_id=office.cy, reason="Too late", **about)
    await office.h.deliver(ended, aggregate_id=ended.quote_id)
    taken = QuoteAccepted(
        quote_id=uuid7(),
        owner_id=office.cy,
        customer_name="Ada Works",
        customer_reference="PO 7",
        accepted_at=datetime(2026, 11, 28, tzinfo=UTC),
        currency="JPY",
        warehouse_id=uuid7(),
        net=100,
        tax=10,
        lines=[],
        **about,
    )
    await office.h.deliver(taken, aggregate_id=taken.quote_id)
    lost = QuoteMailFailed(quote_id=uuid7(), owner_id=office.cy, failure="status-550", **about)
    await office.h.deliver(lost, aggregate_id=lost.quote_id)
    # Their role need not show quotes, as it would have to for a subscription.
    assert [one["title"] for one in await office.feed(office.cy)] == [
        "見積辞退: Q-7",
        "見積承諾: Q-7",
        "見積の送信失敗: Q-7",
    ]
    assert await office.feed(office.bo) == []


async def test_who_subscribed_is_told_as_far_as_their_roles_show_it(office: Office) -> None:
    def declined() -> QuoteDeclined:
        return QuoteDeclined(quote_id=uuid7(), number="Q-7", revision=1, customer_id=office.ada, reason="Too late")

    async def decline() -> None:
        event = declined()
        await office.h.deliver(event, aggregate_id=event.quote_id)

    bo, ann = office.as_(office.bo, f"{OWN} quotes:read"), office.as_(office.h.user)
    refused = await ann.post(SUBSCRIPTIONS, json={"kind": "invoice.paid"})
    assert refused.json()["errors"][0]["field"] == "/kind"
    first = (await bo.post(SUBSCRIPTIONS, json={"kind": "quote.answered"})).json()
    assert (await bo.post(SUBSCRIPTIONS, json={"kind": "quote.answered"})).status_code == 409
    by_customer = (await bo.post(SUBSCRIPTIONS, json={"customer_id": str(office.ada)})).json()
    for stranger in ("document_id", "customer_id"):
        unknown = await bo.post(SUBSCRIPTIONS, json={stranger: "01990000-0000-7000-8000-00000000cccc"})
        assert [each["field"] for each in unknown.json()["errors"]] == [f"/{stranger}"]
    # Cy subscribes to a customer, and has no role that shows quotes.
    await office.as_(office.cy).post(SUBSCRIPTIONS, json={"customer_id": str(office.ada)})
    await decline()
    assert [one["text"] for one in await office.feed(office.bo)] == [
        "Ada Works が見積 Q-7 を辞退しました。理由: Too late"
    ]
    assert await office.feed(office.cy) == []
    assert (await ann.delete(f"{SUBSCRIPTIONS}/{first['id']}")).status_code == 404
    for each in (first, by_customer):
        assert (await bo.delete(f"{SUBSCRIPTIONS}/{each['id']}")).status_code == 204
    await decline()
    assert len(await office.feed(office.bo)) == 1


async def test_who_is_gone_is_told_nothing_and_wants_nothing(office: Office) -> None:
    await office.as_(office.bo, f"{OWN} quotes:read").post(SUBSCRIPTIONS, json={"kind": "quote.answered"})
    await office.h.deliver(UserDeleted(user_id=office.bo), aggregate_id=office.bo)
    assert len(await office.h.published("notification.subscription.deleted")) == 1
    await office.asks(office.bo)
    assert await office.feed(office.bo) == []


async def test_nobody_hears_of_a_customer_that_is_gone(office: Office) -> None:
    await office.as_(office.bo, OWN).post(SUBSCRIPTIONS, json={"customer_id": str(office.ada)})
    assert len((await office.as_(office.bo, OWN).get(SUBSCRIPTIONS)).json()["items"]) == 1
    await office.h.deliver(CustomerDeleted(customer_id=office.ada, number="C-1"), aggregate_id=office.ada)
    assert len(await office.h.published("notification.subscription.deleted")) == 1
    assert (await office.as_(office.bo, OWN).get(SUBSCRIPTIONS)).json()["items"] == []


async def test_somebody_whom_nobody_knows_here_yet_is_told_in_the_feed(office: Office) -> None:
    new = uuid7()
    task = TaskCreated(
        task_id=uuid7(), title="Begin", user_id=new, status="open", priority="normal", time_zone="Asia/Tokyo"
    )
    await office.h.deliver(task, aggregate_id=task.task_id)
    assert [one["title"] for one in await office.feed(new)] == ["新しいタスク: Begin"]


@pytest.mark.parametrize("kind", catalogue.CATALOGUE, ids=lambda kind: kind.name)
def test_the_catalogue_speaks_both_languages_of_fields_that_there_are(kind: kinds.Kind) -> None:
    assert set(kind.plural) == {"en", "ja"}
    assert kind.by_owner is (f"{kind.scope}:own" in scopes_of(manifests()))
    for event, words in kind.events.items():
        assert set(words) == {"en", "ja"}
        assert kind.document in event.model_fields
        placeholders = [
            {name for text in said for _, name, _, _ in Formatter().parse(text) if name} for said in words.values()
        ]
        assert placeholders[0] == placeholders[1], event.type


def test_the_names_are_those_of_the_catalogue() -> None:
    from typing import get_args

    assert set(get_args(kinds.NewsKindName)) == {*catalogue.BY_NAME}
