"""What clients say of parcels' numbers and labels."""

from typing import Annotated

from pydantic import Field, StringConstraints

from shipping.labels.models import Language
from tailrace.core.values.fields import Note
from tailrace.http.routing import Body


class LabellingBody(Body):
    """How parcels are numbered and labelled, all of it."""

    company_prefix: Annotated[str, StringConstraints(pattern=r"^[0-9]{4,12}$")]
    """The GS1 company prefix that the company was given: 4 to 12 digits. An SSCC begins with it, behind the extension digit."""
    extension_digit: Annotated[int, Field(ge=0, le=9)] = 0
    """What stands before the prefix; another one makes room when all serials are used up."""
    sender: Note = ""
    """Who sends, as it is printed: name and address, line by line."""
    language: Language = "en"
    """What labels are printed in."""
