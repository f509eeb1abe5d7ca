"""Where customers pay to."""

from sqlalchemy import select

from accounting.payments.models import BankAccount
from tailrace.db.database import Tx


async def iban_for(tx: Tx, currency: str) -> str | None:
    """The number of the oldest account at a bank in this currency that has one; None when there is none."""
    query = (
        select(BankAccount.iban)
        .where(BankAccount.currency == currency, BankAccount.iban.is_not(None), BankAccount.deleted_at.is_(None))
        .order_by(BankAccount.id)
        .limit(1)
    )
    return await tx.scalar(query)
