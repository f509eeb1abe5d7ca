"""Events of customers, on `customer.events`: accounts, the people there, and what was agreed with them (CRM design, Customer service).

Each created or updated event carries the whole of what it describes. The others say what just happened, for those who wait for that alone.
"""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from tailrace.core.attachments import AttachmentEvent
from tailrace.core.events import Described, Event
from tailrace.core.personal_data import Personal
from tailrace.core.values.money import Currency, Minor

Kind = Literal["company", "person"]
Status = Literal["prospect", "active", "inactive", "merged"]
AddressUse = Literal["billing", "shipping", "office", "other"]
Label = Literal["work", "home", "mobile", "other"]
Risk = Literal["conservative", "moderate", "balanced", "growth", "aggressive"]
Experience = Literal["none", "limited", "good", "extensive"]
Objective = Literal["preservation", "income", "growth", "speculation", "hedging"]
TaxIdResult = Literal["valid", "invalid", "unknown", "unanswered"]
Purpose = Literal["marketing_email", "marketing_phone", "marketing_post", "profiling", "data_sharing", "lead_form"]
"""What a consent is for. `lead_form` is for what stood beside the box of a form, word for word in its `source`: for that and for nothing else."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class PostalAddress(_Value):
    """Where a customer is, or wants goods or invoices sent."""

    use: AddressUse
    """What goes there."""
    lines: Personal[list[str]]
    """Street, house and the like, from the first line of the label on."""
    city: Personal[str] | None = None
    """The town, as the label has it."""
    postal_code: Personal[str] | None = None
    """As the post of the country writes it."""
    region: str | None = None
    """The state, prefecture or province."""
    country: str
    """An ISO 3166-1 alpha-2 code."""


class EmailAddress(_Value):
    """An e-mail address, and what it is for."""

    address: Personal[str]
    """In lower case, as addresses are compared."""
    label: Label
    """Where it reaches."""


class PhoneNumber(_Value):
    """A telephone number in international form (ITU-T E.164), and what it is for."""

    number: Personal[str]
    """In international form (E.164)."""
    label: Label
    """Where it reaches."""


class TaxId(_Value):
    """A number that a tax office gave, and the country of that office; its check digits are right, where that country's rule is known."""

    country: str
    """Whose tax office gave it, an ISO 3166-1 alpha-2 code."""
    number: Personal[str]
    """In its compact form."""


class Person(_Value):
    """Somebody who speaks for the customer."""

    person_id: UUID
    name: Personal[str]
    reading: Personal[str] | None = None
    position: str | None = None
    emails: list[EmailAddress] = []
    phones: list[PhoneNumber] = []


class CustomerEvent(Event):
    topic: ClassVar[str] = "customer.events"
    publisher: ClassVar[str] = "customers"

    customer_id: UUID


class CustomerDescription(CustomerEvent):
    """What both describing events say. `reading` is how the name is spoken, where its script does not tell (Japanese furigana)."""

    number: str
    name: Personal[str]
    reading: Personal[str] | None = None
    kind: Kind
    status: Status
    segment: str | None = None
    language: str | None = None
    currency: Currency
    payment_terms_days: int
    price_list_id: UUID | None = None
    tax_ids: list[TaxId] = []
    addresses: list[PostalAddress] = []
    emails: list[EmailAddress] = []
    phones: list[PhoneNumber] = []
    people: list[Person] = []
    sales_rep_id: UUID | None = None
    custom_fields: dict[str, bool | str] = {}
    """Fields that the company adds, by their keys; a number is a string."""


class CustomerCreated(CustomerDescription):
    """There is a new customer."""

    type: ClassVar[str] = "customer.created"


class CustomerUpdated(CustomerDescription):
    """The customer is different now; carries the whole of it."""

    type: ClassVar[str] = "customer.updated"


class CustomerRestored(CustomerDescription):
    """The customer was deleted by mistake, and is back as it was; carries the whole of it."""

    type: ClassVar[str] = "customer.restored"


class CustomerDeleted(CustomerEvent):
    """The customer is gone; those who keep something about it hide or end it. Documents with legal weight stay."""

    type: ClassVar[str] = "customer.deleted"

    number: str


class CustomerAssigned(CustomerEvent):
    """Another person looks after the customer now; nobody, when `sales_rep_id` is null."""

    type: ClassVar[str] = "customer.assigned"

    sales_rep_id: UUID | None
    previous_sales_rep_id: UUID | None
    reason: str | None = None


class CustomerUnassigned(CustomerEvent):
    """Nobody looks after the customer any more, and nobody chose that: somebody has to be found."""

    type: ClassVar[str] = "customer.unassigned"

    previous_sales_rep_id: UUID | None
    reason: str


class CustomerCreditChanged(CustomerEvent):
    """How much the customer may owe, in minor units of `currency`; no limit at all, when null."""

    type: ClassVar[str] = "customer.credit_changed"

    credit_limit: Minor | None
    previous_credit_limit: Minor | None
    currency: Currency
    reason: str


class CustomerProfileChanged(CustomerEvent):
    """What the customer wants of investments and can bear, as it was asked on `reviewed_on`; to be asked again by `review_due_on`."""

    type: ClassVar[str] = "customer.profile_changed"

    risk_tolerance: Risk
    experience: Experience
    objectives: list[Objective]
    horizon_years: int
    assets: Minor | None
    currency: Currency
    reviewed_on: date
    review_due_on: date


class CustomerReviewDueReached(CustomerEvent):
    """The day has come by which the customer is to be asked again what it wants of investments."""

    type: ClassVar[str] = "customer.review_due_reached"

    number: str
    review_due_on: date
    sales_rep_id: UUID | None


class CustomerTaxIdCheckRequested(CustomerEvent):
    """Somebody wants to know whether a tax office really gave this number; a partner is being asked."""

    type: ClassVar[str] = "customer.tax_id_check_requested"

    country: str
    number: Personal[str]


class CustomerTaxIdChecked(CustomerEvent):
    """What the partner said of the number, under their `reference`, as of `checked_on`; `unanswered` when they did not say anything in time."""

    type: ClassVar[str] = "customer.tax_id_checked"

    country: str
    number: Personal[str]
    result: TaxIdResult
    reference: str | None
    checked_on: date | None


class CustomerConsentChanged(CustomerEvent):
    """The customer allows a use of what is known of it, or does not any more (GDPR, article 7)."""

    type: ClassVar[str] = "customer.consent_changed"

    purpose: Purpose
    granted: bool
    given_at: datetime
    source: str


class CustomerMerged(CustomerEvent):
    """This customer turned out to be another: from here on it stands for `into_customer_id`, and nothing new is done with it."""

    type: ClassVar[str] = "customer.merged"

    into_customer_id: UUID
    reason: str


class CustomerUnmerged(CustomerEvent):
    """The merge was a mistake: this customer is one of its own again."""

    type: ClassVar[str] = "customer.unmerged"

    from_customer_id: UUID
    reason: str


class CustomerLeadAccepted(CustomerEvent):
    """A converted lead is this customer's, which was made of it, or has the person that the lead was about: `person_id`.

    `asked_customer_id` is the customer that the lead asked for, where that stands for this one by now.
    """

    type: ClassVar[str] = "customer.lead_accepted"

    lead_id: UUID
    asked_customer_id: UUID
    person_id: UUID


class CustomerLeadRefused(CustomerEvent):
    """A converted lead cannot be this customer's."""

    type: ClassVar[str] = "customer.lead_refused"

    lead_id: UUID
    asked_customer_id: UUID
    reason: str


class CustomerAttachmentEvent(AttachmentEvent, CustomerEvent):
    """A file about the customer: what it is, and by which hash to know it. Its key is the attachment, so that each file has an order of its own."""


class CustomerAttachmentAdded(CustomerAttachmentEvent):
    """There is a new file."""

    type: ClassVar[str] = "customer.attachment_added"


class CustomerAttachmentReplaced(CustomerAttachmentEvent):
    """The file has a new content, or a new name; the earlier ones are kept."""

    type: ClassVar[str] = "customer.attachment_replaced"


class CustomerAttachmentDeleted(CustomerAttachmentEvent):
    """The file is gone from the customer."""

    type: ClassVar[str] = "customer.attachment_deleted"


class CustomerAttachmentRestored(CustomerAttachmentEvent):
    """The file was deleted by mistake, and is back as it was."""

    type: ClassVar[str] = "customer.attachment_restored"


class CustomerAttachmentMoved(CustomerAttachmentEvent):
    """The file is another customer's now, because one came to stand for the other, or does no more."""

    type: ClassVar[str] = "customer.attachment_moved"

    from_customer_id: UUID


CUSTOMER = Described("customer_id", (CustomerCreated, CustomerUpdated, CustomerRestored), CustomerDeleted)
MERGE = Described("customer_id", (CustomerMerged,), CustomerUnmerged)

PUBLISHED: tuple[type[CustomerEvent], ...] = (
    CustomerCreated,
    CustomerUpdated,
    CustomerRestored,
    CustomerDeleted,
    CustomerAssigned,
    CustomerUnassigned,
    CustomerCreditChanged,
    CustomerProfileChanged,
    CustomerReviewDueReached,
    CustomerTaxIdCheckRequested,
    CustomerTaxIdChecked,
    CustomerConsentChanged,
    CustomerMerged,
    CustomerUnmerged,
    CustomerLeadAccepted,
    CustomerLeadRefused,
    CustomerAttachmentAdded,
    CustomerAttachmentReplaced,
    CustomerAttachmentDeleted,
    CustomerAttachmentRestored,
    CustomerAttachmentMoved,
)
