"""What partners refuse, each by a name that a client can tell from the others."""

from tailrace.core.errors import Refused


class NotInThisState(Refused):
    """409: the partner is in a state that does not allow this."""

    slug, title = "partner-state", "The partner is not in a state that allows this"
