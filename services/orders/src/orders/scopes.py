"""What a token must be good for here."""

from typing import Annotated

from tailrace.core.context import Principal
from tailrace.http.auth import Requires, scopes

read, write = scopes("orders", read="See orders", write="Take, change, confirm, hold and cancel orders", by_owner=True)

Reader = Annotated[Principal, Requires(read)]
Writer = Annotated[Principal, Requires(write)]
