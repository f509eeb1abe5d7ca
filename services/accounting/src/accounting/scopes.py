"""What a token must be good for here."""

from typing import Annotated

from tailrace.core.context import Principal
from tailrace.http.auth import Requires, Scope, scopes

read, write = scopes("accounting")
close = Scope("accounting:close", "Close periods, and reopen them.")

Reader = Annotated[Principal, Requires(read)]
Writer = Annotated[Principal, Requires(write)]
Closer = Annotated[Principal, Requires(close)]
