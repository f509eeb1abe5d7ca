"""Row-level security, as migrations switch it on: no tenant, no rows; and the owner is bound as well."""

from typing import Any, Final
from uuid import UUID

TENANT_IS_SET = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid"
"""A setting that was reset comes back as an empty string, hence nullif."""

INSERT_ONLY: Final[dict[str, Any]] = {"info": {"insert_only": True}}
"""Last in `__table_args__` of a ledger: its rows are written once. The migration that makes the table takes the rights away."""


def read_by(tenant_id: UUID) -> dict[str, Any]:
    """Last in `__table_args__`: one tenant, the operator's, reads every tenant's rows of the table."""
    return {"info": {"read_by": tenant_id}}


def tenant_tables(op: Any, *tables: str) -> None:
    """Put tables under forced row-level security: their rows are seen, and written, only by their own tenant."""
    for table in tables:
        op.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
        op.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
        op.execute(f'CREATE POLICY tenant ON "{table}" USING ({TENANT_IS_SET}) WITH CHECK ({TENANT_IS_SET})')


def insert_only(op: Any, *tables: str) -> None:
    """Take from the app role the right to change or delete what is written: ledgers, event streams, the outbox."""
    for table in tables:
        op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {role_of(op, 'app')}")


def operator_reads(op: Any, table: str, tenant_id: str) -> None:
    """Let one tenant read the rows of all, and change none but its own."""
    named = "nullif(current_setting('app.tenant_id', true), '')::uuid"
    op.execute(f"CREATE POLICY operator ON \"{table}\" FOR SELECT USING ({named} = '{tenant_id}')")


def capture_outbox(op: Any) -> None:
    """Let the capture role read the outbox of every tenant, and publish its inserts for it."""
    capture = role_of(op, "capture")
    op.execute(f"GRANT SELECT ON outbox TO {capture}")
    op.execute(f"CREATE POLICY capture ON outbox FOR SELECT TO {capture} USING (true)")
    op.execute("CREATE PUBLICATION outbox FOR TABLE outbox WITH (publish = 'insert')")


def role_of(op: Any, role: str) -> str:
    """Roles are named after the service, whose owner runs the migration."""
    owner: str = op.get_bind().exec_driver_sql("SELECT current_user").scalar_one()
    return owner.removesuffix("_owner") + f"_{role}"
