"""What every event about an attached file says: enough to know the file again, and never its content."""

from uuid import UUID

from tailrace.core.events import Event
from tailrace.core.personal_data import Personal


class AttachmentEvent(Event):
    """Mixed into a context's own events, which add the id of what the file belongs to."""

    attachment_id: UUID
    name: Personal[str]
    media_type: str
    size: int
    sha256: str
    content_version: int
