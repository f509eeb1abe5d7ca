"""A table of Delta Lake for each tenant, in a folder of its own of the object store: a tenant's reader is given that folder and sees nobody else's.

A commit of the table holds the number of the batch that it brings (`txn`), so that rows and progress are written at once or not at all, and a writer
that was overtaken is refused. Files are written once; readers keep what they opened.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from arro3.core import RecordBatch, RecordBatchReader

from analytics.lake.movements import MOVEMENTS
from tailrace.settings import Settings
from tailrace.storage.store import S3, Store, store_of

if TYPE_CHECKING:
    from deltalake import DeltaTable

_WRITER = "tailrace.analytics"
_SOON = {"connect_timeout": "1s", "timeout": "4s", "max_retries": "1", "retry_timeout": "4s"}
_CONFIGURATION = {"delta.checkpointInterval": "20"}
_FILE, _SMALL_FILES = 64 * 1024 * 1024, 16
_KEPT = timedelta(hours=24)
"""How long a reader may go on with what it opened: files that a newer state does without are deleted then."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state of a tenant's movements: the last batch that it holds, its files, how many rows and from when to when they count.

    `files` is as the engine here reads them. For others `folder` is where they lie, a path or a web address, and `names` what they are called.
    """

    exported: int
    folder: str
    names: Sequence[str]
    files: Sequence[str]
    rows: int
    first: datetime
    last: datetime

    def rows_within(self, begin: datetime, until: datetime) -> int:
        """About how many rows count between two moments."""
        span = max((self.last - self.first) / timedelta(seconds=1), 1.0)
        inside = max((min(until, self.last) - max(begin, self.first)) / timedelta(seconds=1), 0.0)
        return round(self.rows * min(inside / span, 1.0))


class Lake:
    """Of all tenants. What is done here blocks: call it in a thread."""

    def __init__(self, settings: Settings) -> None:
        root = settings.storage or str(settings.data / "files")
        self.is_local = "://" not in root
        self._root = str(Path(root).absolute()) if self.is_local else root.rstrip("/")
        self._options = None if self.is_local else _options(settings)
        self._soon = None if self._options is None else {**self._options, **_SOON}
        self.settings = settings

    @cached_property
    def store(self) -> Store:
        """Where the files of a bucket are read."""
        return store_of(self.settings, "analytics", soon=True)

    def address(self, tenant_id: UUID, name: str = "movements") -> str:
        """Where a table of a tenant is: what an outside reader opens."""
        return f"{self._root}/analytics/lake/{tenant_id}/{name}"

    def open(self, tenant_id: UUID, name: str = "movements", *, soon: bool = False) -> "DeltaTable | None":
        """None where there is no table. `soon`: for who does without it when the bucket does not answer within seconds."""
        from deltalake import DeltaTable
        from deltalake.exceptions import TableNotFoundError

        try:
            # Not `is_deltatable`: that one lets no other thread run while it waits for the store.
            return DeltaTable(self.address(tenant_id, name), storage_options=self._soon if soon else self._options)
        except TableNotFoundError:
            return None

    def snapshot(self, tenant_id: UUID) -> Snapshot | None:
        """The newest state; None where there is no table, or nothing in it."""
        table = self.open(tenant_id, soon=True)
        if table is None:
            return None
        added: Any = table.get_add_actions(flatten=True)
        wanted = ("num_records", "min.at", "max.at", "path", "size_bytes")
        rows, first, last, paths, sizes = (added[name].to_pylist() for name in wanted)
        if not sum(rows):
            return None
        ends = [[each.astimezone(UTC) for each in several if each is not None] for several in (first, last)]
        folder, files = self._folder(tenant_id), [f"{self.address(tenant_id)}/{path}" for path in paths]
        if not self.is_local:
            from analytics.lake.bucket import name_of

            within = f"lake/{tenant_id}/movements"
            files = [name_of(f"{within}/{path}", size) for path, size in zip(paths, sizes, strict=True)]
        return Snapshot(exported_of(table), folder, paths, files, sum(rows), min(ends[0]), max(ends[1]))

    def _folder(self, tenant_id: UUID) -> str:
        """Where the movements lie, for who does not know what we call the bucket."""
        if self.is_local:
            return self.address(tenant_id)
        bucket, _, path = self.address(tenant_id).removeprefix(S3).partition("/")
        if self.settings.storage_endpoint:
            return f"{self.settings.storage_endpoint.rstrip('/')}/{bucket}/{path}"
        return f"https://{bucket}.s3.{self.settings.storage_region or 'us-east-1'}.amazonaws.com/{path}"

    def append(self, tenant_id: UUID, batch: int, rows: Callable[[], Iterator[RecordBatch]], *, whole: bool) -> None:
        """Commit a batch of movements; `whole` in place of all there is. Raises CommitFailedError where another has committed that batch."""
        batches: Any = rows()
        reader = RecordBatchReader.from_batches(MOVEMENTS.schema, batches)
        self._commit(tenant_id, "movements", reader, batch, whole=whole)

    def holds(self, tenant_id: UUID, name: str, content: int) -> bool:
        """Whether a small table holds the rows of that number."""
        return exported_of(self.open(tenant_id, name)) == content

    def replace(self, tenant_id: UUID, name: str, rows: RecordBatch, content: int) -> None:
        """Put rows in place of what a small table holds; nothing where it holds them. `content` is a number that these rows alone have."""
        if self.holds(tenant_id, name, content):
            return
        self._commit(tenant_id, name, rows, content, whole=True)
        if (table := self.open(tenant_id, name)) is not None:
            _delete_old(table)

    def _commit(self, tenant_id: UUID, name: str, rows: Any, number: int, *, whole: bool) -> None:
        from deltalake import CommitProperties, Transaction, WriterProperties, write_deltalake

        address = self.address(tenant_id, name)
        if self.is_local:
            Path(address).mkdir(parents=True, exist_ok=True)
        write_deltalake(
            address,
            rows,
            mode="overwrite" if whole else "append",
            name=name,
            configuration=_CONFIGURATION,
            storage_options=self._options,
            writer_properties=WriterProperties(compression="ZSTD", max_row_group_size=128 * 1024),
            commit_properties=CommitProperties(app_transactions=[Transaction(_WRITER, number)]),
        )

    def tidy(self, tenant_id: UUID) -> None:
        """Make few files of many small ones, and delete what was replaced a day ago."""
        table = self.open(tenant_id)
        if table is None:
            return
        sizes: Any = table.get_add_actions(flatten=True)["size_bytes"].to_pylist()
        if sum(size < _FILE // 2 for size in sizes) > _SMALL_FILES:
            table.optimize.compact(target_size=_FILE, max_concurrent_tasks=1)
            _delete_old(table)


def _delete_old(table: "DeltaTable") -> None:
    """Files that no state of the last hours needs."""
    table.vacuum(int(_KEPT / timedelta(hours=1)), dry_run=False, enforce_retention_duration=False)


def exported_of(table: "DeltaTable | None") -> int:
    """The last batch that a table holds; 0 for none."""
    return 0 if table is None else table.transaction_version(_WRITER) or 0


def _options(settings: Settings) -> dict[str, str]:
    """How the bucket is reached. A commit is a conditional write, so that of two writers one is refused."""
    options = {"aws_region": settings.storage_region or "us-east-1", "aws_conditional_put": "etag"}
    if settings.storage_endpoint:
        options |= {"aws_endpoint": settings.storage_endpoint}
        if settings.storage_endpoint.startswith("http://"):
            options["aws_allow_http"] = "true"
    if settings.storage_key and settings.storage_secret:
        options["aws_access_key_id"] = settings.storage_key
        options["aws_secret_access_key"] = settings.storage_secret.get_secret_value()
    return options
