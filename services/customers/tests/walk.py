"""Every operation of customers once, for the conformance suite, which tries each step in all the ways that must be refused first."""

from uuid import UUID

from invariants.walk import File, Walker

from contracts.catalog import PriceListCreated
from contracts.users import UserCreated, UserDeleted
from tailrace.core.ids import uuid7
from tailrace.settings import PartnerAddress

AT = "/v1/customers"
HERE = f"{AT}/{{customer_id}}"
ADA = {
    "name": "Ada Works",
    "currency": "EUR",
    "tax_ids": [{"country": "DE", "number": "136695976"}],
    "addresses": [{"lines": ["Hauptstraße 1"], "city": "Berlin", "postal_code": "10115", "country": "DE"}],
    "emails": [{"address": "office@ada.example"}],
    "phones": [{"number": "+49301234567"}],
}


async def walk(w: Walker) -> None:
    rep, prices = uuid7(), uuid7()
    user = UserCreated(user_id=rep, email="bo@acme.example", name="Bo", roles=["sales"])
    await w.tell(user, aggregate_id=rep)
    listed = PriceListCreated(price_list_id=prices, code="TRADE", name="Trade", currency="EUR", prices=[])
    await w.tell(listed, aggregate_id=prices)

    ada = await w.post(AT, {**ADA, "price_list_id": str(prices)})
    twin = await w.post(AT, {**ADA, "name": "ADA works GmbH"})
    spare = await w.post(
        AT, {"name": "山田製作所", "reading": "やまだせいさくしょ", "currency": "JPY", "number": "Y-1"}
    )
    await w.post(f"{AT}/bulk", {"items": [{**ADA, "name": "Grace Works"}, {"name": "Lovelace", "currency": "EUR"}]})
    await w.get(AT)
    await w.get(f"{AT}/search")
    await w.get(HERE, customer_id=ada["id"])
    await w.put(HERE, {**ADA, "status": "active"}, customer_id=ada["id"])
    await w.post(f"{HERE}/assign", {"sales_rep_id": str(rep), "reason": "Her region"}, customer_id=ada["id"])
    await w.get(f"{AT}/by-sales/{{sales_rep_id}}", sales_rep_id=rep)
    await w.put(f"{HERE}/credit", {"credit_limit": 500_000, "reason": "Pays in time"}, customer_id=ada["id"])
    profile = {
        "risk_tolerance": "balanced",
        "experience": "good",
        "objectives": ["growth"],
        "horizon_years": 10,
        "reviewed_on": "2026-01-15",
        "review_due_on": "2027-01-15",
    }
    await w.put(f"{HERE}/profile", profile, customer_id=ada["id"])
    w.h.settings.partners = {"verification": PartnerAddress(url="https://verification.example")}
    await w.post(f"{HERE}/verify-tax-id", {"country": "DE", "number": "136695976"}, customer_id=ada["id"])
    await w.post(f"{HERE}/verify-tax-id", {"country": "DE", "number": "136695976"}, customer_id=twin["id"])
    errands = await w.get(f"{AT}/errands")
    at_errand = f"{AT}/errands/{{errand_id}}"
    await w.get(at_errand, errand_id=errands["items"][0]["id"])
    await w.post(f"{at_errand}/retry", errand_id=errands["items"][0]["id"])
    await w.post(f"{at_errand}/cancel", errand_id=errands["items"][1]["id"])
    consent = {"purpose": "marketing_email", "granted": True, "given_at": "2026-01-15T09:00:00Z", "source": "Form 12"}
    await w.put(f"{HERE}/consents", consent, customer_id=ada["id"])
    person = await w.post(f"{HERE}/people", {"name": "Grace"}, customer_id=ada["id"])
    at_person = f"{HERE}/people/{{person_id}}"
    await w.put(at_person, {"name": "Grace", "position": "Buyer"}, customer_id=ada["id"], person_id=person["id"])
    await w.delete(at_person, customer_id=ada["id"], person_id=person["id"])
    await w.get(f"{HERE}/duplicates", customer_id=ada["id"])
    await w.pump()
    await w.get(f"{HERE}/timeline", customer_id=ada["id"])
    paper = File("Framework contract.pdf", b"%PDF-1.7\nsigned\n%%EOF\n", "application/pdf")
    file = await w.post_file(f"{HERE}/attachments", paper, customer_id=ada["id"])
    await w.post_file(f"{HERE}/attachments", File("memo.txt", b"Call back.\n", "text/plain"), customer_id=ada["id"])
    at_file = f"{HERE}/attachments/{{attachment_id}}"
    ids = {"customer_id": ada["id"], "attachment_id": file["id"]}
    await w.get(f"{HERE}/attachments", customer_id=ada["id"])
    await w.get(at_file, **ids)
    await w.put_file(
        f"{at_file}/content", File("Framework contract.pdf", b"%PDF-1.7\n2\n%%EOF\n", "application/pdf"), **ids
    )
    await w.get(f"{at_file}/content", **ids)
    await w.get(f"{at_file}/versions", **ids)
    await w.get(f"{at_file}/versions/{{content_version}}/content", content_version=1, **ids)
    await w.delete(at_file, **ids)
    await w.post(f"{at_file}/restore", **ids)
    merge = {"into_customer_id": ada["id"], "reason": "The same company"}
    await w.post(f"{HERE}/merge", merge, customer_id=twin["id"])
    await w.post(f"{HERE}/unmerge", {"reason": "A sister company"}, customer_id=twin["id"])
    await w.delete(HERE, customer_id=spare["id"])
    await w.post(f"{HERE}/restore", customer_id=spare["id"])
    await w.tell(UserDeleted(user_id=rep), aggregate_id=rep)
    await w.imports(
        "/v1/customers/import",
        "/v1/customers/jobs",
        "number,name,currency\nI-1,Grace Works,EUR\nI-2,Nobody,XXXX\n",
        "number,name,currency\nI-3,Later Works,EUR\n",
    )
    await w.get(f"{AT}/jobs/all")
    rows = b"number,name,currency\nI-4,Last Works,EUR\n"
    job = await w.post_rows(f"{AT}/import", rows, "text/csv")
    await w.post(f"{AT}/jobs/all/{{job_id}}/cancel", job_id=job["id"])
    await w.h.admin.execute("UPDATE job SET state = 'failed' WHERE id = $1", UUID(job["id"]))
    await w.post(f"{AT}/jobs/all/{{job_id}}/retry", job_id=job["id"])
