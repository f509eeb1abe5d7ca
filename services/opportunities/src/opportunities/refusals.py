"""What opportunities refuse, each by a name that a client can tell from the others."""

from tailrace.core.errors import Forbidden, Problem, Refused


class LeadState(Refused):
    """409: a lead in this state does not allow it; the detail says what is possible."""

    slug, title = "lead-state", "Not possible in this state of the lead"


class OpportunityState(Refused):
    """409: an opportunity in this state does not allow it; the detail says what is possible."""

    slug, title = "opportunity-state", "Not possible in this state of the opportunity"


class StageRequires(Refused):
    """409: the stage asks for something that the opportunity does not have; names the fields."""

    slug, title = "stage-requires", "The stage asks for more"


class CustomerPending(Refused):
    """409: the customer that a converted lead asked for is not there yet, or was refused."""

    slug, title = "customer-pending", "The customer is not there yet"


class NothingProposed(Refused):
    """409: no accepted quote waits for somebody to confirm."""

    slug, title = "nothing-proposed", "Nothing waits to be confirmed"


class ChallengeRefused(Refused):
    """409: the form was not opened, too long ago, or a moment ago, or its work was not done. Open it again."""

    slug, title = "challenge-refused", "Open the form again"


class OriginRefused(Forbidden):
    """403: the form may not be sent from this site."""

    slug, title = "origin-refused", "Not from this site"


class TooManySubmissions(Problem):
    """429: the form was sent as often as it may be within an hour, by this address or by all."""

    status, slug, title = 429, "too-many-submissions", "Sent too often"

    def __init__(self, retry_after: int) -> None:
        """`retry_after` in seconds."""
        super().__init__("Try again later.", headers={"Retry-After": str(retry_after)})
