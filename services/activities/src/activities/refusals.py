"""What activities refuse, each by a name that a client can tell from the others."""

from tailrace.core.errors import Problem, Refused


class NotInThisStatus(Refused):
    """409: not from the status that the task or the meeting is in."""

    slug, title = "not-in-this-status", "Not possible in this status"


class NoNextStep(Refused):
    """409: nobody wrote down what the meeting leads to."""

    slug, title = "no-next-step", "The meeting has no next step"


class NextStepTaken(Refused):
    """409: the meeting's next step is a task already."""

    slug, title = "next-step-taken", "The next step is a task already"


class ReadTooOften(Problem):
    """429: a calendar feed is read more often than calendars do; `Retry-After` says when to come again."""

    status, slug, title = 429, "feed-read-too-often", "Read too often"

    def __init__(self, seconds: int) -> None:
        super().__init__("Calendars look every few minutes.", headers={"Retry-After": str(seconds)})
