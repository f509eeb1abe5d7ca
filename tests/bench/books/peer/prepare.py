"""Makes a company of Tryton ready to sell. Runs in the peer's own interpreter: `python prepare.py PLAN`, with an address in `TRYTOND_DATABASE_URI`.

PLAN is a JSON file with `customers`, a number, `goods`, each with a `code` and a `price` in euros, `opening`, the units of each that there are, and
`tax`, its rate. Everything is entered through Tryton's own client library, as its documentation does: the company, its minimal chart, a fiscal year,
a tax, and stock. Prints what a seller needs to know, as JSON.
"""

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from proteus import Model, config
from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, create_tax, get_accounts
from trytond.modules.account_invoice.tests.tools import create_payment_term, set_fiscalyear_invoice_sequences
from trytond.modules.company.tests.tools import create_company


def prepare(plan: dict[str, Any]) -> dict[str, Any]:
    create_company(currency="EUR")
    create_chart()
    year = set_fiscalyear_invoice_sequences(create_fiscalyear())
    year.click("create_period")
    tax = create_tax(Decimal(plan["tax"]))
    tax.save()
    term = create_payment_term()
    term.save()
    goods = _goods(plan["goods"], tax)
    _stock(goods, plan["opening"])
    return {"customers": _customers(plan["customers"]), "goods": [each.id for each in goods], "payment_term": term.id}


def _goods(planned: list[dict[str, str]], tax: Any) -> list[Any]:
    accounts = get_accounts()
    category = Model.get("product.category")(name="Goods", accounting=True)
    category.account_expense, category.account_revenue = accounts["expense"], accounts["revenue"]
    category.customer_taxes.append(tax)
    category.save()
    (unit,) = Model.get("product.uom").find([("name", "=", "Unit")])
    made = []
    for good in planned:
        template = Model.get("product.template")(name=good["code"], default_uom=unit, type="goods", salable=True)
        template.list_price, template.account_category = Decimal(good["price"]), category
        template.save()
        made.append(template.products[0])
    return made


def _stock(goods: list[Any], opening: int) -> None:
    (storage,) = Model.get("stock.location").find([("code", "=", "STO")])
    inventory = Model.get("stock.inventory")(location=storage)
    for good in goods:
        line = inventory.lines.new(product=good)
        line.quantity, line.expected_quantity = float(opening), 0.0
    inventory.click("confirm")


def _customers(count: int) -> list[int]:
    made = []
    for number in range(count):
        customer = Model.get("party.party")(name=f"Customer {number}")
        customer.save()
        made.append(customer.id)
    return made


if __name__ == "__main__":
    config.set_trytond()
    print(json.dumps(prepare(json.loads(Path(sys.argv[1]).read_text()))))
