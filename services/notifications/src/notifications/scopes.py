"""What a token must be good for here. Nobody's scope reaches another's notifications."""

from typing import Annotated

from tailrace.core.context import Principal
from tailrace.http.auth import Requires, Scope, scopes

read, write = scopes(
    "notifications",
    read="See one's own notifications, and what one wants to hear of",
    write="Mark and take away one's own notifications, and say what one wants to hear of",
)
send = Scope("notifications:send", "Notify others by name or by role")
administer = Scope(
    "notifications:administer", "Say where the company's news goes, and see and repeat what was not sent"
)

Reader = Annotated[Principal, Requires(read)]
Writer = Annotated[Principal, Requires(write)]
Sender = Annotated[Principal, Requires(send)]
Administrator = Annotated[Principal, Requires(administer)]
