"""Every operation of notifications once: the caller is told by news and by a person, marks and takes away, subscribes, and says how to hear."""

from invariants.walk import Walker

from contracts.activities import TaskCreated
from contracts.approvals import ApprovalAssigned, ApprovalSubject
from contracts.customers import CustomerCreated
from contracts.users import RoleChanged, UserCreated
from tailrace.core.ids import uuid7

NEWS, SUBSCRIPTIONS, CHANNELS = "/v1/notifications", "/v1/subscriptions", "/v1/notification-channels"


async def walk(w: Walker) -> None:
    bo = uuid7()
    role = RoleChanged(role_id=uuid7(), name="manager", scopes=["notifications:*"])
    await w.tell(role, aggregate_id=role.role_id)
    for id, name in ((w.h.user, "alma"), (bo, "bo")):
        user = UserCreated(user_id=id, email=f"{name}@acme.example", name=name.title(), roles=["manager"])
        await w.tell(user, aggregate_id=id)
    ada = uuid7()
    customer = CustomerCreated(
        customer_id=ada,
        number="C-1",
        name="Ada Works",
        kind="company",
        status="active",
        currency="EUR",
        payment_terms_days=30,
    )
    await w.tell(customer, aggregate_id=ada)
    task = TaskCreated(
        task_id=uuid7(), title="Call", user_id=bo, status="open", priority="normal", time_zone="Asia/Tokyo"
    )
    await w.tell(task, aggregate_id=task.task_id)
    channel = {
        "code": "SALES",
        "name": "Sales",
        "service": "slack",
        "address": "https://hooks.slack.com/services/",
        "secret": f"file:{w.tenant}.sales",
        "kinds": ["approval.requested"],
    }
    at_channel = f"{CHANNELS}/{{notification_channel_id}}"
    made = await w.post(CHANNELS, channel)
    spare = await w.post(CHANNELS, {**channel, "code": "SPARE", "service": "teams", "kinds": []})
    await w.get(CHANNELS)
    await w.get(at_channel, notification_channel_id=made["id"])
    await w.put(at_channel, {**channel, "name": "Selling"}, notification_channel_id=made["id"])
    await w.delete(at_channel, notification_channel_id=spare["id"])
    await w.post(f"{at_channel}/restore", notification_channel_id=spare["id"])

    # Without a mail server: what is urgent cannot be mailed, and waits to be looked at.
    for number in ("Q-1", "Q-2", "Q-3"):
        subject = ApprovalSubject(kind="quote", id=uuid7(), number=number, sha256="0" * 64, amount=1, currency="EUR")
        event = ApprovalAssigned(approval_id=uuid7(), subject=subject, task_id=uuid7(), step="first", user_ids=[bo])
        await w.h.deliver(event, aggregate_id=event.approval_id, tenant=w.tenant)
    await w.post(NEWS, {"title": "Fire drill", "text": "At noon.", "user_ids": [str(bo)], "roles": ["manager"]})
    shown = (await w.get(NEWS))["items"]
    await w.get(f"{NEWS}/unread")
    await w.get(f"{NEWS}/kinds")
    await w.get(f"{NEWS}/stream", query={"seconds": 0})
    await w.patch(f"{NEWS}/{{notification_id}}/read", None, notification_id=shown[0]["id"])
    await w.patch(f"{NEWS}/read-all", None)

    await w.get(f"{NEWS}/preferences")
    preferences = {
        "language": "ja",
        "time_zone": "Asia/Tokyo",
        "quiet": {"begin": "22:00", "end": "07:00"},
        "digest": {"every": "week", "at": "08:30", "weekday": 5},
        "choices": [{"kind": "task.assigned", "way": "email", "how": "digest"}],
    }
    await w.put(f"{NEWS}/preferences", preferences)
    kind = await w.post(SUBSCRIPTIONS, {"kind": "quote.answered"})
    await w.post(SUBSCRIPTIONS, {"document_id": str(task.task_id)})
    await w.post(SUBSCRIPTIONS, {"customer_id": str(ada)})
    await w.get(SUBSCRIPTIONS)
    await w.delete(f"{SUBSCRIPTIONS}/{{subscription_id}}", subscription_id=kind["id"])

    failed = (await w.get(f"{NEWS}/deliveries"))["items"]
    mail = next(each for each in failed if each["status"] == "failed")
    await w.post(f"{NEWS}/deliveries/{{delivery_id}}/retry", delivery_id=mail["id"])
    errands = (await w.get(f"{NEWS}/errands"))["items"]
    await w.get(f"{NEWS}/errands/{{errand_id}}", errand_id=errands[0]["id"])
    await w.post(f"{NEWS}/errands/{{errand_id}}/retry", errand_id=errands[0]["id"])
    await w.post(f"{NEWS}/errands/{{errand_id}}/cancel", errand_id=errands[1]["id"])
    await w.delete(f"{NEWS}/{{notification_id}}", notification_id=shown[1]["id"])
