"""What a token must be good for here."""

from typing import Annotated

from tailrace.core.context import Principal
from tailrace.http.auth import Requires, Scope, scopes

read, write = scopes(
    "inventory",
    read="See stock, reservations and what stock is worth",
    write="Receive, issue, adjust, transfer and reserve stock",
)
quality = Scope("inventory:quality", "Release lots, put them on hold and block them")

Reader = Annotated[Principal, Requires(read)]
Writer = Annotated[Principal, Requires(write)]
Inspector = Annotated[Principal, Requires(quality)]
