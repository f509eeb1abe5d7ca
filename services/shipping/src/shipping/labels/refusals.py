"""What cannot be numbered or labelled."""

from tailrace.core.errors import Refused


class NumbersUsedUp(Refused):
    """409: every serial behind the prefix and the extension digit was given to a parcel."""

    slug, title = "sscc-used-up", "No SSCC is left"


class NotNumbered(Refused):
    """409: a parcel without an SSCC has no label."""

    slug, title = "not-numbered", "A parcel has no SSCC"
