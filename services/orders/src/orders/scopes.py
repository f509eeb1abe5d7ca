"""What a token must be good for here."""

from typing import Annotated

from tailrace.core.context import Principal
from tailrace.http.auth import Requires, Scope, scopes

read, write = scopes("orders", read="See orders", write="Take, change, confirm, hold and cancel orders", by_owner=True)
release = Scope("orders:release", "Let orders go on that are held for credit", by_owner=True)
credit = Scope("orders:credit", "See what customers owe and have ordered, and how much more they may")
policy = Scope("orders:policy", "Say when orders are held for credit")

Reader = Annotated[Principal, Requires(read)]
Writer = Annotated[Principal, Requires(write)]
Releaser = Annotated[Principal, Requires(release)]
PolicyMaker = Annotated[Principal, Requires(policy)]
CreditReader = Annotated[Principal, Requires(credit)]
