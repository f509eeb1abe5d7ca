"""What clients send."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import Field, model_validator

from audit.models import ARCHIVE_DAYS
from tailrace.core.values.fields import MomentOrDay, Sentence
from tailrace.core.values.wire import WrongFields
from tailrace.http.routing import Body

MOST_DAYS = 100 * 366


class RetentionBody(Body):
    days: Annotated[int, Field(ge=30, le=MOST_DAYS)]
    """How long what events said is kept."""
    access_days: Annotated[int, Field(ge=1, le=MOST_DAYS)]
    """The same of accesses at the gateway."""
    archive_days: Annotated[int, Field(ge=1, le=MOST_DAYS)] | None = ARCHIVE_DAYS
    """After how many days what events said is moved out of the database into the archive; null for never. Less than `days`."""

    @model_validator(mode="after")
    def _archived_before_it_goes(self) -> Self:
        if self.archive_days is not None and "archive_days" in self.model_fields_set and self.archive_days >= self.days:
            raise WrongFields("archive_days must be less than days: what is gone is not archived.", "archive_days")
        return self


class ArchiveBody(Body):
    before: MomentOrDay | None = None
    """What happened before then, of a plain day before it began, is archived; all that is signed when left out."""


class RestoreBody(Body):
    days: Annotated[int, Field(ge=1, le=366)] = 30
    """For how long the contents are in the database again."""


class HoldBody(Body):
    reason: Sentence
    document_id: UUID | None = None
    """The document whose contents are kept; those of all documents when it is left out."""
