"""What audit refuses."""

from tailrace.core.errors import Refused


class HoldReleased(Refused):
    """409: a hold is released once."""

    slug, title = "hold-released", "This hold is released"


class NotSignedYet(Refused):
    """409: no head covers this yet; the next one is signed within a minute."""

    slug, title = "not-signed-yet", "Not signed yet"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": "60"})


class NothingToSign(Refused):
    """409: the newest head covers all there is."""

    slug, title = "nothing-to-sign", "Nothing new to sign"
