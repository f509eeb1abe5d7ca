"""Wide questions asked of a ClickHouse server by its HTTP interface, when an address is set: the same questions of the same files, the same sums.

It reads the lake where it lies: a bucket over HTTP, or a folder that it has under the same path. It keeps nothing, so nothing has to be in step with
anything; which files are a state of the lake is decided here, as it is for the engine within the process.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from analytics.lake.engine import WIDE, Added, Engine, Given, Question, halved, statement
from analytics.lake.tables import Lake, Snapshot
from tailrace.errands.secrets import Secret, look_up
from tailrace.http.outgoing import client
from tailrace.settings import PartnerAddress, Settings

SERVER = "clickhouse"
"""What `TAILRACE_PARTNERS` calls it."""
_WITHIN = 3.0
_PART = 10**9
_SETTINGS = {"default_format": "JSONCompactEachRow", "wait_end_of_query": "1", "max_execution_time": "3"}
"""An error has its status before anything is sent; and a question that nobody waits for any more ends there too."""


class NoAnswer(Exception):
    """The server refused a question. Says its code and status: the text names addresses, and may name keys."""


class ClickHouse(Engine):
    """Of one process. Each question is a call of its own."""

    def __init__(self, lake: Lake, settings: Settings, address: PartnerAddress, *, wide: int = WIDE) -> None:
        super().__init__(lake, wide=wide)
        self._settings, self._address = settings, address

    async def ask(self, seen: Snapshot, question: Question, most: int) -> list[Added]:
        """As `Engine.ask`; raises NoAnswer and what a call does, and the server is then left alone."""
        given = _Named()
        asked = statement(question, self._source(seen), most, given)
        text = await self.or_leave_alone(self._call(asked, given.values))
        return [_added(json.loads(line)) for line in text.splitlines() if line]

    async def _call(self, asked: str, values: Mapping[str, Any]) -> str:
        query = {**_SETTINGS, **{f"param_{name}": _text(value) for name, value in values.items()}}
        async with client(self._address.url, within=_WITHIN) as caller:
            answer = await caller.post("/", params=query, content=asked.encode(), headers=self._who())
        if answer.status_code != 200:
            code = answer.headers.get("x-clickhouse-exception-code", "none")
            raise NoAnswer(f"status {answer.status_code}, code {code}")
        return answer.text

    def _who(self) -> dict[str, str]:
        said = {"X-ClickHouse-User": self._address.user} if self._address.user else {}
        if self._address.secret:
            said["X-ClickHouse-Key"] = look_up(Secret(self._address.secret), Path(self._settings.secrets))
        return said

    def _source(self, seen: Snapshot) -> str:
        """The files of this state and no others."""
        names = seen.names[0] if len(seen.names) == 1 else f"{{{','.join(seen.names)}}}"
        where = _quoted(f"{seen.folder}/{names}")
        if self.lake.is_local:
            return f"file({where}, 'Parquet')"
        key, secret = self._settings.storage_key, self._settings.storage_secret
        if not (key and secret):
            return f"s3({where}, 'Parquet')"
        return f"s3({where}, {_quoted(key)}, {_quoted(secret.get_secret_value())}, 'Parquet')"


class _Named(Given):
    def placed(self, name: str, value: Any) -> str:
        kinds: Sequence[tuple[type, str]] = ((datetime, "DateTime64(6, 'UTC')"), (int, "UInt64"), (str, "String"))
        kind = next(kind for python, kind in kinds if isinstance(value, python))
        return f"{{{name}:{kind}}}"

    def part(self, bounds: Sequence[datetime]) -> str:
        return halved(bounds, self)

    def total(self, column: str) -> str:
        """In two parts: a sum of 64 bits that overflows says nothing."""
        return f"tuple(sum(intDiv({column}, {_PART})), sum({column} % {_PART}))"

    def nothing(self) -> str:
        return "tuple(toInt64(0), toInt64(0))"


def _added(row: list[Any]) -> Added:
    part, key, currency, measure, *totals = row
    count, amount, seconds, quantity = (int(high) * _PART + int(low) for high, low in totals)
    return int(part), key, currency, measure, count, amount, seconds, quantity


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return str(value).replace("\\", "\\\\")


def _quoted(text: str) -> str:
    said = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{said}'"
