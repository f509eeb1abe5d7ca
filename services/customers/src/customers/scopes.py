"""What a token must be good for here."""

from typing import Annotated

from tailrace.core.context import Principal
from tailrace.http.auth import Requires, Scope, scopes

read, write = scopes(
    "customers",
    read="See customers",
    write="Keep customers, the people there, their profiles and consents",
    by_owner=True,
)
assign = Scope("customers:assign", "Say who looks after a customer", by_owner=True)
credit = Scope("customers:credit", "Say how much a customer may owe", by_owner=True)
merge = Scope("customers:merge", "Merge customers, and undo that", by_owner=True)
pii = Scope(
    "customers:pii", "See tax ids, and the e-mail addresses and telephone numbers of customers and the people there"
)
profile = Scope("customers:profile", "See what customers want of investments, can bear, and own")
operate = Scope("customers:operate", "See, hasten and end calls to partners and everybody's long work")

Reader = Annotated[Principal, Requires(read)]
Writer = Annotated[Principal, Requires(write)]
ManyWriter = Annotated[Principal, Requires(write, pii)]
"""Who replaces customers whole, of whom all has to be seen."""
ProfileWriter = Annotated[Principal, Requires(write, profile)]
Assigner = Annotated[Principal, Requires(assign)]
CreditManager = Annotated[Principal, Requires(credit)]
Merger = Annotated[Principal, Requires(merge)]
