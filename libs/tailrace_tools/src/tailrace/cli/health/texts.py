"""Finds texts that are not in the spelling that new ones are kept in: not in NFC, or with controls and characters that nobody sees.

Migrations put the texts of before into it, and leave those that hold what nobody sees: which these are, a person decides.
"""

from collections.abc import Mapping

import asyncpg

from tailrace.core.addresses.database import in_database
from tailrace.core.operator_error import OperatorError
from tailrace.runtime.fleet import load_services

_LONGEST = 20.0
"""Seconds for one service; a table that takes longer is no matter for a check-up."""
_KEPT = frozenset({"outbox", "inbox", "idempotency", "dead_letter", "alembic_version", "errand", "job", "job_piece"})
"""What was said by events and requests says what it said."""
_UNSEEN = "[\\u0001-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u200b\\u200e\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufeff]"
"""Controls, marks of direction, and what has no width; joiners (U+200C, U+200D) are letters of some scripts and of emoji."""
_COLUMNS = """
    SELECT c.table_name, c.column_name FROM information_schema.columns c
    JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND c.data_type IN ('text', 'jsonb', 'character varying')
    ORDER BY 1, c.ordinal_position
"""


async def odd_texts(postgres_url: str) -> Mapping[str, int]:
    """How many rows of `service.table.column` hold one, of the services that have a database there. Raises OperatorError."""
    found: dict[str, int] = {}
    for service in load_services():
        if service.metadata is None:
            continue
        try:
            connection = await asyncpg.connect(in_database(postgres_url, service.name), timeout=5)
        except (OSError, asyncpg.PostgresError, TimeoutError) as error:
            raise OperatorError(
                f"the database of {service.name} cannot be looked at: {error}", "see: tailrace status"
            ) from None
        try:
            found |= {f"{service.name}.{place}": count for place, count in (await of_database(connection)).items()}
        finally:
            await connection.close()
    return found


async def of_database(connection: asyncpg.Connection) -> Mapping[str, int]:
    """The same of one database, as its superuser."""
    found: dict[str, int] = {}
    await connection.execute(f"SET statement_timeout = {int(_LONGEST * 1000)}")
    for table, column in await connection.fetch(_COLUMNS):
        if table in _KEPT:
            continue
        text = f'"{column}"::text'
        odd = f"{text} IS NOT NFC NORMALIZED OR {text} ~ '{_UNSEEN}'"
        try:
            count = await connection.fetchval(f"SELECT count(*) FROM \"{table}\" WHERE {text} ~ '[^ -~]' AND ({odd})")
        except asyncpg.QueryCanceledError:
            continue
        if count:
            found[f"{table}.{column}"] = count
    return found
