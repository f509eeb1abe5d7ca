"""What is refused of reminders, and the name each refusal goes by."""

from tailrace.core.errors import Refused


class NothingToRemind(Refused):
    """409: no invoice has reached a level that it was not reminded at."""

    slug, title = "nothing-to-remind", "There is nothing to remind of"
