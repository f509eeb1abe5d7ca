"""What came of a call: an answer that settles it, or why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Response:
    """What was answered: of the headers, those that say what it is, by their names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_json(self) -> bool:
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return kind == "application/json" or kind.endswith("+json")


class Unanswered(Exception):
    """No answer that settles anything. `kind` says why, in a word that holds nothing of what was sent or received."""

    def __init__(
        self,
        kind: str,
        *,
        passing: bool = True,
        down: bool = False,
        retry_after: float | None = None,
        response: Response | None = None,
    ) -> None:
        """`passing`: the same may succeed later. `down`: nothing at the target works. `retry_after`: seconds that it asks for."""
        super().__init__(kind)
        self.kind, self.passing, self.down = kind, passing, down
        self.retry_after, self.response = retry_after, response
