"""Sells with Tryton, in the peer's own interpreter: `python sell.py DATABASE MADE ORDERS`, with its address in `TRYTOND_DATABASE_URI`.

MADE is what `prepare.py` printed, ORDERS a JSON file of orders, each with a `customer` and `lines` of `good` and `quantity`; customers and goods are
positions. It says `ready` when Tryton is loaded. For each number of seconds on its input it sells so long, to the end of the last sale, and
answers with JSON.

A sale is three requests, the fewest in which one can be made: somebody enters, quotes and confirms it, and Tryton makes its shipment and its invoice;
somebody assigns, picks, packs and sends the shipment; somebody posts the invoice. Each is carried out as Tryton's own dispatcher carries it out,
without its HTTP, its sessions and its checks of access: when another transaction is in the way, as often again as its `database.retry` says. What it
refuses after that, as the row that invoice numbers come from while others have it, the seller asks for again.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

from trytond import backend, config
from trytond.pool import Pool
from trytond.transaction import Transaction, TransactionError
from trytond.worker import run_task

_ASKS_AGAIN, _ASKS_FOR = 0.05, 60.0
"""Seconds after which a seller asks again for what was refused, and for how long: in which some hundred others can have been through."""


class Seller:
    """`again` counts how often Tryton carried a request out once more, since another transaction was in the way, and `refused` how often it gave one
    up for that reason, which was then asked for again."""

    def __init__(self, database: str, made: dict[str, Any]) -> None:
        Pool.start()
        self._pool = Pool(database)
        with Transaction().start(database, 0, readonly=True):
            self._pool.init()
        self._made, self.again, self.refused = made, 0, 0
        with Transaction().start(database, 0, readonly=True):
            users = self._pool.get("res.user")
            (user,) = users.search([("login", "=", "admin")])
            self._user = user.id
        with Transaction().start(database, self._user, readonly=True):
            self._context = users.get_preferences(context_only=True)

    def sell(self, order: dict[str, Any]) -> None:
        sale = self._request(lambda: self._confirmed(order))
        self._request(lambda: self._shipped(sale))
        self._request(lambda: self._invoiced(sale))

    def _confirmed(self, order: dict[str, Any]) -> int:
        sales, lines = self._pool.get("sale.sale"), self._pool.get("sale.line")
        sale = sales(party=self._made["customers"][order["customer"]])
        for name in ("company", "currency", "warehouse"):
            setattr(sale, name, getattr(sales, f"default_{name}")())
        sale.on_change_party()
        sale.payment_term = self._made["payment_term"]
        entered = []
        for each in order["lines"]:
            line = lines(sale=sale, product=self._made["goods"][each["good"]], quantity=float(each["quantity"]))
            line.on_change_product()
            entered.append(line)
        sale.lines = entered
        sale.save()
        sales.quote([sale])
        sales.confirm([sale])
        return int(sale.id)

    def _shipped(self, id: int) -> None:
        shipments = self._pool.get("stock.shipment.out")
        (shipment,) = self._pool.get("sale.sale")(id).shipments
        shipments.assign_try([shipment])
        if (state := shipments(shipment.id).state) != "assigned":
            raise RuntimeError(f"the goods of sale {id} could not be assigned: its shipment is {state}")
        for step in (shipments.pick, shipments.pack, shipments.do):
            step([shipment])

    def _invoiced(self, id: int) -> None:
        (invoice,) = self._pool.get("sale.sale")(id).invoices
        self._pool.get("account.invoice").post([invoice])

    def _request(self, work: Callable[[], Any]) -> Any:
        # What is to be locked is kept from one to the next, which no client could do: that spares Tryton what it would do in vain.
        extras: dict[str, Any] = {}
        until = time.monotonic() + _ASKS_FOR
        while True:
            try:
                return self._carried_out(work, extras)
            except backend.DatabaseOperationalError:
                self.refused += 1
                if time.monotonic() > until:
                    raise
                time.sleep(_ASKS_AGAIN)

    def _carried_out(self, work: Callable[[], Any], extras: dict[str, Any]) -> Any:
        """Raises DatabaseOperationalError when others are still in the way after so many tries, whether work was begun or waits for its locks."""
        tries = 0
        while True:
            time.sleep(0.02 * tries)
            with Transaction().start(self._pool.database_name, self._user, context=self._context, **extras) as one:
                try:
                    answer = work()
                    one.commit()
                    break
                except TransactionError as error:
                    one.rollback()
                    one.tasks.clear()
                    error.fix(extras)
                except backend.DatabaseOperationalError:
                    if tries >= config.getint("database", "retry"):
                        raise
                    one.rollback()
                    one.tasks.clear()
                    tries += 1
                    self.again += 1
        while one.tasks:
            run_task(self._pool, one.tasks.pop())
        return answer


def sell(seller: Seller, orders: Iterator[dict[str, Any]], seconds: float) -> dict[str, Any]:
    began, again, refused, took = time.monotonic(), seller.again, seller.refused, list[float]()
    while time.monotonic() - began < seconds:
        entered = time.monotonic()
        seller.sell(next(orders))
        took.append(time.monotonic() - entered)
    seconds = time.monotonic() - began
    return {"seconds": seconds, "took": took, "again": seller.again - again, "refused": seller.refused - refused}


def main() -> None:
    database, made, orders = sys.argv[1:]
    seller = Seller(database, json.loads(Path(made).read_text()))
    endless = cycle(json.loads(Path(orders).read_text()))
    print("ready", flush=True)
    for line in sys.stdin:
        print(json.dumps(sell(seller, endless, float(line))), flush=True)


if __name__ == "__main__":
    main()
