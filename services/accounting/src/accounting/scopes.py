"""What a token must be good for here."""

from typing import Annotated

from tailrace.core.context import Principal
from tailrace.http.auth import Requires, Scope, scopes

read, write = scopes(
    "accounting",
    read="See accounts, periods, journals and reports",
    write="Keep accounts, post and reverse journals",
)
close = Scope("accounting:close", "Lock, close and reopen periods")
control = Scope("accounting:control", "Post to control accounts by hand, and reverse what a rule posted")

Reader = Annotated[Principal, Requires(read)]
Writer = Annotated[Principal, Requires(write)]
Closer = Annotated[Principal, Requires(close)]
Controller = Annotated[Principal, Requires(control)]
