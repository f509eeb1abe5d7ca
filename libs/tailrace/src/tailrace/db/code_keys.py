"""For migrations: a table that has codes and no key of them yet gets it; one of master data one spelling for what it holds, too.

Keys are what Python makes of codes (`text.folded`), which folds more letters than PostgreSQL does, and the same in every locale. So PostgreSQL
makes most of them, and Python those that come out otherwise. A migration runs as the owner, from whom row-level security hides all rows: the key is
generated first, which needs none to be seen, then let go, and the rest are looked at while security is lifted for the owner
(`tailrace.db.text_search.spelling`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from tailrace.core.values.text import folded
from tailrace.db.unique import LIVE
from tailrace.observability.logs import log

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
    """`key` of the codes that a table keeps, of which several rows may share one, as copies do; and an index by it.

    What the version before adds while it still serves has its key of a trigger; one that only Python folds comes right with its next change.
    """
    _add_filled(op, table, code, key)
    op.create_index(op.f(f"ix_{table}_tenant_id_{key}"), table, ["tenant_id", key])


def add_unique_key(op: Any, table: str, codes: Mapping[str, str], where: str = LIVE) -> None:
    """Keys of the codes that a table keeps, by the keys' names, and one row of a tenant with all of them among those that `where` is true of.

    Rows that share them already stay, each as it is written: the first one has the keys, and the others have their id in the last of them until
    they are called something else. The log says how many. What the version before adds has its keys of a trigger, as in `add_key`.
    """
    for key, code in codes.items():
        _add_filled(op, table, code, key)
    _part(op, table, [*codes], where)
    name = op.f("_".join(["ix", table, "tenant_id", *codes]))
    op.create_index(name, table, ["tenant_id", *codes], unique=True, postgresql_where=sa.text(where))


def _part(op: Any, table: str, keys: Sequence[str], where: str) -> None:
    """Let only the first of those that share all their keys have them."""
    nth = f"row_number() OVER (PARTITION BY tenant_id, {', '.join(keys)} ORDER BY id)"
    shared = f"SELECT tenant_id, id, {nth} AS nth FROM {table} WHERE {where}"
    same = f"shared.nth > 1 AND shared.tenant_id = {table}.tenant_id AND shared.id = {table}.id"
    change = f"UPDATE {table} SET {keys[-1]} = {keys[-1]} || ' ' || {table}.id FROM ({shared}) AS shared WHERE {same}"
    op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    parted = op.get_bind().execute(sa.text(change)).rowcount
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    if parted:
        log.warning("spelled apart before and left so", table=table, rows=parted)


def _add_filled(op: Any, table: str, code: str, key: str) -> None:
    _add(op, table, code, key)
    filled = f"NEW.{key} = coalesce(NEW.{key}, {_FOLDED.format(code=f'NEW.{code}')})"
    function = f"fill_{table}_{key}()"
    op.execute(f"CREATE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {filled}; RETURN NEW; END $$")
    op.execute(f"CREATE TRIGGER fill_{key} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {function}")


def _add(op: Any, table: str, code: str, key: str) -> None:
    generated = f"GENERATED ALWAYS AS ({_FOLDED.format(code=code)}) STORED"
    op.execute(f"ALTER TABLE {table} ADD COLUMN {key} text NOT NULL {generated}")
    op.execute(f"ALTER TABLE {table} ALTER COLUMN {key} DROP EXPRESSION")
    _fold_the_rest(op, table, code, key)


def _fold_the_rest(op: Any, table: str, code: str, key: str) -> None:
    """Only what is not ASCII, or what a locale made of it, can have come out otherwise."""
    bind = op.get_bind()
    suspect = f'{code} COLLATE "C" ~ \'[^ -~]\' OR {key} <> lower({code} COLLATE "C")'
    op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    made = bind.execute(sa.text(f"SELECT DISTINCT {code}, {key} FROM {table} WHERE {suspect}")).all()
    right = {said: folded(said) for said, kept in made if folded(said) != kept}
    if right:
        pairs = "unnest(CAST(:said AS text[]), CAST(:made AS text[])) AS pair (said, made)"
        change = f"UPDATE {table} SET {key} = pair.made FROM {pairs} WHERE {table}.{code} = pair.said"
        bind.execute(sa.text(change), {"said": list(right), "made": list(right.values())})
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
