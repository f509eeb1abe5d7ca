"""Every operation of audit once: an order is recorded and acted on, the log is signed, searched, drawn, proven and taken away."""

from invariants.walk import Walker

from contracts.users import UserLoggedOut
from tailrace.core.ids import uuid7

SINCE, UNTIL = "2026-01-01T00:00:00Z", "2100-01-01T00:00:00Z"


async def walk(w: Walker) -> None:
    session = uuid7()
    await w.tell(UserLoggedOut(user_id=uuid7(), session_id=session, reason="logout"), aggregate_id=session)
    await w.tell(UserLoggedOut(user_id=uuid7(), session_id=uuid7(), reason="expired"), aggregate_id=uuid7())
    await w.get("/v1/audit/keys")
    head = await w.post("/v1/audit/heads")
    await w.tell(UserLoggedOut(user_id=uuid7(), session_id=uuid7(), reason="reuse"), aggregate_id=uuid7())
    await w.post("/v1/audit/heads")
    await w.get("/v1/audit/heads")
    await w.get("/v1/audit/heads/{head_id}", head_id=head["id"])
    await w.get("/v1/audit")
    records = (await w.get("/v1/audit/records"))["items"]
    await w.get("/v1/audit/records/{record_id}", record_id=records[0]["id"])
    await w.get("/v1/audit/documents/{document_id}/bundle", document_id=session)
    await w.get("/v1/audit/export")
    await w.get("/v1/audit/siem")
    await w.get("/v1/audit/siem", query={"form": "cef"})
    await w.get("/v1/audit/report", query={"from": SINCE, "until": UNTIL})
    await w.get("/v1/audit/report.csv", query={"from": SINCE, "until": UNTIL})
    await w.get("/v1/trace/{trace_id}", trace_id=session)
    await w.get("/v1/trace/{trace_id}.svg", trace_id=session)
    await w.get("/v1/audit/retention")
    await w.put("/v1/audit/retention", {"days": 3650, "access_days": 400, "archive_days": 800})
    archive = await w.post("/v1/audit/archives", {})
    await w.h.fire_timers()
    await w.tell(UserLoggedOut(user_id=uuid7(), session_id=uuid7(), reason="logout"), aggregate_id=uuid7())
    await w.post("/v1/audit/heads")
    await w.post("/v1/audit/archives", {})
    await w.h.fire_timers()
    await w.get("/v1/audit/archives")
    await w.get("/v1/audit/archives/{archive_id}", archive_id=archive["id"])
    await w.get("/v1/audit/archives/{archive_id}/content", archive_id=archive["id"])
    await w.post("/v1/audit/archives/{archive_id}/restore", {"days": 7}, archive_id=archive["id"])
    hold = await w.post("/v1/audit/holds", {"reason": "A dispute about session 1.", "document_id": str(session)})
    await w.post("/v1/audit/holds", {"reason": "An audit of everything."})
    await w.get("/v1/audit/holds")
    await w.get("/v1/audit/holds/{hold_id}", hold_id=hold["id"])
    await w.post("/v1/audit/holds/{hold_id}/release", {"reason": "It is settled."}, hold_id=hold["id"])
