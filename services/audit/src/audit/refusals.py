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


class NothingToArchive(Refused):
    """409: no signed record before then is outside the archive."""

    slug, title = "nothing-to-archive", "Nothing to archive"


class ArchiveUnderWay(Refused):
    """409: one is on its way to the store; the next begins after it."""

    slug, title = "archive-under-way", "An archive is under way"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": "5"})


class NotInTheArchive(Refused):
    """409: the object is not in the store, not yet or not any more."""

    slug, title = "not-in-the-archive", "Not in the archive"


class ArchiveDamaged(Refused):
    """409: what the store has is not what was put there."""

    slug, title = "archive-damaged", "The archive was damaged"
