"""What a token must be good for here."""

from typing import Annotated

from tailrace.core.context import Principal
from tailrace.http.auth import Requires, Scope, scopes

read, write = scopes(
    "approvals",
    read="See approvals",
    write="Ask for approvals, decide, and delegate one's decisions",
    by_owner=True,
)
administer = Scope("approvals:administer", "Give steps of approvals to others, and decide about others' delegations")
read_processes, write_processes = scopes(
    "processes",
    read="See processes, their matrices and what runs by them",
    write="Deploy processes, try matrices, and mend what runs",
)

Reader = Annotated[Principal, Requires(read)]
Writer = Annotated[Principal, Requires(write)]
Administrator = Annotated[Principal, Requires(administer, read)]
ProcessReader = Annotated[Principal, Requires(read_processes)]
ProcessWriter = Annotated[Principal, Requires(write_processes)]
InstanceReader = Annotated[Principal, Requires(read_processes, read)]
"""What runs by processes is approvals, and seen as far as those are."""
InstanceWriter = Annotated[Principal, Requires(write_processes, read)]
