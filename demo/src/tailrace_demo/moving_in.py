"""A company that comes from elsewhere: items, stock and orders by `tailrace import`, from files as its former system would export them."""

import asyncio
import csv
import io
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tailrace_demo.client import User
from tailrace_demo.companies import PASSWORD, Firm
from tailrace_demo.purchases import Purchase

Rows = Sequence[Mapping[str, object]]


async def bring_goods(admin: User, firm: Firm, folder: Path) -> dict[str, str]:
    """Items and what there is of them in each warehouse. Returns the items' ids by SKU."""
    items = await bring(
        admin,
        "items",
        [{"SKU": good.sku, "Name": good.name, "Unit": good.unit, "Tax rate": good.tax} for good in firm.goods],
        folder,
    )
    _note(admin, "items", items, None)
    stock = [
        {
            "SKU": good.sku,
            "Warehouse": warehouse,
            "Quantity": good.opening,
            "Value": good.opening * good.cost,
            "Currency": firm.currency,
            "Reference": "opening balance",
        }
        for good in firm.goods
        for warehouse, _ in firm.warehouses
    ]
    _note(admin, "stock", await bring(admin, "stock", stock, folder), None)
    return {item["sku"]: item["id"] for item in await admin.every("/v1/items")}


async def bring_orders(admin: User, firm: Firm, bought: Sequence[Purchase], folder: Path) -> dict[int, Any]:
    """Each purchase as an order of one line that carries its amount. Returns the orders by the purchases' rows."""
    (good,), ((warehouse, _),) = firm.goods, firm.warehouses
    rows = [
        {
            "Customer reference": reference(each.row),
            "Customer": f"Customer {each.customer:05d}",
            "Currency": firm.currency,
            "Ordered at": f"{each.day.isoformat()}T12:00:00Z",
            "Confirm": "yes",
            "SKU": good.sku,
            "Warehouse": warehouse,
            "Quantity": each.quantity,
            "Net": each.cents,
        }
        for each in bought
    ]
    text = await bring(admin, "orders", rows, folder)
    there = {order["customer_reference"]: order for order in await admin.every("/v1/orders")}
    made = {each.row: there[reference(each.row)] for each in bought}
    _note(admin, "orders", text, {order["customer_reference"]: order["id"] for order in made.values()})
    return made


def reference(row: int) -> str:
    """What the shop calls a purchase."""
    return f"CDNOW-{row:05d}"


async def bring(admin: User, what: str, rows: Rows, folder: Path) -> str:
    """Import rows; what is there already stays as it is. Returns the file's text. Raises RuntimeError when any row is refused."""
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    file = folder / f"{admin.tenant}-{what}.csv"
    await asyncio.to_thread(file.write_text, text.getvalue())
    command = [sys.executable, "-m", "tailrace.cli", "import", what, str(file), "--gateway", admin.session.gateway]
    who = ["--tenant", admin.tenant, "--email", admin.email]
    process = await asyncio.create_subprocess_exec(
        *command,
        *who,
        env={**os.environ, "TAILRACE_PASSWORD": PASSWORD},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"tailrace import {what}: {said.decode()}")
    return text.getvalue()


def _note(admin: User, what: str, text: str, found: Any) -> None:
    """Keep in the log what was sent, and what was found there afterwards."""
    entry = {"method": "IMPORT", "path": f"/tailrace/import/{what}", "body": text, "answer": found}
    admin.session.log.add(tenant=admin.tenant, user=admin.email, key=f"import/{what}", **entry)
