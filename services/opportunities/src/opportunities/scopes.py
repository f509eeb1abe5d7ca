"""What a token must be good for here."""

from typing import Annotated

from tailrace.core.context import Principal
from tailrace.http.auth import Requires, Scope, scopes

leads_read, leads_write = scopes(
    "leads", read="See leads", write="Keep, qualify, convert and give up leads", by_owner=True
)
leads_assign = Scope("leads:assign", "Say who looks after a lead", by_owner=True)
pii = Scope("leads:pii", "See e-mail addresses, telephone numbers, notes and answers of leads")
read, write = scopes(
    "opportunities",
    read="See opportunities, and the forecast of them",
    write="Keep opportunities, move them on, and say how they ended",
    by_owner=True,
)
assign = Scope("opportunities:assign", "Say who looks after an opportunity", by_owner=True)
configure = Scope(
    "opportunities:configure",
    "Keep pipelines, reasons, forms, quotas, and the rules by which leads are scored and assigned",
)

LeadReader = Annotated[Principal, Requires(leads_read)]
LeadWriter = Annotated[Principal, Requires(leads_write)]
LeadAssigner = Annotated[Principal, Requires(leads_assign)]
LeadConverter = Annotated[Principal, Requires(leads_write, write)]
Reader = Annotated[Principal, Requires(read)]
Writer = Annotated[Principal, Requires(write)]
Assigner = Annotated[Principal, Requires(assign)]
Configurer = Annotated[Principal, Requires(configure)]
