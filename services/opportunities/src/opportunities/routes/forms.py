"""/v1/lead-forms: the forms that strangers fill in, and their addresses."""

from uuid import UUID

from fastapi import Request

from opportunities.bodies.leads import LeadFormBody
from opportunities.forms import Address, LeadForm, token_of
from opportunities.scopes import Configurer
from opportunities.views.leads import FormAddressView, LeadFormView
from tailrace.http.lists.master_data import master_data_routes
from tailrace.http.routing import Tx, tenant_router

PUBLIC = "/v1/leads/forms"

router = tenant_router(
    "/v1/lead-forms", tag="lead forms", about="Forms that strangers fill in on sites of the company's."
)

master_data_routes(
    router, LeadForm, "a lead form", body=LeadFormBody, view=LeadFormView, reader=Configurer, writer=Configurer
)


@router.get("/{lead_form_id}/address")
async def read_form_address(request: Request, tx: Tx, who: Configurer, lead_form_id: UUID) -> FormAddressView:
    """Where the form is sent to, to be put into a page."""
    form = await tx.find(LeadForm, lead_form_id)
    token = token_of(request.app.state.settings, Address(tx.tenant_id, form.id))
    return FormAddressView(path=f"{PUBLIC}/{token}")
