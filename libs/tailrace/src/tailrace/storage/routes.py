"""The routes of attachments, made for a service that puts them among its own: their paths, scopes and tag are the service's.

A file goes up as `multipart/form-data` and comes down as it is. What must be refused whatever the file holds is refused before its bytes are taken.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from fastapi import APIRouter, Path, Request
from sqlalchemy import select

from tailrace.core.context import Context, Principal
from tailrace.core.personal_data import Personal
from tailrace.db.database import Database
from tailrace.http.auth import check_scopes, narrow, scopes_of
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import Deleted
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import ResourceView, TenantRoute, Tx, View, like, tenant_router
from tailrace.messaging.subscribers import Subscriber
from tailrace.storage.attachments import Attachments
from tailrace.storage.content import SHOWN, ContentResponse
from tailrace.storage.form import FILE, FORM, OVERHEAD
from tailrace.storage.models import Attachment, Content
from tailrace.storage.ranges import RangeRefused
from tailrace.storage.uploads import Received, Uploads


class AttachmentView(ResourceView):
    """A file, as it is now. Its content is at `content` below this."""

    name: Personal[str]
    """What it is called; it ends as files of its type do."""
    media_type: str
    """Its type, which its bytes agree with."""
    size: int
    """How many bytes it has."""
    sha256: str
    """The SHA-256 of its bytes, in hexadecimal; also the `ETag` of its content."""
    content_version: int
    """Which content this is, counted from 1."""


class ContentView(View):
    """One version of a file's content."""

    id: UUID
    """Made when it was added, a UUIDv7: later ones sort behind earlier ones."""
    content_version: int
    """Which content this is, counted from 1."""
    name: Personal[str]
    """What the file was called."""
    media_type: str
    """Its type, which its bytes agree with."""
    size: int
    """How many bytes it has."""
    sha256: str
    """The SHA-256 of its bytes, in hexadecimal."""
    added_at: datetime
    """When it was added, in UTC."""
    added_by: UUID | None
    """The user who added it."""


class UploadRoute(TenantRoute):
    """Takes a file in, before the transaction of the request begins. `attachments` and `owner` say whose it is to be."""

    attachments: ClassVar[Attachments]
    body_limit: ClassVar[int | None]

    @asynccontextmanager
    async def received(self, request: Request, principal: Principal) -> AsyncIterator[bytes]:
        reach = check_scopes(principal, scopes_of(self))
        owner_id = _uuid(request.path_params[f"{self.attachments.kind}_id"])
        if owner_id is None:
            # The endpoint is never reached: its parameters are refused.
            yield b""
            return
        database: Database = request.app.state.database
        async with database.transaction(Context(principal.tenant_id), read_only=True) as tx:
            await narrow(tx, principal.user_id, reach, request.app.state.teams)
            if request.method == "POST":
                await self.attachments.check_room(tx, owner_id)
            else:
                await tx.find(self.attachments.owner, owner_id)
        uploads: Uploads = request.app.state.uploads
        folder = self.attachments.folder(principal.tenant_id, owner_id)
        limits = (self.attachments.largest, self.attachments.media_types)
        async with uploads.receive(request, folder, *limits) as received:
            request.state.received = received
            yield received.fingerprint()


class ContentRoute(TenantRoute):
    """Hands a file out."""

    shows = SHOWN


def attachment_routes(
    attachments: Attachments,
    prefix: str,
    *,
    tag: str,
    about: str,
    reader: Any,
    writer: Any,
    reads: Sequence[Subscriber] = (),
) -> APIRouter:
    """`<prefix>/{<owner>_id}/attachments` and what is below it, for a reader and a writer as `Annotated[Principal, Requires(…)]`.

    `tag` names the operations, so each service has one of its own, as in `customer attachments`.
    """
    router = tenant_router(prefix, tag=tag, about=about, reads=reads)
    owner = f"{attachments.kind}_id"
    at = f"/{{{owner}}}/attachments"
    one = f"{at}/{{attachment_id}}"
    Owner = Annotated[UUID, Path(alias=owner)]  # noqa: N806  (a type, but for its name, which is the owner's)
    Files = Annotated[PageRequest, listed(Attachment, sort=[Attachment.name, Attachment.created_at])]  # noqa: N806
    Versions = Annotated[PageRequest, listed(Content, sort=[Content.content_version], default="content_version")]  # noqa: N806
    upload = like(router, UploadRoute, attachments=attachments, body_limit=attachments.largest + OVERHEAD)
    download = like(router, ContentRoute)

    async def create_attachment(request: Request, tx: Tx, who: writer, match: IfMatch, owner_id: Owner) -> Attachment:
        """Add a file. `If-Match` is about what it is added to."""
        return await attachments.add(tx, owner_id, match, _received(request))

    async def replace_attachment_content(
        request: Request, tx: Tx, who: writer, match: IfMatch, owner_id: Owner, attachment_id: UUID
    ) -> Attachment:
        """Give a file its next version; the earlier ones can still be read. The same file again changes nothing."""
        return await attachments.replace(tx, owner_id, attachment_id, match, _received(request))

    @router.get(at, response_model=Page[AttachmentView])
    async def list_attachments(
        tx: Tx, who: reader, owner_id: Owner, page: Files, deleted: Deleted = False
    ) -> Listing[Attachment]:
        """Its files, without their content."""
        await tx.find(attachments.owner, owner_id)
        return await paginate(tx, attachments.of(owner_id, deleted=deleted), page)

    @router.get(one, response_model=AttachmentView)
    async def read_attachment(tx: Tx, who: reader, owner_id: Owner, attachment_id: UUID) -> Attachment:
        """One file, without its content."""
        return await attachments.find(tx, owner_id, attachment_id)

    @router.delete(one, status_code=204)
    async def delete_attachment(tx: Tx, who: writer, match: IfMatch, owner_id: Owner, attachment_id: UUID) -> None:
        """Delete a file; it can be restored."""
        await attachments.delete(tx, owner_id, attachment_id, match)

    @router.post(f"{one}/restore", response_model=AttachmentView)
    async def restore_attachment(
        tx: Tx, who: writer, match: IfMatch, owner_id: Owner, attachment_id: UUID
    ) -> Attachment:
        """Take a deleted file back, as it was."""
        return await attachments.restore(tx, owner_id, attachment_id, match)

    @router.get(f"{one}/versions", response_model=Page[ContentView])
    async def list_attachment_versions(
        tx: Tx, who: reader, owner_id: Owner, attachment_id: UUID, page: Versions
    ) -> Listing[Content]:
        """Each content that the file had, the first one first."""
        attachment = await attachments.find(tx, owner_id, attachment_id)
        return await paginate(tx, select(Content).where(Content.attachment_id == attachment.id), page)

    async def read_attachment_content(
        request: Request, tx: Tx, who: reader, owner_id: Owner, attachment_id: UUID
    ) -> ContentResponse:
        """The bytes of a file, or those that `Range` asks for."""
        attachment = await attachments.find(tx, owner_id, attachment_id)
        return ContentResponse(request, await attachments.content(tx, attachment))

    async def read_attachment_version_content(
        request: Request,
        tx: Tx,
        who: reader,
        owner_id: Owner,
        attachment_id: UUID,
        content_version: Annotated[int, Path(ge=1, le=2**31 - 1, description="As the list of versions has it.")],
    ) -> ContentResponse:
        """The bytes that a file had in one of its versions, or those that `Range` asks for."""
        attachment = await attachments.find(tx, owner_id, attachment_id)
        return ContentResponse(request, await attachments.content(tx, attachment, content_version))

    shown: dict[str, Any] = {"response_model": AttachmentView, "route_class_override": upload, "openapi_extra": _FORM}
    router.add_api_route(at, create_attachment, methods=["POST"], status_code=201, **shown)
    router.add_api_route(f"{one}/content", replace_attachment_content, methods=["PUT"], **shown)
    bytes_of: dict[str, Any] = {
        "methods": ["GET"],
        "status_code": 200,
        "response_class": ContentResponse,
        "response_model": None,
        "route_class_override": download,
        "responses": _bytes(sorted(attachments.media_types)),
        "openapi_extra": {"parameters": _RANGE},
    }
    router.add_api_route(f"{one}/content", read_attachment_content, **bytes_of)
    router.add_api_route(f"{one}/versions/{{content_version}}/content", read_attachment_version_content, **bytes_of)
    return router


def _bytes(media_types: Sequence[str]) -> dict[int | str, Any]:
    """The answers of what hands out files of these types."""
    content = {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in media_types}
    return {
        200: {"description": "The file, in its own media type.", "content": content},
        206: {"description": "The part of it that `Range` asks for.", "content": content},
        304: {"description": "It is what `If-None-Match` names."},
        RangeRefused.status: {},
    }


def _received(request: Request) -> Received:
    received = request.state.received
    assert isinstance(received, Received)
    return received


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": [FILE],
                    "properties": {
                        FILE: {
                            "type": "string",
                            "format": "binary",
                            "description": "The file, with its name and its type in the head of the part.",
                        }
                    },
                }
            }
        },
    }
}
_RANGE = [
    {
        "name": name,
        "in": "header",
        "required": False,
        "description": says,
        "schema": {"type": "string"},
    }
    for name, says in (
        ("Range", "One range of bytes, as in `bytes=1000-`; of several, all of the file is answered."),
        ("If-Range", "The ETag of what was begun: of anything else, all of it is answered."),
        ("If-None-Match", "The ETag last seen; 304 without a body while it is still the current one."),
    )
]
