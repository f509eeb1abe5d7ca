"""Quotes below the list and journals above the limit, decided by people who did not ask for them: a manager, and for large ones finance too."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tailrace_demo.client import User
from tailrace_demo.companies import Firm
from tailrace_demo.decided import FINANCE_ABOVE, RENT
from tailrace_demo.setup import Shop, hire

JOURNAL_LIMIT = 500_000
"""Debits, in minor units, up to which finance posts a journal alone."""
BANK = "1000"
LOWERED = "0.1"
"""The discount of a quote that was given back because of a larger one."""
LARGE = 200
"""How many times the typical quantity is on a large quote."""


@dataclass(frozen=True)
class QuotePlan:
    """A quote as it is going to be offered, and what those who are asked say."""

    fate: str
    large: bool = False
    discount: str = "0.2"


QUOTES = (
    QuotePlan("listed", discount="0"),
    QuotePlan("approved"),
    QuotePlan("approved", large=True),
    QuotePlan("approved", large=True),
    QuotePlan("returned"),
    QuotePlan("refused"),
    QuotePlan("refused by finance", large=True),
    QuotePlan("recalled"),
    QuotePlan("waiting"),
)
JOURNALS = (
    ("rent of the office", 120_000, "at once"),
    ("rent of the plant", 900_000, "approve"),
    ("rent", 700_000, "reject"),
)


@dataclass(frozen=True)
class Deciders:
    """Who says yes or no in a company."""

    manager: User
    finance: User


async def appoint(shop: Shop) -> Deciders:
    """Hire those who decide, and say who decides what."""
    manager, finance = [
        await hire(shop.admin, name, [role]) for name, role in (("manager", "manager"), ("finance", "accountant"))
    ]
    limits = {"limits": [{"currency": shop.firm.currency, "amount": JOURNAL_LIMIT}]}
    await shop.admin.put("/v1/accounting/journal-limits", limits, key="journal-limits")
    found = await shop.admin.until(
        "/v1/processes?key=approval", lambda page: page["items"] and page["items"][0]["active"], what="its process"
    )
    matrix = {
        "inputs": ["kind", "amount"],
        "rules": [
            {"then": {"approvers": "role:manager"}},
            {
                "when": {"kind": '"quote"', "amount": f"> {FINANCE_ABOVE}"},
                "step": 2,
                "then": {"approvers": "role:accountant", "due": "P2D"},
            },
        ],
    }
    await shop.admin.put(f"/v1/processes/{found['items'][0]['id']}/matrix", matrix, key="matrix")
    return Deciders(manager, finance)


async def approvals(shop: Shop) -> Deciders:
    """Offer the quotes, post the journals, and let them be decided."""
    people = await appoint(shop)
    customer = {"name": shop.firm.customers[0], "currency": shop.firm.currency, "price_list_id": shop.price_list}
    customer_id = (await shop.admin.post("/v1/customers", customer, key="customer/quotes"))["id"]
    async with asyncio.TaskGroup() as group:
        for number, plan in enumerate(QUOTES):
            group.create_task(_offer(shop, people, customer_id, number, plan))
        for number, (text, amount, fate) in enumerate(JOURNALS):
            group.create_task(_post(shop.firm, people, number, text, amount, fate))
    return people


async def _offer(shop: Shop, people: Deciders, customer_id: str, number: int, plan: QuotePlan) -> None:
    seller, key = shop.sellers[number % len(shop.sellers)], f"quote/{number}"
    body = _quote(shop, customer_id, number, plan)
    quote = await seller.post("/v1/quotes", body, key=key)
    path = f"/v1/quotes/{quote['id']}"
    await seller.post(f"{path}/submit", {}, key=f"{key}/submit")
    match plan.fate:
        case "approved" | "refused by finance":
            approval = await _asked(people.manager, quote["id"])
            await _decide(people.manager, approval, "approve", f"{key}/manager")
            if plan.fate == "refused by finance":
                said = {"reason": "beyond the credit line", "then": "fail"}
                await _decide(people.finance, approval, "reject", f"{key}/finance", **said)
            elif plan.large:
                await _decide(people.finance, approval, "approve", f"{key}/finance")
        case "refused":
            said = {"reason": "below cost", "then": "fail"}
            await _decide(people.manager, await _asked(people.manager, quote["id"]), "reject", f"{key}/manager", **said)
        case "returned":
            said = {"reason": "half the discount will do", "then": "return"}
            await _decide(people.manager, await _asked(people.manager, quote["id"]), "reject", f"{key}/manager", **said)
            await _given_back(seller, path)
            lowered = _quote(shop, customer_id, number, QuotePlan(plan.fate, discount=LOWERED))
            await seller.put(path, lowered, key=f"{key}/lowered")
            await seller.post(f"{path}/submit", {}, key=f"{key}/submit/2")
            again = await _asked(people.manager, quote["id"], before=1)
            await _decide(people.manager, again, "approve", f"{key}/manager/2")
        case "recalled":
            approval = await _asked(people.manager, quote["id"])
            await seller.post(f"/v1/approvals/{approval}/recall", {"reason": "too early"}, key=f"{key}/recall")
    ends = {"refused": "cancelled", "refused by finance": "cancelled", "recalled": "draft", "waiting": "in_approval"}
    await _became(seller, path, ends.get(plan.fate, "approved"))


async def _post(firm: Firm, people: Deciders, number: int, text: str, amount: int, fate: str) -> None:
    lines = [
        {"account": RENT, "currency": firm.currency, "debit": amount},
        {"account": BANK, "currency": firm.currency, "credit": amount},
    ]
    body, key = {"text": text, "lines": lines}, f"journal/{number}"
    if fate == "at once":
        await people.finance.post("/v1/accounting/journals", body, key=key)
        return
    draft = await people.finance.post("/v1/accounting/journal-drafts", body, key=key)
    said = {"reason": "no such contract", "then": "fail"} if fate == "reject" else {}
    approval = await _asked(people.manager, draft["id"])
    await _decide(people.manager, approval, fate, f"{key}/manager", **said)
    path = f"/v1/accounting/journal-drafts/{draft['id']}"
    await _became(people.finance, path, "posted" if fate == "approve" else "rejected")


def _quote(shop: Shop, customer_id: str, number: int, plan: QuotePlan) -> dict[str, Any]:
    goods: Sequence[Any] = shop.firm.goods
    good = goods[number % len(goods)]
    quantity = str(good.typical * (LARGE if plan.large else 1))
    line = {"item_id": shop.items[good.sku], "quantity": quantity, "discount_rate": plan.discount}
    warehouse = next(iter(shop.warehouses.values()))
    return {"customer_id": customer_id, "warehouse_id": warehouse, "lines": [line]}


async def _asked(user: User, document_id: str, before: int = 0) -> str:
    """The id of the approval that was asked for after `before` others of the same document."""
    path = f"/v1/approvals?document_id={document_id}"
    page = await user.until(path, lambda page: len(page["items"]) > before, what=f"an approval of {document_id}")
    return str(sorted(page["items"], key=lambda each: each["id"])[before]["id"])


async def _decide(user: User, approval_id: str, what: str, key: str, **said: str) -> None:
    await user.patch(f"/v1/approvals/{approval_id}/{what}", said, key=key)


async def _given_back(user: User, path: str) -> None:
    """Back with its author; or, where the job runs again on the same data, further than that."""

    def is_back(now: Any) -> bool:
        return now["status"] == "draft" or Decimal(now["lines"][0]["discount_rate"]) == Decimal(LOWERED)

    await user.until(path, is_back, what=f"{path} to be given back")


async def _became(user: User, path: str, status: str) -> None:
    await user.until(path, lambda now: now["status"] == status, what=f"{path} to be {status}")
