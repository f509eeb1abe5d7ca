"""What is refused of refunds, and the name each refusal goes by."""

from tailrace.core.errors import Refused


class RefundState(Refused):
    """409: what was paid back is not withdrawn, and what waits for an approval is not paid yet."""

    slug, title = "refund-state", "Not possible with this refund now"


class NothingToRefund(Refused):
    """409: nothing of the customer's money is for no invoice."""

    slug, title = "nothing-to-refund", "There is nothing to pay back"
