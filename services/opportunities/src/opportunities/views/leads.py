"""What clients are shown of leads and forms; and what strangers are."""

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from contracts.leads import ConsentGiven, FormField, Handing, LeadStatus, ScoreReason, Via
from opportunities.bodies.policies import AssignmentRule, ScoreRule
from opportunities.scopes import pii
from tailrace.core.personal_data import Personal
from tailrace.http.masks import masked
from tailrace.http.routing import ResourceView, View

Shared = Literal["email", "name", "phone", "tax_id"]


class AnswerView(View):
    """What a form asked besides the fields of a lead."""

    key: str
    """The key of the form's field."""
    value: Personal[str]
    """What was filled in."""


class LeadSummary(ResourceView):
    """A lead as lists show it."""

    status: LeadStatus
    """How far it is."""
    name: Personal[str]
    """Who it is, or who speaks for the company."""
    company: Personal[str] | None
    """Whom they speak for; null for somebody who buys for themselves."""
    country: str | None
    """Where they are, an ISO 3166-1 alpha-2 code."""
    source: str | None
    """Where it was heard of them."""
    amount: int | None
    """What may come of it, in minor units of `currency`; null when nobody knows."""
    currency: str | None
    """What the amount is in, an ISO 4217 code."""
    via: Via
    """How it came here."""
    owner_id: UUID | None
    """The user who looks after it; null for nobody."""
    team_id: UUID | None
    """The team that it counts for."""
    score: int
    """The points of all scoring rules that hold of it."""
    customer_id: UUID | None
    """The customer that it became."""


class LeadView(LeadSummary):
    position: str | None
    """What they do there."""
    email: Annotated[Personal[str] | None, masked(pii)]
    """Where to write to."""
    phone: Annotated[Personal[str] | None, masked(pii)]
    """Where to call."""
    language: str | None
    """A language tag (BCP 47)."""
    note: Annotated[Personal[str] | None, masked(pii)]
    """What else is known."""
    reference: str | None
    """What another system calls it."""
    form_id: UUID | None
    """The form that it came by."""
    answers: Annotated[list[AnswerView], masked(pii)]
    """What that form asked besides."""
    consent: ConsentGiven | None
    """What they agreed to when they sent the form."""
    sent: int
    """How often they sent it."""
    rule: str | None
    """The rule by which it was assigned; null when somebody said it."""
    score_reasons: list[ScoreReason]
    """Why it has its score."""
    reason: str | None
    """Why it was lost, or could not become a customer."""
    handing: Handing | None
    """How far its customer is, once it was converted: asked for, there, or refused."""
    contact_id: UUID | None
    """The person that they are at the customer."""
    opportunity_id: UUID | None
    """The opportunity that was made with it."""


class LikeLead(View):
    """Another lead that may be this one, and what the two share."""

    lead: LeadSummary
    """The other one."""
    shared: list[Shared]
    """What both records have."""


class LikeCustomer(View):
    """A customer that the lead may be, and what the two share."""

    customer_id: UUID
    """By which customers know it."""
    number: str
    """What it is known by."""
    shared: list[Shared]
    """What both records have."""


class LeadDuplicates(View):
    leads: list[LikeLead]
    """Other leads, those that share most first."""
    customers: list[LikeCustomer]
    """Customers, those that share most first."""


class LeadFormView(ResourceView):
    code: str
    """What the form is known by; unique among those in use."""
    name: str
    """What people call it."""
    fields: list[FormField]
    """What it asks for, in this order."""
    origins: list[str]
    """The sites that it may be sent from; any program may send it when there are none."""
    consent_text: str | None
    """What somebody has to agree to who sends it."""
    source: str | None
    """The source that its leads have."""
    active: bool
    """Whether it takes anything at the moment."""
    min_seconds: int
    """How long somebody needs at least to fill it in, in seconds."""
    work: int
    """The largest number of hashes that a sender has to try; 0 for none."""
    per_address: int
    """How often one address may send it within an hour."""
    per_hour: int
    """How often it may be sent within an hour by all."""
    same_within_days: int
    """For how many days the same person's next answer belongs to the lead that is there."""


class FormAddressView(View):
    """Where a form is sent to. Everybody may know it; it is good for as long as the form is there and active."""

    path: str
    """Below the address of the API: `GET` shows the form, `POST` sends it."""


class ChallengeView(View):
    """What a sender has to bring back: `token` as it is, and the number for which SHA-256 of `salt` and that number is `target`."""

    token: str
    """To be sent as `challenge`; good for twelve hours, and once."""
    algorithm: Literal["SHA-256"] = "SHA-256"
    """What hashes salt and number, the number in decimal digits."""
    salt: str
    """What stands before the number."""
    target: str | None
    """What the hash has to be, in hexadecimal digits; null where no work is asked for."""
    largest: int
    """The number is smaller than this."""


class PublicFormView(View):
    """A form as strangers see it."""

    name: str
    """What it is called."""
    fields: list[FormField]
    """What it asks for, in this order."""
    consent_text: str | None
    """What the sender has to agree to."""
    challenge: ChallengeView
    """What the sender has to bring back."""


class ThanksView(View):
    """All that a stranger is told."""

    message: Literal["Thank you."] = "Thank you."
    """The same whatever was sent."""


class ScoringView(View):
    """How leads are scored."""

    rules: Sequence[ScoreRule]
    """Their points are added up."""
    job_id: UUID | None = None
    """After a change, the job that scores the leads again."""


class AssignmentView(View):
    """Who looks after a new lead."""

    rules: Sequence[AssignmentRule]
    """The first one that holds and finds somebody says it."""
