"""What holds of every database: migrated as the models say, closed to everybody else, and each row held to its tenant."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, Table
from sqlalchemy.ext.asyncio import create_async_engine

from invariants.personal import personal_values, stands_in
from invariants.subject import Findings, Subject
from tailrace.codegen.migrations import checks
from tailrace.db import tables
from tailrace.runtime.migrate import alembic_config, migrations_of, prepare_database
from tailrace.settings import Role
from tailrace_testing import Harness

Name = TypeVar("Name", str, tuple[str, str])
_BOOKKEEPING = {"alembic_version", "alembic_version_kit"}
_APP_MAY = {"SELECT", "INSERT", "UPDATE", "DELETE"}
_ROLES: tuple[Role, ...] = ("owner", "app", "capture")
_CAPTURE_MAY = {("outbox", "SELECT"), ("database_history", "SELECT")}
_POLICY = "(tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)"
_OPERATOR = re.compile(
    r"\(\(NULLIF\(current_setting\('app.tenant_id'::text, true\), ''::text\)\)::uuid = '[0-9a-f-]{36}'::uuid\)"
)
"""Shows rows to one tenant that the migration names, and to nobody else."""
_KITS_POLICIES = {
    ("outbox", "capture"),
    ("outbox", "expired_seen"),
    ("outbox", "expired_deleted"),
    ("outbox", "kept"),
    ("idempotency", "expired_seen"),
    ("idempotency", "expired_deleted"),
}


async def migrations_have_one_head(subject: Subject) -> Findings:
    """Two heads would leave open which migration comes last."""
    config = alembic_config(None, migrations_of(subject.service), MetaData(), "alembic_version")  # type: ignore[arg-type]
    heads = ScriptDirectory.from_config(config).get_heads()
    return [] if len(heads) == 1 else [f"the migrations have {len(heads)} heads: {', '.join(sorted(heads))}"]


async def migrations_make_what_the_models_say(subject: Subject) -> Findings:
    """Autogenerate finds no difference between the migrated database and the models, the kit's tables included; nor do check constraints differ."""
    harness = (await subject.walked()).h
    assert subject.service.metadata is not None
    both = [subject.service.metadata, tables.metadata]
    options: dict[str, Any] = {
        "compare_type": True,
        "include_name": lambda name, kind, _: not (kind == "table" and name in _BOOKKEEPING),
        "target_metadata": both,
    }
    engine = create_async_engine(harness.admin_url.replace("postgresql://", "postgresql+asyncpg://"))
    try:
        async with engine.connect() as connection:
            differences = await connection.run_sync(
                lambda c: compare_metadata(MigrationContext.configure(c, opts=options), both)  # type: ignore[arg-type]
            )
            there, wanted = await connection.run_sync(checks, subject.service.metadata)
    finally:
        await engine.dispose()
    unlike = [f"{table}.{name}" for table, name in _differing(there, wanted)]
    return [f"models and migrations differ: {difference}" for difference in [*differences, *unlike]]


async def migrations_make_the_same_from_nothing(subject: Subject) -> Findings:
    """Run on an empty database twice, and once more on top, migrations come to the same tables, keys, policies and rights."""
    first, again = await _from_nothing(subject)
    other = (await subject.walked()).h
    third = await _structure(other.admin_url)
    found = [f"migrating a second time changes {name}" for name in _differing(first, again)]
    return found + [f"two databases made from nothing differ in {name}" for name in _differing(first, third)]


async def _from_nothing(subject: Subject) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The structure of a database that was migrated from nothing, and after migrating it again."""

    async def make() -> tuple[Mapping[str, str], Mapping[str, str]]:
        # It goes with the test run's server: dropping it would wait for a checkpoint.
        name = f"{subject.name}_{uuid4().hex}"
        structures = []
        for _ in range(2):
            await prepare_database(
                subject.databases.admin_url("postgres"), subject.service, subject.databases.settings, name=name
            )
            structures.append(await _structure(subject.databases.admin_url(name)))
        return structures[0], structures[1]

    return await subject.keep("from nothing", make)


async def _structure(url: str) -> dict[str, str]:
    """Every object of a database that a migration makes, as text by name."""
    queries = (
        """SELECT 'column ' || table_name || '.' || column_name,
                  concat_ws(' ', ordinal_position, data_type, is_nullable, column_default, numeric_precision, numeric_scale)
           FROM information_schema.columns WHERE table_schema = 'public'""",
        """SELECT 'constraint ' || conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
           FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
        "SELECT 'index ' || indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        """SELECT 'policy ' || tablename || '.' || policyname, concat_ws(' ', cmd, roles::text, qual, with_check)
           FROM pg_policies""",
        """SELECT 'rights on ' || relname, concat_ws(' ', relacl::text, relrowsecurity, relforcerowsecurity)
           FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')""",
        "SELECT 'rights on the database', datacl::text FROM pg_database WHERE datname = current_database()",
        "SELECT 'published ' || tablename, pubname FROM pg_publication_tables",
        "SELECT 'function ' || proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    )
    connection = await asyncpg.connect(url)
    try:
        return {row[0]: row[1] or "" for query in queries for row in await connection.fetch(query)}
    finally:
        await connection.close()


def _differing(one: Mapping[Name, str], other: Mapping[Name, str]) -> list[Name]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


async def tenant_tables_are_under_forced_row_security(subject: Subject) -> Findings:
    """Every table but the kit's and the declared platform tables has row security, forced, with the one policy of `tailrace.db.row_security`."""
    harness = (await subject.walked()).h
    open_tables = {table.name for table in tables.PLATFORM} | subject.service.platform_tables | _BOOKKEEPING
    rows = await harness.admin.fetch(
        """SELECT relname, relrowsecurity AS enabled, relforcerowsecurity AS forced, relispartition AS part
           FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"""
    )
    found = [
        f"{row['relname']} is not under forced row-level security"
        for row in rows
        if row["relname"] not in open_tables and not (row["enabled"] and row["forced"])
    ]
    guarded = {row["relname"] for row in rows} - open_tables
    return found + await _wrong_policies(harness, guarded, subject.service.operator_reads)


async def _wrong_policies(harness: Harness, guarded: set[str], operators: frozenset[str]) -> Findings:
    found, sound = [], set()
    for row in await harness.admin.fetch(
        "SELECT tablename, policyname, permissive, cmd, qual, with_check FROM pg_policies"
    ):
        table, policy = row["tablename"], row["policyname"]
        if (table, policy) in _KITS_POLICIES:
            continue
        if policy == "operator" and table in operators and row["cmd"] == "SELECT" and _OPERATOR.fullmatch(row["qual"]):
            continue
        if policy == "tenant" and (row["qual"], row["with_check"], row["cmd"]) == (_POLICY, _POLICY, "ALL"):
            sound.add(table)
        else:
            found.append(
                f"the policy {policy} of {table} is not the one that holds rows to their tenant: {row['qual']}"
            )
    return found + [f"{table} has no policy that holds its rows to their tenant" for table in sorted(guarded - sound)]


async def without_a_tenant_there_are_no_rows(subject: Subject) -> Findings:
    """With no tenant set, and after one was set and forgotten, each table shows nothing and takes nothing."""
    harness = (await subject.walked()).h
    app = await _as_app(harness)
    found = []
    try:
        for forget in (False, True):
            if forget:
                async with app.transaction():
                    await app.execute("SELECT set_config('app.tenant_id', $1, true)", str(harness.tenant))
            for table in await _tenant_tables(subject):
                found += await _refusals(app, table)
    finally:
        await app.close()
    return sorted(set(found))


async def _refusals(app: Any, table: str) -> Findings:
    try:
        seen = await app.fetchval(f'SELECT count(*) FROM "{table}"')
    except asyncpg.PostgresError as error:
        return [f"{table} answers a reader without a tenant with an error: {error}"]
    found = [f"{table} shows {seen} rows to somebody without a tenant"] if seen else []
    try:
        async with app.transaction():
            await app.execute("SET CONSTRAINTS ALL DEFERRED")
            await app.execute(f'INSERT INTO "{table}" (tenant_id) VALUES (gen_random_uuid())')
    except asyncpg.InsufficientPrivilegeError:
        return found
    except asyncpg.PostgresError as error:
        return [*found, f"{table} looks at a row before it looks for the tenant: {error}"]
    return [*found, f"{table} takes a row from somebody without a tenant"]


async def another_tenant_sees_no_row(subject: Subject) -> Findings:
    """What the walk left in any tenant's table shows to its own tenant alone."""
    harness = (await subject.walked()).h
    app = await _as_app(harness)
    found, rows = [], 0
    try:
        await app.execute("SELECT set_config('app.tenant_id', $1, false)", str(harness.other_tenant))
        for table in await _tenant_tables(subject):
            rows += await harness.admin.fetchval(f'SELECT count(*) FROM "{table}"')
            seen = await app.fetchval(f'SELECT count(*) FROM "{table}" WHERE tenant_id <> $1', harness.other_tenant)
            if seen:
                found.append(f"{table} shows {seen} rows of one tenant to another")
    finally:
        await app.close()
    return found if rows else ["the walk left no row"]


async def the_tenant_comes_first_in_every_key(subject: Subject) -> Findings:
    """Primary and unique keys of tenants' tables begin with `tenant_id`: no tenant learns from a clash what another has."""
    harness = (await subject.walked()).h
    rows = await harness.admin.fetch(
        """SELECT c.relname, ic.relname AS key, a.attname AS first FROM pg_index i
           JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class ic ON ic.oid = i.indexrelid
           LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
           WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace"""
    )
    tenants = set(await _tenant_tables(subject)) - {"outbox"}
    return [
        f"the key {row['key']} of {row['relname']} begins with {row['first']}, not with tenant_id"
        for row in rows
        if row["relname"] in tenants and row["first"] != "tenant_id"
    ]


async def foreign_keys_stay_within_the_tenant(subject: Subject) -> Findings:
    """PostgreSQL checks foreign keys past row security: one without `tenant_id` tells whether another tenant's id exists."""
    harness = (await subject.walked()).h
    rows = await harness.admin.fetch(
        """SELECT conname, conrelid::regclass::text AS child, confrelid::regclass::text AS parent,
                  EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = conrelid AND a.attnum = ANY (conkey)
                          AND a.attname = 'tenant_id') AS held
           FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace"""
    )
    return [
        f"the foreign key {row['conname']} leads from {row['child']} to any tenant's {row['parent']}"
        for row in rows
        if not row["held"]
    ]


async def roles_have_no_more_rights_than_they_need(subject: Subject) -> Findings:
    """No role goes round row security; the app role owns nothing, and can neither truncate nor reference, which row security does not see."""
    harness = (await subject.walked()).h
    found = []
    for row in await harness.admin.fetch(
        "SELECT * FROM pg_roles WHERE rolname = ANY($1)", [f"{subject.name}_{role}" for role in _ROLES]
    ):
        for right in ("rolsuper", "rolcreatedb", "rolcreaterole", "rolbypassrls"):
            if row[right]:
                found.append(f"{row['rolname']} has {right}")
        if row["rolreplication"] != row["rolname"].endswith("_capture"):
            found.append(f"{row['rolname']} has the wrong right to replicate")
    for row in await harness.admin.fetch(
        """SELECT relname, pg_get_userbyid(relowner) AS owner FROM pg_class
           WHERE relnamespace = 'public'::regnamespace AND pg_get_userbyid(relowner) <> $1""",
        f"{subject.name}_owner",
    ):
        found.append(f"{row['relname']} belongs to {row['owner']}")
    return found + await _grants(harness, subject.name)


async def _grants(harness: Harness, service: str) -> Findings:
    rows = await harness.admin.fetch(
        """SELECT c.relname, pg_get_userbyid(a.grantee) AS who, a.grantee = 0 AS public, a.privilege_type AS right
           FROM pg_class c, aclexplode(c.relacl) a WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')"""
    )
    found = []
    for row in rows:
        who = "everybody" if row["public"] else row["who"]
        if who == f"{service}_owner" or (who == f"{service}_app" and row["right"] in _APP_MAY):
            continue
        if who == f"{service}_capture" and (row["relname"], row["right"]) in _CAPTURE_MAY:
            continue
        found.append(f"{who} may {row['right']} {row['relname']}")
    definers = await harness.admin.fetch(
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"
    )
    views = await harness.admin.fetch(
        """SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')
           AND NOT coalesce(reloptions::text LIKE '%security_invoker=%', false)"""
    )
    found += [f"the function {row['proname']} runs with the rights of its owner" for row in definers]
    return found + [f"the view {row['relname']} reads with the rights of its owner" for row in views]


async def nobody_else_can_enter(subject: Subject) -> Findings:
    """CONNECT belongs to the service's own three roles; no other service's role gets in."""
    made, _ = await _from_nothing(subject)
    own = {f"{subject.name}_{role}" for role in _ROLES}
    granted = re.findall(r'(?:^\{|,)"?([^=,"]*)"?=([A-Za-z*]*)/', made["rights on the database"])
    found = [
        f"{who or 'everybody'} may enter the database" for who, rights in granted if "c" in rights and who not in own
    ]
    harness = (await subject.walked()).h
    for other in subject.fleet:
        if other.name != subject.name and other.metadata is not None:
            found += await _intruder(subject, harness, other.name)
    return found


async def _intruder(subject: Subject, harness: Harness, other: str) -> Findings:
    settings = subject.databases.settings.model_copy(update={"database_url": None})
    url = settings.database(other, "app", "postgresql").rsplit("/", 1)[0]
    try:
        connection = await asyncpg.connect(f"{url}/{harness.database_name}")
    except (asyncpg.InsufficientPrivilegeError, asyncpg.InvalidPasswordError):
        return []
    await connection.close()
    return [f"{other} can enter the database of {subject.name}"]


async def what_is_written_stays(subject: Subject) -> Findings:
    """The app role can change and delete nothing in the outbox, a stream or an insert-only table; from the outbox, only what is old goes."""
    harness = (await subject.walked()).h
    assert subject.service.metadata is not None
    written_once = (t for t in subject.service.metadata.tables.values() if _is_stream(t) or "insert_only" in t.info)
    ledgers = ["outbox", *(table.name for table in written_once)]
    return await _deletions(harness) + [
        f"the app role may {right} {table}"
        for table in ledgers
        for right in ("UPDATE", "DELETE", "TRUNCATE")
        if (table, right) != ("outbox", "DELETE")
        and await harness.admin.fetchval(
            "SELECT has_table_privilege($1, $2, $3)", f"{subject.name}_app", f'public."{table}"', right
        )
    ]


async def _deletions(harness: Harness) -> Findings:
    """What the walk published is young, so nobody can delete it (`tailrace.capture.outbox_retention`)."""
    app = await _as_app(harness)
    found = []
    try:
        for tenant in ("", str(harness.tenant), str(harness.other_tenant)):
            deleting = app.transaction()
            await deleting.start()
            await app.execute("SELECT set_config('app.tenant_id', $1, true)", tenant)
            done = await app.execute("DELETE FROM outbox")
            await deleting.rollback()
            if done != "DELETE 0":
                found.append(f"the app role took back what was published: {done}")
    finally:
        await app.close()
    return found


async def only_the_outboxs_inserts_are_published(subject: Subject) -> Findings:
    """One publication, of the outbox alone, of its inserts alone: nothing else of a database ever reaches Kafka."""
    harness = (await subject.walked()).h
    found = []
    for row in await harness.admin.fetch("SELECT * FROM pg_publication"):
        if row["pubname"] != "outbox" or row["puballtables"]:
            found.append(f"there is a publication {row['pubname']}")
        if not row["pubinsert"] or row["pubupdate"] or row["pubdelete"] or row["pubtruncate"]:
            found.append(f"{row['pubname']} publishes more than inserts")
    published = await harness.admin.fetch("SELECT tablename FROM pg_publication_tables")
    found += [f"{row['tablename']} is published" for row in published if row["tablename"] != "outbox"]
    return found if published else ["the outbox is not published"]


async def platform_tables_hold_no_personal_data(subject: Subject) -> Findings:
    """Tables without row security, the kit's own included, hold routing data: nothing that the walk said of a person stands in them."""
    walked, values = await subject.walked(), await personal_values(subject)
    open_tables = {table.name for table in tables.PLATFORM} | subject.service.platform_tables
    found = []
    for table in sorted(open_tables):
        for row in await walked.h.admin.fetch(f'SELECT t::text FROM "{table}" t'):
            found += [f"{table} holds personal data" for value in values if stands_in(value, row[0])]
    return sorted(set(found))


def _is_stream(table: Table) -> bool:
    return {"stream_id", "seq", "event_id", "payload"} <= set(table.columns.keys())


async def _tenant_tables(subject: Subject) -> list[str]:
    harness = (await subject.walked()).h
    open_tables = {table.name for table in tables.PLATFORM} | subject.service.platform_tables | _BOOKKEEPING
    rows = await harness.admin.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1"
    )
    return [row["relname"] for row in rows if row["relname"] not in open_tables]


async def _as_app(harness: Harness) -> Any:
    return await asyncpg.connect(str(harness.settings.database_url).replace("+asyncpg", ""))
