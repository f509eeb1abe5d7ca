"""Row-level security, as migrations switch it on: no tenant, no rows; and the owner is bound as well."""

from typing import Any

TENANT_IS_SET = "tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid"
"""A setting that was reset comes back as an empty string, hence nullif."""


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
