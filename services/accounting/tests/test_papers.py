"""Invoices, credit notes and reminders as they are printed, from one line to several pages, in both languages."""

from datetime import timedelta
from typing import Any

import pypdfium2
import pytest
from billing import ISSUER, Billing, beginning
from printed import overlapping, text_of

from tailrace.core.ids import uuid7
from tailrace_testing import today

PAID_TO = {**ISSUER, "payment_instructions": "IBAN DE02 1203 0000 0000 2020 51"}
"""In the font, a full stop reaches under an `r` before it, which is no fault."""
WORDS = {
    "en": {"total": "Total incl. tax", "due": "Amount due", "supplied": "Date of supply"},
    "ja": {"total": "合計（税込）", "due": "お支払金額", "supplied": "取引年月日"},
}


async def paper(billing: Billing, path: str) -> bytes:
    made = await billing.h.client.get(f"/v1/accounting{path}/document")
    assert made.status_code == 200, made.text
    assert overlapping(made.content)[:5] == []
    return made.content


def last_page(pdf: bytes) -> str:
    pages = pypdfium2.PdfDocument(pdf)
    return str(pages[len(pages) - 1].get_textpage().get_text_range())


def figure(minor: int, sign: str) -> str:
    return f"{sign}{minor:,}" if sign == "¥" else f"{sign}{minor // 100:,}.{minor % 100:02}"


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("lines", [1, 12, 60])
async def test_an_invoice_and_its_credit_note_are_printed_whole(billing: Billing, language: str, lines: int) -> None:
    currency, sign = ("JPY", "¥") if language == "ja" else ("EUR", "€")
    name = "髙﨑商事㈱ 𠮷田事業所" if language == "ja" else "Müller & Søhne"
    customer = await billing.customer(uuid7(), "C-7", name, language=language, currency=currency)
    await billing.put("/billing", issuer=PAID_TO)
    goods = [("10", 9_999 + at, "0.1" if at % 2 else "0.08") for at in range(lines)]
    order = await billing.order(*goods, customer_id=customer, customer_name=name, currency=currency)
    shipment = await billing.ship(order)
    invoice = await billing.issue(await billing.post("/invoices", shipment_ids=[str(shipment)]))
    note = await billing.post(f"/invoices/{invoice['id']}/credit-notes", reason="Broken")
    words = WORDS[language]
    for path, total in (
        (f"/invoices/{invoice['id']}", invoice["total"]),
        (f"/credit-notes/{note['id']}", note["total"]),
    ):
        pdf = await paper(billing, path)
        printed = text_of(pdf)
        assert all(f"SKU-{at}" in printed for at in range(1, lines + 1))
        # At the head, and under the lines.
        assert printed.count(figure(total, sign)) >= 2
        assert "".join(name.split()) in printed and "".join(words["supplied"].split()) in printed
        last = last_page(pdf)
        assert words["total"] in last and f"SKU-{lines}" in last
        assert invoice["number"] in printed
    assert note["total"] == invoice["total"]


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_a_reminder_is_printed_whole(billing: Billing, language: str) -> None:
    currency, sign = ("JPY", "¥") if language == "ja" else ("EUR", "€")
    customer = await billing.customer(uuid7(), "C-7", "髙﨑商事㈱", language=language, currency=currency)
    await billing.put("/billing", issuer=PAID_TO)
    await billing.put("/dunning-policy", levels=[{"days": 1}])
    made: list[dict[str, Any]] = []
    old = (today() - timedelta(days=90)).isoformat()
    for _ in range(20):
        order = await billing.order(("1", 1_000, "0.1"), customer_id=customer, currency=currency)
        shipment = await billing.ship(order, at=beginning(old))
        made.append(await billing.issue(await billing.post("/invoices", shipment_ids=[str(shipment)]), dated=old))
    notice = await billing.post("/dunning-notices", invoice_id=made[0]["id"])
    pdf = await paper(billing, f"/dunning-notices/{notice['id']}")
    printed = text_of(pdf)
    assert all(each["number"] in printed for each in made)
    assert printed.count(figure(22_000, sign)) == 2
    assert WORDS[language]["total"] not in last_page(pdf) and WORDS[language]["due"] in last_page(pdf)
    assert made[-1]["number"] in last_page(pdf)
