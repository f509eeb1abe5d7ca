"""What a token must be good for here."""

from typing import Annotated

from tailrace.core.context import Principal
from tailrace.http.auth import Requires, Scope

read = Scope("audit-log:read", "See the audit log, traces and proofs; it changes nothing")
pii = Scope("audit-log:pii", "See fields in the audit log that tell who a person is")
manage = Scope(
    "audit-log:manage",
    "Say how long the audit log's contents are kept, hold them, archive and restore them, and have the log signed now",
)

Reader = Annotated[Principal, Requires(read)]
FullReader = Annotated[Principal, Requires(read, pii)]
Manager = Annotated[Principal, Requires(manage)]
