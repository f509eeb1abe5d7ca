"""What a token must be good for here."""

from typing import Annotated

from tailrace.core.context import Principal
from tailrace.http.auth import Requires, scopes

read, write = scopes(
    "inventory",
    read="See stock, reservations and what stock is worth",
    write="Receive, issue, adjust, transfer and reserve stock",
)

Reader = Annotated[Principal, Requires(read)]
Writer = Annotated[Principal, Requires(write)]
