"""What a token must be good for here."""

from typing import Annotated

from tailrace.core.context import Principal
from tailrace.http.auth import Requires, scopes

read, write = scopes(
    "catalog",
    read="See items, units, warehouses, price lists and taxes",
    write="Keep items, units, warehouses, price lists and taxes",
)

Reader = Annotated[Principal, Requires(read)]
Writer = Annotated[Principal, Requires(write)]
