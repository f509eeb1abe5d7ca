"""Indexes and references of tenants' tables: `tenant_id` comes first in each, so that no query and no reference leaves the tenant."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, text


def tenant_index(*columns: str, where: str | None = None, include: Sequence[str] = ()) -> Index:
    """An index by these columns of a tenant's rows, or of those that `where` (SQL) is true of.

    `include`: columns that it holds besides, so that a query of no others is answered by the index alone.
    """
    options: dict[str, Any] = {} if where is None else {"postgresql_where": text(where)}
    if include:
        options["postgresql_include"] = list(include)
    return Index(None, "tenant_id", *columns, **options)


def refers_to(table: str, column: str, *, ondelete: str | None = None) -> ForeignKeyConstraint:
    """`column` holds the id of a row of `table`, of the same tenant. `ondelete="CASCADE"`: it goes with that row, unread."""
    return ForeignKeyConstraint(["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"], ondelete=ondelete)
