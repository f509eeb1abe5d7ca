"""A document as the answer of a route: a PDF under a name."""

from typing import Self

from fastapi import Response

__all__ = ["Paper"]


class Paper(Response):
    """A PDF, which a browser saves and does not show; for `response_class`, so that the reference says what comes."""

    media_type = "application/pdf"

    @classmethod
    def named(cls, name: str, content: bytes) -> Self:
        """`name` without its ending, in visible ASCII, as numbers of documents are."""
        return cls(content, headers={"Content-Disposition": f'attachment; filename="{name}.pdf"'})
