"""What a database holds, as short texts that are equal when, and only when, the rows are."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:?\d\d)?)?")


class Rows:
    """All tables of one database, read as its superuser."""

    def __init__(self, admin: Any) -> None:
        self._admin = admin
        self._tables: list[str] = []
        self._seen: tuple[str, Mapping[str, str]] | None = None
        self._begun: Mapping[str, frozenset[str]] = {}

    async def begin(self) -> None:
        """Leave out of `canonical` from now on, as long as they stay as they are, rows that are there: a service makes keys when it starts."""
        self._begun = {table: frozenset(row[0] for row in await self._texts(table)) for table in await self.tables()}

    async def tables(self) -> list[str]:
        if not self._tables:
            query = (
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1"
            )
            self._tables = [row["relname"] for row in await self._admin.fetch(query)]
        return self._tables

    async def digests(self) -> Mapping[str, str]:
        """A digest of each table's rows, whatever their order. Not computed anew while no transaction has written anything anywhere."""
        newest = await self._admin.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
        if self._seen is None or self._seen[0] != newest:
            self._seen = newest, await self._computed()
        return self._seen[1]

    async def _computed(self) -> Mapping[str, str]:
        each = [
            f"SELECT '{table}' AS name, md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '')) AS digest"
            f' FROM "{table}" t'
            for table in await self.tables()
        ]
        return {row["name"]: row["digest"] for row in await self._admin.fetch(" UNION ALL ".join(each))}

    async def canonical(self, known: Iterable[str], without: str) -> Mapping[str, list[str]]:
        """Each table's rows with moments, and ids other than the `known` ones, blotted out, without numbers that tell only which came first (identity
        columns); rows that mention `without` left out."""
        kept = frozenset(known)
        found: dict[str, list[str]] = {}
        for table in await self.tables():
            begun = self._begun.get(table, frozenset())
            texts = [row[0] for row in await self._texts(table) if row[0] not in begun]
            found[table] = sorted(_blotted(text, kept) for text in texts if without not in text)
        return found

    async def _texts(self, table: str) -> list[Any]:
        said = await self._admin.fetchval(
            "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = quote_ident($1)::regclass "
            "AND attnum > 0 AND NOT attisdropped AND attidentity = ''",
            table,
        )
        return list(await self._admin.fetch(f'SELECT t::text FROM (SELECT {said} FROM "{table}") t'))


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return sorted(table for table in before if before[table] != after[table])


def _blotted(text: str, kept: frozenset[str]) -> str:
    text = _UUID.sub(lambda found: found[0] if found[0] in kept else "<id>", text)
    return _TIME.sub("<moment>", text)
