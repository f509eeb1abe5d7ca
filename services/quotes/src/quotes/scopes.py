"""What a token must be good for here."""

from typing import Annotated

from tailrace.core.context import Principal
from tailrace.http.auth import Requires, Scope, scopes

read, write = scopes(
    "quotes",
    read="See quotes",
    write="Make, change, submit, send and revise quotes, and say how they ended",
    by_owner=True,
)
margin = Scope("quotes:margin", "See and say what quoted items cost, and what a quote earns")
authority = Scope("quotes:authority", "Say who may quote how much without approval")
customers_pii = Scope("customers:pii", "See the addresses of customers, wherever they are")
"""Declared by customers: who may not see their addresses there sees none here."""
operate = Scope("quotes:operate", "See, hasten and end mail to customers that is under way")

Reader = Annotated[Principal, Requires(read)]
Writer = Annotated[Principal, Requires(write)]
MarginReader = Annotated[Principal, Requires(read, margin)]
AuthorityKeeper = Annotated[Principal, Requires(authority)]
