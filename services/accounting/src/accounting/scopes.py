"""What a token must be good for here."""

from typing import Annotated

from tailrace.core.context import Principal
from tailrace.http.auth import Requires, Scope, scopes

read, write = scopes(
    "accounting",
    read="See accounts, periods, journals and reports",
    write="Keep accounts, post and reverse journals",
)
invoice_read, invoice_write = scopes(
    "invoices",
    read="See invoices, credit notes, payments and what customers owe",
    write="Make, issue and credit invoices, enter and allocate payments, remind customers",
)
close = Scope("accounting:close", "Lock, close and reopen periods")
control = Scope("accounting:control", "Post to control accounts by hand, and reverse what a rule posted")

Reader = Annotated[Principal, Requires(read)]
Writer = Annotated[Principal, Requires(write)]
Closer = Annotated[Principal, Requires(close)]
Controller = Annotated[Principal, Requires(control)]
InvoiceReader = Annotated[Principal, Requires(invoice_read)]
TakesOver = Annotated[Principal, Requires(invoice_write, control)]
InvoiceWriter = Annotated[Principal, Requires(invoice_write)]
