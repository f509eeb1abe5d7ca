"""What clients send."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from tailrace.core.fields import Sentence
from tailrace.http.routing import Body

MOST_DAYS = 100 * 366


class RetentionBody(Body):
    days: Annotated[int, Field(ge=30, le=MOST_DAYS)]
    """How long what events said is kept."""
    access_days: Annotated[int, Field(ge=1, le=MOST_DAYS)]
    """The same of accesses at the gateway."""


class HoldBody(Body):
    reason: Sentence
    document_id: UUID | None = None
    """The document whose contents are kept; those of all documents when it is left out."""
