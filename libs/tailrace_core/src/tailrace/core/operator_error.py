"""One kind of failure for the whole stack: it says what went wrong and what the reader can do about it."""


class OperatorError(Exception):
    """A part of the stack cannot go on. `remedy` is an instruction for the person at the keyboard, or empty."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
