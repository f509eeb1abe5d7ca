"""A quote on paper: the document as PDF/A, to be saved."""

from collections.abc import Mapping
from typing import Any

from tailrace.core.layout import Layout
from tailrace.documents import typeset
from tailrace.http.paper import Paper


async def paper(said: Mapping[str, Any], layout: Layout) -> Paper:
    """What a document says, typeset as the company has it. Raises CannotBeTypeset, and Unavailable when too many are being made."""
    return Paper.named(f"{said['number']}-{said['version']}", await typeset("business", said, layout))
