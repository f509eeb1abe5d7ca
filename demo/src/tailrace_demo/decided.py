"""What must have become of quotes and journals that others decide, from the log of requests alone: who had to say yes, and what was said."""

from collections import Counter
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

RENT = "6000"
FINANCE_ABOVE = 1_000_000
"""What the company's matrix says: net amount, in minor units, above which a quote needs two people."""


@dataclass
class _Quote:
    net: int
    lowered: bool
    body: dict[str, Any]
    status: str = "draft"
    agreed: int = 0


class Decided:
    """One company's. `decisions` is how often each person decided, by the name before the @; `rent` is in minor units."""

    def __init__(self, prices: dict[str, Decimal]) -> None:
        self._prices = prices
        self._quotes: dict[str, _Quote] = {}
        self._journals: dict[str, int] = {}
        self._approvals: dict[str, str] = {}
        self.decisions: Counter[str] = Counter()
        self.rent = 0

    def read(self, entry: dict[str, Any]) -> None:
        """The next accepted request."""
        body, answer = entry["body"], entry["answer"]
        match entry["path"].split("/")[2:]:
            case ["quotes"] | ["quotes", _]:
                self._quotes[answer["id"]] = self._offered(body)
            case ["quotes", quote_id, "submit"]:
                quote = self._quotes[quote_id]
                quote.status = "in_approval" if quote.lowered else "approved"
            case ["quotes", quote_id, "send" | "accept" | "decline" as what]:
                self._quotes[quote_id].status = {"send": "sent", "accept": "accepted", "decline": "declined"}[what]
            case ["accounting", "journals"]:
                self.rent += _debits(body)
            case ["accounting", "journal-drafts"]:
                self._journals[answer["id"]] = _debits(body)
            case ["approvals", approval_id, "approve" | "reject" | "recall" as what]:
                if what != "recall":
                    self.decisions[entry["user"].partition("@")[0]] += 1
                self._approvals[approval_id] = self._answer(what, body, answer["document_id"])

    def order_of(self, quote_id: str) -> dict[str, Any]:
        """What an order says that is made of a quote at list prices."""
        body = self._quotes[quote_id].body
        return {"confirm": True, "customer_id": body["customer_id"], "lines": body["lines"]}

    def quotes(self) -> dict[str, int]:
        """How many there are in each state."""
        return dict(Counter(each.status for each in self._quotes.values()))

    def approvals(self) -> dict[str, int]:
        """The same of approvals; of some that wait nobody has said a word."""
        states = Counter(self._approvals.values())
        states["pending"] = sum(each.status == "in_approval" for each in self._quotes.values())
        return dict(+states)

    def _offered(self, body: dict[str, Any]) -> _Quote:
        shares = [1 - Decimal(line["discount_rate"]) for line in body["lines"]]
        amounts = [
            _round(Decimal(line["quantity"]) * self._prices[line["item_id"]] * share)
            for line, share in zip(body["lines"], shares, strict=True)
        ]
        return _Quote(sum(amounts), any(share < 1 for share in shares), body)

    def _answer(self, what: str, body: dict[str, Any], document_id: str) -> str:
        """What an approval is after a word about it; it moves the document along."""
        quote = self._quotes.get(document_id)
        if what == "approve":
            return self._agree(quote, document_id)
        if quote is not None:
            quote.status = "cancelled" if body.get("then") == "fail" else "draft"
        return "recalled" if what == "recall" else "rejected"

    def _agree(self, quote: _Quote | None, document_id: str) -> str:
        if quote is None:
            self.rent += self._journals.get(document_id, 0)
            return "approved"
        quote.agreed += 1
        if quote.agreed < (2 if quote.net > FINANCE_ABOVE else 1):
            return "pending"
        quote.status = "approved"
        return "approved"


def _debits(body: dict[str, Any]) -> int:
    return sum(line.get("debit", 0) for line in body["lines"] if line["account"] == RENT)


def _round(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))
