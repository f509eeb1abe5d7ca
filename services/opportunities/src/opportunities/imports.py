"""Leads from files, through the command that HTTP uses. A lead is known again by its reference, or by all that is said of it."""

from opportunities import lead_commands
from opportunities.bodies.leads import LeadBody
from opportunities.leads import Lead
from tailrace.db.database import Tx
from tailrace.transfer.columns import column
from tailrace.transfer.importable import Importable


async def _create(tx: Tx, body: LeadBody) -> Lead:
    return await lead_commands.create(tx, body.model_dump(), "import")


def _reference(body: LeadBody) -> str | None:
    return body.reference


leads = Importable(
    service="opportunities",
    name="leads",
    body=LeadBody,
    columns=[
        column("reference", "Reference", "参照番号"),
        column("name", "Name", "氏名", "名称"),
        column("company", "Company", "会社名"),
        column("position", "Position", "役職"),
        column("email", "E-mail", "Email", "メール", "メールアドレス"),
        column("phone", "Phone", "Telephone", "電話", "電話番号"),
        column("country", "Country", "国"),
        column("language", "Language", "言語"),
        column("source", "Source", "流入元"),
        column("note", "Note", "備考"),
        column("amount", "Amount", "見込金額"),
        column("currency", "Currency", "通貨"),
    ],
    create=_create,
    key=_reference,
    flush_later=True,
)
