"""Indexes and references of tenants' tables: `tenant_id` comes first in each, so that no query and no reference leaves the tenant."""

from sqlalchemy import ForeignKeyConstraint, Index, text


def tenant_index(*columns: str, where: str | None = None) -> Index:
    """An index by these columns of a tenant's rows, or of those that `where` (SQL) is true of."""
    return Index(None, "tenant_id", *columns, postgresql_where=None if where is None else text(where))


def refers_to(table: str, column: str) -> ForeignKeyConstraint:
    """`column` holds the id of a row of `table`, of the same tenant."""
    return ForeignKeyConstraint(["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"])
