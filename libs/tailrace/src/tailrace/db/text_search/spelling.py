"""For migrations: the texts of a table from before come into the spelling that new ones are kept in (`tailrace.core.values.text`).

    spell_again(op, "unit", code=code, name=line)
    spell_again(op, "item", conversions=inside(code))

A migration runs as the owner, whom forced row-level security shows no row. It is lifted for the owner alone, under the lock of the migration's own
transaction, and forced again before that ends. What changes is no event: events say what they said.
"""

import json
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from tailrace.observability.logs import log

__all__ = ["inside", "spell_again"]

Rule = Callable[[str], str]

# In ASCII only blanks at either end and encoded domains are written otherwise.
_SUSPECTS = r"[^ -~]|^\s|\s$|xn--"


def spell_again(op: Any, table: str, **columns: Rule) -> None:
    """Put each text of these columns, and JSON as its text, through the column's rule.

    A text that the rule refuses, since it holds what nobody sees, stays; the log says how many there are. Fails, and changes nothing, where one
    spelling makes two values one of which there may be one.
    """
    bind = op.get_bind()
    op.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
    for column, rule in columns.items():
        kind = bind.execute(_TYPE, {"table": table, "column": column}).scalar_one()
        of_each = f'SELECT DISTINCT "{column}"::text FROM "{table}" WHERE "{column}"::text COLLATE "C" ~ :suspects'
        change = sa.text(f'UPDATE "{table}" SET "{column}" = CAST(:to AS {kind}) WHERE "{column}"::text = :was')
        refused = 0
        for was in bind.execute(sa.text(of_each), {"suspects": _SUSPECTS}).scalars().all():
            try:
                to = rule(was)
            except ValueError:
                refused += 1
                continue
            if to != was:
                bind.execute(change, {"to": to, "was": was})
        if refused:
            log.warning("texts left as they were", table=table, column=column, distinct=refused)
    op.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')


def inside(rule: Rule) -> Rule:
    """The rule for each text in JSON, names of fields left out. JSON with numbers that a double does not hold is none to be put through this."""

    def spelled(node: Any) -> Any:
        if isinstance(node, str):
            return rule(node)
        if isinstance(node, list):
            return [spelled(each) for each in node]
        return {name: spelled(each) for name, each in node.items()} if isinstance(node, dict) else node

    def rewritten(was: str) -> str:
        before = json.loads(was)
        after = spelled(before)
        return was if after == before else json.dumps(after, ensure_ascii=False)

    return rewritten


_TYPE = sa.text(
    "SELECT data_type FROM information_schema.columns"
    " WHERE table_schema = current_schema() AND table_name = :table AND column_name = :column"
)
