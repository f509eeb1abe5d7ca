"""What the partners keep: by partner and key, what was answered; by partner and number, what there is. In memory, gone with the process."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Header, Request

Key = Annotated[str | None, Header(alias="Idempotency-Key")]


@dataclass
class Books:
    """Of all partners."""

    answered: dict[tuple[str, str], Any] = field(default_factory=dict)
    kept: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))

    def once(self, partner: str, key: str | None, made: dict[str, Any], number: str) -> dict[str, Any]:
        """What was made the first time under this key."""
        if key is not None and (before := self.answered.get((partner, key))) is not None:
            return dict(before)
        self.kept[partner][number] = made
        if key is not None:
            self.answered[partner, key] = made
        return made

    def next(self, partner: str, prefix: str) -> str:
        """A number that nothing of the partner has."""
        return f"{prefix}{len(self.kept[partner]) + 1:06d}"

    def clear(self) -> None:
        """Forget all of it."""
        self.answered.clear()
        self.kept.clear()


def books_of(request: Request) -> Books:
    """Those of the process."""
    books = request.app.state.books
    assert isinstance(books, Books)
    return books
