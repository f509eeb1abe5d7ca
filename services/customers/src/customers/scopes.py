"""What a token must be good for here."""

from typing import Annotated

from tailrace.core.context import Principal
from tailrace.http.auth import Requires, Scope, scopes

read, write = scopes(
    "customers",
    read="See customers",
    write="Keep customers, the people there, their profiles and consents",
)
assign = Scope("customers:assign", "Say who looks after a customer")
credit = Scope("customers:credit", "Say how much a customer may owe")
merge = Scope("customers:merge", "Merge customers, and undo that")

Reader = Annotated[Principal, Requires(read)]
Writer = Annotated[Principal, Requires(write)]
Assigner = Annotated[Principal, Requires(assign)]
CreditManager = Annotated[Principal, Requires(credit)]
Merger = Annotated[Principal, Requires(merge)]
