"""The toy's subscribers on a topic of a test's own, so that no test reads what another one wrote."""

from dataclasses import dataclass

from tailrace.messaging.subscribers import EVER, Projection, Reaction
from toy import Answered, Asked, Heard, hear, write_down


@dataclass(frozen=True)
class Elsewhere:
    asked: type[Asked]
    answered: type[Answered]
    heard: Projection
    echo: Reaction


def elsewhere(topic: str) -> Elsewhere:
    asked = type("AskedElsewhere", (Asked,), {"topic": topic})
    answered = type("AnsweredElsewhere", (Answered,), {"topic": topic})
    heard, echo = Projection("toy.heard", tables=[Heard]), Reaction("toy.echo", since=EVER)
    heard.on(asked)(hear)
    echo.on(asked)(write_down)
    return Elsewhere(asked, answered, heard, echo)
