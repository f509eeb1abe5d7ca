"""A quote on paper: the document as PDF/A, to be saved."""

from collections.abc import Mapping
from typing import Any

from fastapi import Response

from tailrace.core.layout import Layout
from tailrace.documents import typeset


class Paper(Response):
    """A PDF, which a browser saves and does not show."""

    media_type = "application/pdf"


async def paper(said: Mapping[str, Any], layout: Layout) -> Paper:
    """What a document says, typeset as the company has it. Raises CannotBeTypeset, and Unavailable when too many are being made."""
    name = f"{said['number']}-{said['version']}.pdf"
    return Paper(
        await typeset("business", said, layout), headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
