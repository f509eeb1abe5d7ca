"""What customers refuse, each by a name that a client can tell from the others."""

from tailrace.core.errors import Refused


class WasMerged(Refused):
    """409: this customer stands for another, which is the one to change."""

    slug, title = "was-merged", "This customer was merged into another"


class NobodyToAsk(Refused):
    """409: no setting says who checks tax ids."""

    slug, title = "nobody-to-ask", "Nobody checks tax ids here"


class NotMerged(Refused):
    """409: there is no merge to undo."""

    slug, title = "not-merged", "This customer was not merged"
