"""What is refused of advance shipping notices."""

from tailrace.core.errors import Refused, Taken


class AsnState(Refused):
    """409: the delivery is past this step, or not there yet."""

    slug, title = "asn-state", "Not possible in this state of the delivery"


class AlreadyScanned(Refused):
    """409: the parcel was scanned before."""

    slug, title = "already-scanned", "Scanned already"


class AlreadyAnnounced(Taken):
    """409: the supplier announced a delivery under this reference."""

    slug, title = "already-announced", "Announced already"
