"""What a token must be good for here."""

from typing import Annotated

from tailrace.core.context import Principal
from tailrace.http.auth import Requires, scopes

read, write = scopes("partners", read="See partners", write="Give partners access to events, change and revoke it")

Reader = Annotated[Principal, Requires(read)]
Writer = Annotated[Principal, Requires(write)]
