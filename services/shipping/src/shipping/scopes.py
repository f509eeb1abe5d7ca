"""What a token must be good for here."""

from typing import Annotated

from tailrace.core.context import Principal
from tailrace.http.auth import Requires, scopes

read, write = scopes(
    "shipping",
    read="See shipments and carriers",
    write="Pick, pack and dispatch shipments, keep carriers",
)

Reader = Annotated[Principal, Requires(read)]
Writer = Annotated[Principal, Requires(write)]
