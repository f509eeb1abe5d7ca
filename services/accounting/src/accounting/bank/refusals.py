"""What is refused of statements, and the name each refusal goes by."""

from tailrace.core.errors import Invalid, Refused


class NoStatement(Invalid):
    """422: the file is no statement that can be read, or contradicts itself; says where."""

    slug, title = "no-statement", "The file is no statement of this account"


class LineState(Refused):
    """409: what a line is, is said once."""

    slug, title = "bank-line-state", "It is known already what the line is"
