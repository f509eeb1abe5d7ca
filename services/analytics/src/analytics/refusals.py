"""What analytics refuse, by a name that a client can tell from the others."""

from tailrace.core.errors import Invalid


class TooManyRows(Invalid):
    """422: the answer would be longer than anybody reads."""

    slug, title = "too-many-rows", "The report would be too long"

    def __init__(self, most: int) -> None:
        says = "ask for fewer days, for longer parts, or or for one of what it is told apart by."
        super().__init__(f"It would have more than {most:,} of them: {says}", field="by")
