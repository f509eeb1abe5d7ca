"""What is seen of Kafka, in its place."""

from datetime import datetime

from analytics.freshness import PUBLISHERS
from tailrace.capture.freshness import Reading


class Looked:
    """What was seen of Kafka: every topic read until a moment, or Kafka does not answer."""

    def __init__(self, until: datetime | None) -> None:
        self.until = until

    async def look(self) -> dict[str, Reading]:
        return {} if self.until is None else {topic: Reading(0, self.until) for topic in PUBLISHERS}
