"""What strangers see of a form and may send, without a log-in. The address says whose form it is; each transaction acts for that tenant.

Whatever is sent is answered with thanks, or with what is wrong with it; nothing tells what became of it, or who is known already.
"""

from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from opportunities import guard, lead_commands
from opportunities.bodies.leads import SubmissionBody
from opportunities.forms import Address, LeadForm, read_token
from opportunities.routes.forms import PUBLIC
from opportunities.views.leads import ChallengeView, PublicFormView, ThanksView
from tailrace.core.errors import Unknown
from tailrace.db.database import Tx
from tailrace.http.protocol.strict import declared, public_router
from tailrace.http.public import acting_for

router: APIRouter = public_router(tag="public forms", about="Forms as strangers see and send them.")


@router.get(f"{PUBLIC}/{{token}}", responses=declared(404))
async def read_public_form(request: Request, response: Response, token: str) -> PublicFormView:
    """What a form asks for, and the challenge that has to come back with the answers."""
    response.headers["Cache-Control"] = "no-store"
    settings = request.app.state.settings
    address = read_token(settings, token)
    async with acting_for(request, address.tenant_id, f"form:{address.form_id}", read_only=True) as tx:
        form = await _form(tx, address)
        challenge = guard.challenge_of(settings, form)
        shown = {name: getattr(form, name) for name in ("name", "fields", "consent_text")}
        return PublicFormView.model_validate({**shown, "challenge": ChallengeView.model_validate(challenge)})


@router.post(f"{PUBLIC}/{{token}}", responses=declared(403, 404, 409, 429))
async def send_form(request: Request, response: Response, token: str, body: SubmissionBody) -> ThanksView:
    """Send a form. Sent again with the same challenge, it has no further effect."""
    response.headers["Cache-Control"] = "no-store"
    settings = request.app.state.settings
    address = read_token(settings, token)
    async with acting_for(request, address.tenant_id, f"form:{address.form_id}") as tx:
        form = await _form(tx, address)
        guard.ensure_origin(form, request.headers.get("origin"))
        if body.website:
            return ThanksView()
        salt = guard.ensure_answered(settings, form, body.challenge, body.solution)
        # What is wrong is said before anything is written: it costs no more than to read it.
        values = lead_commands.values_of(form, body)
        await guard.ensure_allowed(tx, settings, form, request.client.host if request.client else None)
        if await guard.is_first(tx, form.id, salt):
            await lead_commands.receive(tx, form, values)
            await tx.settle()
        return ThanksView()


async def _form(tx: Tx, address: Address) -> LeadForm:
    """The form, while it is in use. Raises Unknown."""
    known = select(LeadForm).where(LeadForm.id == address.form_id, LeadForm.deleted_at.is_(None), LeadForm.active)
    form = await tx.scalar(known)
    if form is None:
        raise Unknown("form", "of this address")
    return form
