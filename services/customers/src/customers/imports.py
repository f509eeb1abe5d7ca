"""Customers from files, through the commands that HTTP uses."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

from contracts.customers import Purpose
from customers import commands
from customers.bodies import ConsentBody, ConsentsRowBody, CustomerBody, CustomerRowBody, PersonBody
from customers.models import Customer, Person
from customers.projections import days
from customers.scopes import assign, credit
from tailrace.core.errors import Invalid
from tailrace.core.values.text import shortened
from tailrace.db.database import Tx
from tailrace.transfer.columns import Column, column
from tailrace.transfer.entries import paired
from tailrace.transfer.importable import Importable


async def _create(tx: Tx, body: CustomerBody) -> Customer:
    return await commands.create(tx, body.values())


async def _replace(tx: Tx, row: Customer, body: CustomerBody) -> Customer:
    return await commands.replace(tx, row.id, None, body.values())


async def _create_row(tx: Tx, body: CustomerRowBody) -> Customer:
    people = [Person.of(each.values()) for each in body.people]
    customer = await commands.create(tx, {**body.values(), "people": people}, body.sales_rep_id)
    if body.credit_limit is not None:
        _limit_credit(customer, body)
    await _note_consents(tx, customer, body)
    return customer


async def _replace_row(tx: Tx, row: Customer, body: CustomerRowBody) -> Customer:
    """Each thing by its own command, where it differs."""
    differing = customers.differing(row, body)
    if "credit_limit" in differing and body.credit_limit is None:
        # Without one, it may be invoiced in another currency.
        _limit_credit(await tx.load(Customer, row.id), body)
    if differing & CustomerBody.model_fields.keys():
        row = await commands.replace(tx, row.id, None, body.values())
    if "sales_rep_id" in differing:
        row = await commands.assign(tx, row.id, None, body.sales_rep_id, None)
    if differing & {"credit_limit", "people", "consents"}:
        row = await tx.load(Customer, row.id)
    if "people" in differing:
        _describe(row, body.people)
    if "credit_limit" in differing and body.credit_limit is not None:
        _limit_credit(row, body)
    if "consents" in differing:
        await _note_consents(tx, row, body)
    return row


def _describe(row: Customer, said: Sequence[PersonBody]) -> None:
    """These speak for the customer: who is there under a name stays who they are."""
    there, people = list(row.people), []
    for place, each in zip(paired([one.name for one in there], [each.name for each in said]), said, strict=True):
        if place is None:
            people.append(Person.of(each.values()))
        else:
            there[place].update_from(each.values())
            people.append(there[place])
    row.set_people(people)


def _limit_credit(row: Customer, body: CustomerRowBody) -> None:
    """Raises Invalid for a limit without a reason, as the command over HTTP would."""
    if body.credit_reason is None:
        raise Invalid.field("/credit_reason", "Say why the credit limit is another one.")
    row.limit_credit(body.credit_limit, body.credit_reason)


async def _note_consents(tx: Tx, row: Customer, body: CustomerRowBody) -> None:
    """Raises Invalid for what is no later than what the customer said last: a file that is older than its word is no reason to forget it."""
    known = _consents(row)
    for purpose in get_args(Purpose):
        said, before = getattr(body.consents, purpose), getattr(known, purpose)
        if said is None or said == before:
            continue
        within = f"/consents/{purpose}"
        if before is not None and said.given_at <= before.given_at:
            answer = "yes" if before.granted else "no"
            detail = f"It said {answer} at {before.given_at:%Y-%m-%d %H:%M:%S}Z: what a file says has to be from later."
            raise Invalid.field(f"{within}/given_at", detail)
        await commands.note_consent(tx, row, ConsentBody(purpose=purpose, **said.model_dump()), within)


def _state(row: Customer) -> dict[str, Any]:
    people = [{name: getattr(one, name) for name in PersonBody.model_fields} for one in row.people]
    return {"people": people, "consents": _consents(row).model_dump(mode="json")}


def _consents(row: Customer) -> ConsentsRowBody:
    """As a file may say them: the words of a form may be longer, and stand in several lines."""
    said = {
        purpose: {**each, "source": shortened(each["source"].translate(_IN_ONE_LINE), _LONGEST)}
        for purpose, each in row.consents.items()
    }
    return ConsentsRowBody.model_validate(said)


_IN_ONE_LINE, _LONGEST = str.maketrans("\n\t", "  "), 500


_CONSENTS = {
    "marketing_email": ("Consent to e-mail", "メール配信の同意"),
    "marketing_phone": ("Consent to calls", "電話連絡の同意"),
    "marketing_post": ("Consent to letters", "郵送の同意"),
    "profiling": ("Consent to profiling", "プロファイリングの同意"),
    "data_sharing": ("Consent to data sharing", "第三者提供の同意"),
    "lead_form": ("Consent of a form", "フォームの同意"),
}


def _consent(purpose: str) -> list[Column]:
    heading, japanese = _CONSENTS[purpose]
    return [
        column(f"consents.{purpose}.granted", heading, japanese),
        column(f"consents.{purpose}.given_at", f"{heading}: when", f"{japanese}日"),
        column(f"consents.{purpose}.source", f"{heading}: source", f"{japanese}の根拠"),
    ]


customers = Importable(
    service="customers",
    name="customers",
    body=CustomerRowBody,
    kind=Customer,
    columns=[
        column("number", "Number", "顧客番号", "顧客コード"),
        column("name", "Name", "名称", "顧客名", "会社名"),
        column("reading", "Reading", "フリガナ", "読み"),
        column("kind", "Kind", "区分"),
        column("status", "Status", "状態"),
        column("segment", "Segment", "セグメント"),
        column("language", "Language", "言語"),
        column("currency", "Currency", "通貨"),
        column("payment_terms_days", "Payment terms", "支払条件日数"),
        column("price_list_id", "Price list id"),
        column("sales_rep_id", "Sales rep id", "担当者ID", scope=assign),
        column("credit_limit", "Credit limit", "与信限度額", scope=credit),
        column("credit_reason", "Credit reason", "与信限度額の理由", scope=credit),
        column("tax_ids.0.country", "Tax id country", "税番号の国"),
        column("tax_ids.0.number", "Tax id", "税番号", "登録番号"),
        column("addresses.0.use", "Address use", "住所の用途"),
        column("addresses.0.lines.0", "Street", "番地", "住所"),
        column("addresses.0.lines.1", "Street 2", "建物", "住所2"),
        column("addresses.0.city", "City", "市区町村"),
        column("addresses.0.postal_code", "Postal code", "郵便番号"),
        column("addresses.0.region", "Region", "都道府県"),
        column("addresses.0.country", "Country", "国"),
        column("emails.0.address", "E-mail", "Email", "メール", "メールアドレス"),
        column("phones.0.number", "Phone", "Telephone", "電話", "電話番号"),
        column("people.0.name", "Person", "先方担当者", "先方担当者名"),
        column("people.0.reading", "Person reading", "先方担当者フリガナ"),
        column("people.0.position", "Person position", "先方担当者役職"),
        column("people.0.emails.0.address", "Person e-mail", "Person email", "先方担当者メール"),
        column("people.0.phones.0.number", "Person phone", "Person telephone", "先方担当者電話"),
        *(each for purpose in get_args(Purpose) for each in _consent(purpose)),
        column("tax_ids"),
        column("addresses"),
        column("emails"),
        column("phones"),
        column("people"),
        column("custom_fields", "Custom fields", "独自項目"),
    ],
    create=_create_row,
    replace=_replace_row,
    state=_state,
    named={"people": "name"},
    days=days,
    ignored=("id", "version", "created_at", "updated_at", "merged_into_id"),
    flush_later=True,
)
many = replace(customers, body=CustomerBody, create=_create, replace=_replace, state=None, named={})
"""The same for many in one request, each as the single request has it: what has a command of its own is said by itself there."""
