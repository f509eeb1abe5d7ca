"""Addresses are kept in NFKC and lower case, names in NFC.

It fails, and changes nothing, when one company has two live users of one address: rename one of them first. A password that was set in another
spelling than RFC 8265 makes of it cannot be mended, since only its hash is there: it has to be set again.
"""

from alembic import op

revision = "identity_0002"
down_revision = "identity_0001"


def upgrade() -> None:
    # Row-level security shows the owner no row, so an UPDATE would find none.
    op.execute(
        "ALTER TABLE user_account ALTER COLUMN email TYPE text USING normalize(lower(normalize(email, NFKC)), NFKC), "
        "ALTER COLUMN name TYPE text USING normalize(name, NFC)"
    )
    op.execute("ALTER TABLE tenant ALTER COLUMN name TYPE text USING normalize(name, NFC)")
    op.execute("TRUNCATE log_in_failures")
