"""Tax codes are found in every spelling, and refunds and payments by what they came to on an account at a bank."""

from alembic import op

from tailrace.db.code_keys import add_key

revision = "accounting_0014"
down_revision = "accounting_0013"


def upgrade() -> None:
    add_key(op, "tax_code_copy")
    for table in ("refund", "payment"):
        columns = ["tenant_id", "bank_account_id", "amount"]
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns)
