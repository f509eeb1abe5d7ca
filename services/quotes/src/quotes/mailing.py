"""A quote goes to the customer by mail, as an errand to the mail server: if and only if what asked for it commits, and tried again for a day.

The link in it is as good as a signature. So the mail is written here, where the link is made, and no event bears it.
"""

import html
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from uuid import UUID

from quotes import timers
from quotes.buyers import address_of, buyer, person_of
from quotes.commands import ensure_valid, seller_of
from quotes.copies import UserCopy
from quotes.links import PUBLIC, Link, Links
from quotes.models import Quote
from quotes.refusals import CannotMail
from tailrace.core import clock
from tailrace.core.errors import Invalid
from tailrace.core.payload import Payload
from tailrace.db.database import Tx
from tailrace.errands.errands import Errand, Outcome
from tailrace.errands.partners import partner_of
from tailrace.messaging.replica import by_ids
from tailrace.settings import Settings

MAIL_SERVER = "smtp"
"""What `TAILRACE_PARTNERS` calls it."""
_SUBJECT = {"en": "Quote {number} from {seller}", "ja": "お見積書 {number}（{seller}）"}
_TEXT = {
    "en": (
        "Dear {name},",
        "here is our quote {number}, which is valid until {valid_until}.",
        "The document:",
        "What is offered, and your answer to it:",
        "Everybody who has these addresses can answer for you: please pass them on to nobody else.",
    ),
    "ja": (
        "{name} 様",
        "お見積書 {number} をお送りします。有効期限は {valid_until} です。",
        "見積書:",
        "お見積内容とご回答:",
        "このアドレスをお持ちの方はどなたでもご回答いただけます。第三者への転送はお控えください。",
    ),
}


class Mailing(Payload):
    """Whose mail it is; which of its mails, the quote knows by the errand's id."""

    quote_id: UUID


sending = Errand("quotes.mailing", about=Mailing, timeout=20, deadline=timedelta(hours=24), largest=64 * 1024)


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says, in the customer's language."""

    language: str
    name: str
    number: str
    seller: str
    valid_until: str
    address: str
    """Of the offer; its document is below."""

    @property
    def subject(self) -> str:
        number, seller = (" ".join(each.split()) for each in (self.number, self.seller))
        return _SUBJECT[self.language].format(number=number, seller=seller)

    def parts(self) -> list[str]:
        """Paragraphs; addresses stand by themselves."""
        said = {"name": self.name, "number": self.number, "valid_until": self.valid_until}
        dear, here, document, answer, warning = (each.format(**said) for each in _TEXT[self.language])
        return [dear, here, document, f"{self.address}/document", answer, self.address, warning, self.seller]


async def mail(tx: Tx, quote: Quote, address: str | None, settings: Settings) -> None:
    """Mail a quote that is offered: to this address, or else to the person it is for, or the customer.

    One that waits is given up for it. Raises NotInThisState, NoLongerValid, CannotMail, Invalid where nobody's address is known.
    """
    quote.after("mailed")
    await ensure_valid(tx, quote)
    partner = partner_of(settings, MAIL_SERVER)
    if partner is None or partner.sender is None:
        raise CannotMail("No setting says where the mail server is, and from whom mail comes: TAILRACE_PARTNERS.")
    if not settings.public_url:
        raise CannotMail("No setting says at which address customers reach the platform: TAILRACE_PUBLIC_URL.")
    to = address or await _known_address(tx, quote)
    token = Links(settings).token(Link(tx.tenant_id, quote.id), await timers.ends_at(tx, quote))
    letter = Letter(
        language=quote.customer["language"],
        name=quote.customer["contact"] or quote.customer_name,
        number=quote.name,
        seller=await seller_of(tx, quote),
        valid_until=quote.valid_until.isoformat(),
        address=f"{settings.public_url.rstrip('/')}{PUBLIC}/{token}",
    )
    message, reply_to = written(letter), await _reply_to(tx, quote)
    try:
        call = partner.mail(to, letter.subject, message, reply_to=reply_to)
    except ValueError:
        raise Invalid.field("/mail_to", "No mail goes to this address: say another one.") from None
    errand_id = await sending.send(tx, call, Mailing(quote_id=quote.id))
    before = quote.ask_mail(to, errand_id, clock.now())
    if before is not None:
        await sending.cancel(tx, before)


def written(letter: Letter) -> bytes:
    """The message as text and as HTML, but for the fields that say from whom, to whom, and what of."""
    message = EmailMessage(policy=SMTP)
    message["Date"] = clock.now()
    # RFC 3834: nobody's absence is to be told of to a program.
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = letter.language
    parts = letter.parts()
    message.set_content("\n\n".join(parts) + "\n", cte="base64")
    shown = "".join(f"<p>{_html(part, letter)}</p>" for part in parts)
    message.add_alternative(f"<!doctype html><html><body>{shown}</body></html>\n", subtype="html", cte="base64")
    return message.as_bytes()


def _html(part: str, letter: Letter) -> str:
    text = html.escape(part)
    return f'<a href="{text}">{text}</a>' if part.startswith(letter.address) else text


async def _known_address(tx: Tx, quote: Quote) -> str:
    """Of the person whom the quote is for, or else of the customer. Raises Invalid, NotYetKnown."""
    customer = await buyer(tx, quote.customer_id, "/mail_to")
    contact, person = quote.customer["contact"], person_of(customer, quote.customer.get("contact_id"))
    if contact is not None and person is None:
        raise Invalid.field("/mail_to", f"{contact} is no longer at {customer.number}: say an address.")
    found = address_of(customer, person)
    if found is None:
        raise Invalid.field("/mail_to", f"No address of {quote.customer_name} is known: say one.")
    return found


async def _reply_to(tx: Tx, quote: Quote) -> str | None:
    """Who sells answers what a customer writes back; None where nobody does, or their address is not known here."""
    if quote.owner_id is None:
        return None
    owner = (await by_ids(tx, UserCopy, [quote.owner_id])).get(quote.owner_id)
    return owner.email if owner is not None and owner.active else None


@sending.outcome
async def note(tx: Tx, outcome: Outcome) -> None:
    quote = await tx.load(Quote, outcome.about.quote_id)
    said = outcome.failure or (f"status-{outcome.response.status}" if outcome.response else "unanswered")
    quote.note_mail(outcome.errand_id, None if outcome.ok else said)
