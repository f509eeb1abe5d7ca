"""Events of leads, on `opportunity.events`: who might buy, how that was learnt, and whose customer they became (CRM design)."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from tailrace.core.events import Event
from tailrace.core.personal_data import Personal
from tailrace.core.values.fields import Text
from tailrace.core.values.money import Currency, Minor

LeadStatus = Literal["new", "qualified", "converted", "lost"]
Via = Literal["api", "form", "import"]
Handing = Literal["asked", "done", "refused"]
"""How far the customer of a converted lead is: asked for, there, or refused."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class ScoreReason(_Value):
    """Why a lead has points: a rule that holds of it."""

    rule: str
    """What the rule is called."""
    points: int
    """What it adds, or with a minus takes away."""


class ConsentGiven(_Value):
    """What somebody agreed to, word for word."""

    text: str
    """What stood beside the box that they ticked."""
    given_at: datetime
    """When they did, in UTC."""


class FormField(_Value):
    """What a form asks for."""

    key: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$", examples=["budget"])]
    """By what an answer names it: a field of a lead, or a name of the form's own."""
    label: Text
    """What stands beside it."""
    required: bool = False
    """Whether the form is sent back without it."""
    max_length: Annotated[int, Field(ge=1, le=2000)] = 200
    """How many characters it takes at most."""


class _Lead(Event):
    topic: ClassVar[str] = "opportunity.events"
    publisher: ClassVar[str] = "opportunities"

    lead_id: UUID


class LeadDescription(_Lead):
    """What both describing events say of a lead."""

    status: LeadStatus
    name: Personal[str]
    company: Personal[str] | None = None
    position: str | None = None
    email: Personal[str] | None = None
    phone: Personal[str] | None = None
    country: str | None = None
    language: str | None = None
    source: str | None = None
    note: Personal[str] | None = None
    amount: Minor | None = None
    currency: Currency | None = None
    via: Via
    form_id: UUID | None = None
    consent: ConsentGiven | None = None
    owner_id: UUID | None = None
    team_id: UUID | None = None
    score: int
    score_reasons: list[ScoreReason] = []
    customer_id: UUID | None = None
    opportunity_id: UUID | None = None


class LeadCreated(LeadDescription):
    """Somebody might buy."""

    type: ClassVar[str] = "crm.lead.created"


class LeadUpdated(LeadDescription):
    """The lead is different now; carries the whole of it."""

    type: ClassVar[str] = "crm.lead.updated"


class LeadAssigned(_Lead):
    """Another person looks after the lead now; by a rule of the tenant's where `rule` names one."""

    type: ClassVar[str] = "crm.lead.assigned"

    owner_id: UUID | None
    previous_owner_id: UUID | None
    rule: str | None = None


class LeadQualified(_Lead):
    """The lead is worth an effort."""

    type: ClassVar[str] = "crm.lead.qualified"


class LeadLost(_Lead):
    """Nothing comes of the lead."""

    type: ClassVar[str] = "crm.lead.lost"

    reason: str


class LeadReopened(_Lead):
    """Something may come of it after all."""

    type: ClassVar[str] = "crm.lead.reopened"

    reason: str


class LeadDeleted(_Lead):
    """The lead is gone, with all that was known of the person."""

    type: ClassVar[str] = "crm.lead.deleted"


class LeadContact(_Value):
    """The person that a converted lead is about."""

    person_id: UUID
    """The id that they are to have at the customer."""
    name: Personal[str]
    position: str | None = None
    email: Personal[str] | None = None
    phone: Personal[str] | None = None


class LeadConverted(_Lead):
    """The lead is a customer's, and asks for that customer: `customer_id` is to be made from what stands here, or, with `existing`, is there already
    and gets one more person. The answer is `customer.lead_accepted` or `customer.lead_refused`."""

    type: ClassVar[str] = "crm.lead.converted"

    customer_id: UUID
    existing: bool
    customer_name: Personal[str]
    kind: Literal["company", "person"]
    currency: Currency
    language: str | None = None
    country: str | None = None
    contact: LeadContact
    owner_id: UUID | None = None
    opportunity_id: UUID | None = None
    consent: ConsentGiven | None = None
    """What the person agreed to, on a form; null for a lead of no form, of one that asks for no consent, or from before this was said."""


class LeadConversionRefused(_Lead):
    """There can be no such customer: the lead is qualified again, and its opportunity is withdrawn."""

    type: ClassVar[str] = "crm.lead.conversion_refused"

    customer_id: UUID
    reason: str


class LeadFormDescription(Event):
    """The whole of a form that strangers fill in. Created, updated and restored say the same."""

    topic: ClassVar[str] = "opportunity.events"
    publisher: ClassVar[str] = "opportunities"

    lead_form_id: UUID
    code: str
    name: str
    fields: list[FormField]
    origins: list[str]
    consent_text: str | None = None
    source: str | None = None
    active: bool


class LeadFormCreated(LeadFormDescription):
    """There is a new form."""

    type: ClassVar[str] = "crm.lead_form.created"


class LeadFormUpdated(LeadFormDescription):
    """The form is different now."""

    type: ClassVar[str] = "crm.lead_form.updated"


class LeadFormRestored(LeadFormDescription):
    """The form was deleted and is back, as it was."""

    type: ClassVar[str] = "crm.lead_form.restored"


class LeadFormDeleted(Event):
    """The form is gone; its address leads nowhere."""

    topic: ClassVar[str] = "opportunity.events"
    publisher: ClassVar[str] = "opportunities"
    type: ClassVar[str] = "crm.lead_form.deleted"

    lead_form_id: UUID
    code: str


class PolicyChanged(Event):
    """What the tenant said of leads and opportunities is different now: `kind` names what, `content` is all of it."""

    topic: ClassVar[str] = "opportunity.events"
    publisher: ClassVar[str] = "opportunities"
    type: ClassVar[str] = "crm.policy.changed"

    policy_id: UUID
    kind: Literal["scoring", "assignment", "closing"]
    content: dict[str, Any]


PUBLISHED: tuple[type[Event], ...] = (
    LeadCreated,
    LeadUpdated,
    LeadAssigned,
    LeadQualified,
    LeadLost,
    LeadReopened,
    LeadDeleted,
    LeadConverted,
    LeadConversionRefused,
    LeadFormCreated,
    LeadFormUpdated,
    LeadFormRestored,
    LeadFormDeleted,
    PolicyChanged,
)
