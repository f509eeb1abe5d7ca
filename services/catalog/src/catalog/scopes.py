"""What a token must be good for here."""

from typing import Annotated

from tailrace.core.context import Principal
from tailrace.http.auth import Requires, scopes

read, write = scopes(
    "catalog",
    read="See items, units, warehouses, price lists, taxes and templates",
    write="Keep items, units, warehouses, price lists, taxes and templates",
)

Reader = Annotated[Principal, Requires(read)]
Writer = Annotated[Principal, Requires(write)]
