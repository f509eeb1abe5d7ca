"""Toys with a mistake in their database."""

from broken.toy import MIGRATION, MODELS, ROUTES, migrated, toy

_TABLES = 'tenant_tables(op, "card", "stamp", "product", "account", "team_copy", "team_member_copy", "points_event")'
_NO_NULLIF = (
    'op.execute("DROP POLICY tenant ON product")\n    op.execute("CREATE POLICY tenant ON product'
    " USING (tenant_id = current_setting('app.tenant_id', true)::uuid)\")"
)
_OPEN = 'op.execute("CREATE POLICY everybody ON product FOR SELECT USING (true)")'

TOYS = (
    toy(
        "two migrations follow nothing",
        "migrations_have_one_head",
        "2 heads: toyshop_0001, toyshop_0002",
        ("migrations/0002_toyshop.py", "", '"""Lost."""\n\nrevision = "toyshop_0002"\ndown_revision = None\n'),
    ),
    toy(
        "a model without a migration",
        "migrations_make_what_the_models_say",
        "forgotten",
        (
            MODELS,
            "class Total(BaseModel)",
            (
                "class Forgotten(TenantRow, Base):\n"
                '    __tablename__ = "forgotten"\n\n'
                "    note: Mapped[str]\n\n\n"
                "class Total(BaseModel)"
            ),
        ),
    ),
    toy(
        "a check that the migration forgot",
        "migrations_make_what_the_models_say",
        "product.ck_product_name",
        (
            MODELS,
            "    name: Mapped[str]\n    heard",
            '    name: Mapped[__import__("typing").Literal["bolt"]]\n    heard',
        ),
    ),
    toy(
        "a ledger that the app may change",
        "what_is_written_stays",
        "the app role may UPDATE product",
        (
            MODELS,
            '    __tablename__ = "product"\n',
            '    __tablename__ = "product"\n    __table_args__ = ({"info": {"insert_only": True}},)\n',
        ),
    ),
    toy(
        "a migration that throws dice",
        "migrations_make_the_same_from_nothing",
        "column product.name",
        (
            MIGRATION,
            'sa.Column("name", sa.Text, nullable=False)',
            'sa.Column("name", sa.Text, nullable=False, server_default=__import__("uuid").uuid4().hex)',
        ),
    ),
    toy(
        "a table without row security",
        "tenant_tables_are_under_forced_row_security",
        "product is not under forced row-level security",
        (MIGRATION, _TABLES, _TABLES.replace('"product", ', "")),
    ),
    migrated(
        "row security that does not bind the owner",
        "tenant_tables_are_under_forced_row_security",
        "product is not under forced row-level security",
        'op.execute("ALTER TABLE product NO FORCE ROW LEVEL SECURITY")',
    ),
    migrated(
        "a partition without row security",
        "tenant_tables_are_under_forced_row_security",
        "visit_2026 is not under forced row-level security",
        'op.execute("CREATE TABLE visit (tenant_id uuid, at date) PARTITION BY RANGE (at)")\n'
        "    op.execute(\"CREATE TABLE visit_2026 PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')\")\n"
        '    tenant_tables(op, "visit")',
    ),
    migrated(
        "a policy that lets everybody read",
        "tenant_tables_are_under_forced_row_security",
        "the policy everybody of product",
        _OPEN,
    ),
    migrated(
        "a policy that stumbles over a tenant that was reset",
        "without_a_tenant_there_are_no_rows",
        "product answers a reader without a tenant with an error",
        _NO_NULLIF,
    ),
    migrated(
        "rows that show to whoever has no tenant",
        "without_a_tenant_there_are_no_rows",
        "to somebody without a tenant",
        _OPEN,
    ),
    migrated("rows that show to other tenants", "another_tenant_sees_no_row", "rows of one tenant to another", _OPEN),
    toy(
        "a unique key across tenants",
        "the_tenant_comes_first_in_every_key",
        "uq_card_number of card begins with number",
        (MIGRATION, '"card", ["tenant_id", "number"]', '"card", ["number", "tenant_id"]'),
    ),
    toy(
        "a foreign key across tenants",
        "foreign_keys_stay_within_the_tenant",
        "leads from stamp to any tenant's card",
        (
            MIGRATION,
            'sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_card"),',
            'sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_card"),\n        sa.UniqueConstraint("id"),',
        ),
        (MIGRATION, '["tenant_id", "card_id"], ["card.tenant_id", "card.id"]', '["card_id"], ["card.id"]'),
    ),
    migrated(
        "an app role that may truncate",
        "roles_have_no_more_rights_than_they_need",
        "toyshop_app may TRUNCATE card",
        'op.execute("GRANT TRUNCATE ON card TO toyshop_app")',
    ),
    migrated(
        "a table that everybody may read",
        "roles_have_no_more_rights_than_they_need",
        "everybody may SELECT product",
        'op.execute("GRANT SELECT ON product TO PUBLIC")',
    ),
    migrated(
        "a function with its owner's rights",
        "roles_have_no_more_rights_than_they_need",
        "the function all_cards runs with the rights of its owner",
        'op.execute("CREATE FUNCTION all_cards() RETURNS bigint LANGUAGE sql SECURITY DEFINER'
        " AS 'SELECT count(*) FROM card'\")",
    ),
    migrated(
        "a view with its owner's rights",
        "roles_have_no_more_rights_than_they_need",
        "the view labels reads with the rights of its owner",
        'op.execute("CREATE VIEW labels AS SELECT label FROM card")',
    ),
    migrated(
        "a database that anybody may enter",
        "nobody_else_can_enter",
        "everybody may enter the database",
        'here = op.get_bind().exec_driver_sql("SELECT current_database()").scalar_one()\n'
        "    op.execute(f'GRANT CONNECT ON DATABASE \"{here}\" TO PUBLIC')",
    ),
    toy(
        "a stream that can be rewritten",
        "what_is_written_stays",
        "the app role may UPDATE points_event",
        (MIGRATION, '    insert_only(op, "points_event")\n', ""),
    ),
    migrated(
        "an outbox that can be rewritten",
        "what_is_written_stays",
        "the app role may UPDATE outbox",
        'op.execute("GRANT UPDATE ON outbox TO toyshop_app")',
    ),
    migrated(
        "a table that leaves by itself",
        "only_the_outboxs_inserts_are_published",
        "card is published",
        'op.execute("ALTER PUBLICATION outbox ADD TABLE card")',
    ),
    toy(
        "an e-mail address in a platform table",
        "platform_tables_hold_no_personal_data",
        "card_home holds personal data",
        (ROUTES, "values(code=body.number", "values(code=body.email"),
    ),
)
