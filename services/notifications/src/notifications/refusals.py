"""What notifications refuse, each by a name that a client can tell from the others."""

from tailrace.core.errors import Refused, Taken


class SubscribedAlready(Taken):
    """409: one wants to hear of this already."""

    slug, title = "subscribed-already", "Subscribed already"


class NotToBeSent(Refused):
    """409: it was sent, or is on its way."""

    slug, title = "not-to-be-sent", "It is not waiting to be sent again"
