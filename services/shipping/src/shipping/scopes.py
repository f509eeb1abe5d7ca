"""What a token must be good for here."""

from typing import Annotated

from tailrace.core.context import Principal
from tailrace.http.auth import Requires, Scope, scopes

read, write = scopes(
    "shipping",
    read="See shipments, carriers, tariffs, bookings and announced deliveries",
    write="Pick, pack, book and dispatch shipments, take announced deliveries in, keep carriers and tariffs",
)
operate = Scope("shipping:operate", "See, hasten and end calls to carriers")

Reader = Annotated[Principal, Requires(read)]
Writer = Annotated[Principal, Requires(write)]
