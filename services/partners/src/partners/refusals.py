"""What partners refuse, each by a name that a client can tell from the others."""

from tailrace.core.errors import Problem, Refused


class NotInThisState(Refused):
    """409: the partner is in a state that does not allow this."""

    slug, title = "partner-state", "The partner is not in a state that allows this"


class CursorExpired(Problem):
    """410: what stood behind the cursor is not kept any more. Begin again without one, or with a later one."""

    status, slug, title = 410, "cursor-expired", "The cursor leads nowhere any more"

    def __init__(self) -> None:
        super().__init__(
            "What it points at is not kept any more. Begin without a cursor, or with another.", field="cursor"
        )


class TooManyReaders(Problem):
    """429: the partner has as many polls and streams under way as it may."""

    status, slug, title = 429, "too-many-readers", "Too many read at once"

    def __init__(self, most: int) -> None:
        super().__init__(f"At most {most} of a partner are under way at once.", headers={"Retry-After": "1"})
