"""What credit refuses, and why."""

from tailrace.core.errors import Refused


class NotHeldForCredit(Refused):
    """409: only an order that credit holds can be released."""

    slug, title = "order-not-held-for-credit", "The order is not held for credit"


class ReleasedByApproval(Refused):
    """409: those whom the company's matrix names decide about the release, or have decided."""

    slug, title = "order-released-by-approval", "The order is released by approval"

    def __init__(self, number: str, state: str) -> None:
        said = {
            "pending": "an approval of its release is under way",
            "rejected": "its release was rejected; change it, or confirm it again",
        }.get(state, "its release was not decided; confirm it again")
        super().__init__(f"Order {number} cannot be released by a person: {said}.")
