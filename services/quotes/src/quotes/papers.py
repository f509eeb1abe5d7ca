"""A quote on paper: the document as PDF/A, to be saved."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from tailrace.core.values.layout import Layout
from tailrace.documents import typeset
from tailrace.http.files.paper import Paper


def paper(said: Mapping[str, Any], layout: Layout) -> Paper:
    """What a document says, typeset as the company has it. Making it raises CannotBeTypeset, and Unavailable when too many are being made."""
    return Paper.later(f"{said['number']}-{said['version']}", partial(typeset, "business", said, layout))
