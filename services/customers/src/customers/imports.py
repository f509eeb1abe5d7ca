"""Customers from files, through the commands that HTTP uses."""

from dataclasses import replace

from customers import commands
from customers.bodies import CustomerBody, CustomerRowBody
from customers.models import Customer
from customers.scopes import assign
from tailrace.db.database import Tx
from tailrace.db.master_data import values_of
from tailrace.transfer.columns import column
from tailrace.transfer.importable import Importable


async def _create(tx: Tx, body: CustomerBody) -> Customer:
    return await commands.create(tx, body.values())


async def _replace(tx: Tx, row: Customer, body: CustomerBody) -> Customer:
    return await commands.replace(tx, row.id, None, body.values())


async def _create_row(tx: Tx, body: CustomerRowBody) -> Customer:
    return await commands.create(tx, body.values(), body.sales_rep_id)


async def _replace_row(tx: Tx, row: Customer, body: CustomerRowBody) -> Customer:
    """Who looks after it, and all else: each by its own command, where it differs."""
    said = row.over(values_of(Customer, body))
    differing = {name for name, value in said.items() if getattr(row, name) != value}
    if differing - {"sales_rep_id"}:
        row = await commands.replace(tx, row.id, None, body.values())
    if "sales_rep_id" in differing:
        row = await commands.assign(tx, row.id, None, body.sales_rep_id, None)
    return row


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
        column("tax_ids"),
        column("addresses"),
        column("emails"),
        column("phones"),
        column("custom_fields", "Custom fields", "独自項目"),
    ],
    create=_create_row,
    replace=_replace_row,
    ignored=("id", "version", "created_at", "updated_at", "merged_into_id"),
    flush_later=True,
)
many = replace(customers, body=CustomerBody, create=_create, replace=_replace)
"""The same for many in one request, each as the single request has it: who looks after one is said by itself there."""
