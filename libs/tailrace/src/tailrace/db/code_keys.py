"""For migrations: a table that has codes and no key of them yet gets it; one of master data one spelling for what it holds, too.

A migration runs as the owner, whom row-level security shows no row. So the key is generated first, which needs no row to be seen, and then let go.
"""

from typing import Any

import sqlalchemy as sa

from tailrace.db.unique import LIVE

# Python folds the rest of Unicode too; the key of such a code comes right with its next change.
_FOLDED = "replace(replace(lower(normalize({code}, NFKC)), 'ß', 'ss'), 'ς', 'σ')"


def add_code_key(op: Any, table: str, code: str = "code") -> None:
    """Codes in NFKC, names in NFC, and `code_key` unique in place of `code`.

    Fails, and changes nothing, when live rows of one tenant have two spellings of one code: rename one of them first.
    """
    op.execute(
        f"ALTER TABLE {table} ALTER COLUMN {code} TYPE text USING btrim(normalize({code}, NFKC)), "
        "ALTER COLUMN name TYPE text USING normalize(name, NFC)"
    )
    _add(op, table, code, "code_key")
    op.drop_index(op.f(f"ix_{table}_tenant_id_{code}"), table)
    key = op.f(f"ix_{table}_tenant_id_code_key")
    op.create_index(key, table, ["tenant_id", "code_key"], unique=True, postgresql_where=sa.text(LIVE))


def add_key(op: Any, table: str, code: str = "code", key: str = "code_key") -> None:
    """`key` of the codes that a table keeps, of which several rows may share one, as copies do; and an index by it."""
    _add(op, table, code, key)
    op.create_index(op.f(f"ix_{table}_tenant_id_{key}"), table, ["tenant_id", key])


def _add(op: Any, table: str, code: str, key: str) -> None:
    generated = f"GENERATED ALWAYS AS ({_FOLDED.format(code=code)}) STORED"
    op.execute(f"ALTER TABLE {table} ADD COLUMN {key} text NOT NULL {generated}")
    op.execute(f"ALTER TABLE {table} ALTER COLUMN {key} DROP EXPRESSION")
