"""Which events submit a document for approval, and which take one back. A further owner of documents adds its events here, and nothing elsewhere."""

from contracts.accounting import JournalSubmitted, JournalWithdrawn
from contracts.approvals import Submission, Withdrawal
from contracts.credit import OrderCreditHeld, OrderCreditWithdrawn
from contracts.quotes import QuoteCancelled, QuoteRecalled, QuoteSubmitted
from contracts.refunds import RefundSubmitted, RefundWithdrawn

SUBMISSIONS: tuple[type[Submission], ...] = (QuoteSubmitted, JournalSubmitted, OrderCreditHeld, RefundSubmitted)
WITHDRAWALS: tuple[type[Withdrawal], ...] = (
    QuoteRecalled,
    QuoteCancelled,
    JournalWithdrawn,
    OrderCreditWithdrawn,
    RefundWithdrawn,
)
