"""Why a shipment has no price."""

from tailrace.core.errors import Refused


class NotPacked(Refused):
    """409: carriers ask for parcels, and not all of the shipment is in one that was weighed."""

    slug, title = "not-packed", "Not packed and weighed yet"
