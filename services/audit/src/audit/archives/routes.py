"""/v1/audit/archives: what was moved out of the database, taken away, and had back."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Response
from sqlalchemy import select

from audit import archiving
from audit.bodies import ArchiveBody, RestoreBody
from audit.models import Archive
from audit.scopes import FullReader, Manager, Reader
from audit.subscribers import days
from audit.views import ArchiveView
from tailrace.http.etag import IfMatch
from tailrace.http.files.disposition import disposition
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/audit/archives",
    tag="audit",
    about="Parts of the audit log that were moved out of the database.",
    reads=[days],
)

Archives = Annotated[PageRequest, listed(Archive, sort=[Archive.number], default="-number")]


class Packed(Response):
    """gzip, which a browser saves and does not show."""

    media_type = "application/gzip"


@router.post("", status_code=201, response_model=ArchiveView)
async def create_audit_archive(tx: Tx, who: Manager, body: ArchiveBody) -> Archive:
    """Archive the oldest records now that are not archived yet; it is sealed within seconds."""
    now = datetime.now(UTC)
    return await archiving.archive_before(tx, await days.begin_if_said(tx, body.before) or now, now)


@router.get("", response_model=Page[ArchiveView])
async def list_audit_archives(tx: Tx, who: Reader, page: Archives) -> Listing[Archive]:
    """Archives, the newest first."""
    return await paginate(tx, select(Archive), page)


@router.get("/{archive_id}", response_model=ArchiveView)
async def read_audit_archive(tx: Tx, who: Reader, archive_id: UUID) -> Archive:
    """One archive: which records it has, its hash, and until when it is kept."""
    return await tx.find(Archive, archive_id)


@router.get("/{archive_id}/content", response_class=Packed, response_model=None)
async def read_audit_archive_content(tx: Tx, who: FullReader, archive_id: UUID) -> Packed:
    """The object itself: `tailrace verify --archive …` checks it, offline."""
    archive = await tx.find(Archive, archive_id)
    name = disposition(f"audit-{archive.number:010d}.jsonl.gz")
    return Packed(await archiving.content_of(tx, archive), headers={"Content-Disposition": name})


@router.post("/{archive_id}/restore", response_model=ArchiveView)
async def restore_audit_archive(tx: Tx, who: Manager, match: IfMatch, archive_id: UUID, body: RestoreBody) -> Archive:
    """Have what its records said in the database again for some days, so that they are read, proven and exported as before."""
    archive = await tx.load(Archive, archive_id, match)
    await archiving.restore(tx, archive, datetime.now(UTC) + timedelta(days=body.days))
    return archive
