"""What is refused of returns, each by a name that a client can tell from the others."""

from tailrace.core.errors import Refused


class ReturnState(Refused):
    """409: the return is past this step, or not there yet."""

    slug, title = "return-state", "Not possible in this state of the return"


class MoreThanShipped(Refused):
    """409: no more comes back of a line than left with that shipment, or was performed then, and is in no other return."""

    slug, title = "more-than-shipped", "More than can come back"


class BeingCancelled(Refused):
    """409: shipping was asked to expect nothing more, and has yet to answer."""

    slug, title = "return-being-cancelled", "The return is being cancelled"
