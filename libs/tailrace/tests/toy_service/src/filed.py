"""The toy with files at its labels, so that there is an owner that can be deleted."""

from dataclasses import replace
from typing import ClassVar
from uuid import UUID

from toy import Label, Reader, ToyEvent, Writer, service

from tailrace.core.attachments import AttachmentEvent
from tailrace.service import Exposed
from tailrace.storage.attachments import MEGABYTE, AttachmentEvents, Attachments
from tailrace.storage.routes import attachment_routes


class LabelFileEvent(AttachmentEvent, ToyEvent):
    label_id: UUID


class LabelFileAdded(LabelFileEvent):
    type: ClassVar[str] = "label.file_added"


class LabelFileReplaced(LabelFileEvent):
    type: ClassVar[str] = "label.file_replaced"


class LabelFileDeleted(LabelFileEvent):
    type: ClassVar[str] = "label.file_deleted"


class LabelFileRestored(LabelFileEvent):
    type: ClassVar[str] = "label.file_restored"


class LabelFileMoved(LabelFileEvent):
    type: ClassVar[str] = "label.file_moved"
    from_label_id: UUID


files = Attachments(
    Label,
    AttachmentEvents(
        added=LabelFileAdded,
        replaced=LabelFileReplaced,
        deleted=LabelFileDeleted,
        restored=LabelFileRestored,
        moved=LabelFileMoved,
    ),
    largest=12 * MEGABYTE,
    most=25,
)
routes = attachment_routes(
    files, "/v1/labels", tag="label files", about="Files of labels.", reader=Reader, writer=Writer
)
filed = replace(
    service,
    publishes=[*service.publishes, *files.events.all()],
    attachments=[files],
    routers=[*service.routers, routes],
    exposes=[Exposed(prefix="/v1/labels", body_limit=13 * MEGABYTE)],
)
