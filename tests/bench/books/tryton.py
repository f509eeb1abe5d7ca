"""Tryton with a folder and a PostgreSQL of its own: installed from the registry by name, made ready, and sold with by one process for each core.

The PostgreSQL is the embedded stack's: the same programs and settings, and it waits for the disk as ours does. Tryton keeps its own defaults:
invoices and shipments are made when a sale is processed, and processing follows at once, in the same process.
"""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import asyncpg
from measure.usage import Figures, difference, tree_cpu

from books.plan import CUSTOMERS, OPENING, TAX, Plan
from books.tally import AGAIN, PEER, REFUSED, Turn
from tailrace.stack.embedded import Stack

PACKAGES = (
    "trytond==8.2.1",
    "trytond-account==8.2.1",
    "trytond-account-invoice==8.2.0",
    "trytond-account-invoice-stock==8.2.0",
    "trytond-account-product==8.2.0",
    "trytond-company==8.2.0",
    "trytond-currency==8.2.0",
    "trytond-party==8.2.0",
    "trytond-product==8.2.0",
    "trytond-sale==8.2.0",
    "trytond-stock==8.2.1",
    "proteus==8.2.0",
    "psycopg[binary,pool]==3.3.9",
)
_HERE = Path(__file__).parent / "peer"
_SOLD = """
WITH line AS (
    SELECT sale,
        EXISTS (SELECT FROM stock_move WHERE origin = 'sale.line,' || sale_line.id AND state = 'done') AS left_stock,
        EXISTS (SELECT FROM account_invoice_line JOIN account_invoice ON account_invoice.id = account_invoice_line.invoice
            JOIN account_move ON account_move.id = account_invoice.move
            WHERE account_invoice_line.origin = 'sale.line,' || sale_line.id AND account_move.state = 'posted') AS booked
    FROM sale_line
)
SELECT count(*) FROM (SELECT sale FROM line GROUP BY sale HAVING bool_and(left_stock) AND bool_and(booked)) AS sold
"""


class Tryton:
    """`folder` is for the interpreter, which is used again when it is there, and `data` for everything else, which is not."""

    def __init__(self, folder: Path, data: Path, plan: Plan) -> None:
        self._python, self._data, self._plan = folder / "bin" / "python", data, plan
        self._folder = folder
        self._postgres = Stack(data / "data", only="postgres")
        self._sellers: list[subprocess.Popen[str]] = []

    def install(self) -> None:
        if not self._python.exists():
            _run([sys.executable, "-m", "venv", str(self._folder)])
        _run([str(self._python), "-m", "pip", "install", "--quiet", *PACKAGES])

    def prepare(self) -> None:
        """Its database, a company, and sellers that wait. Raises RuntimeError with what a command said that failed."""
        self._postgres.start()
        asyncio.run(_create(self._postgres.postgres_url))
        password = self._file("password", "of-a-measurement")
        environment = {**self._environment, "TRYTONPASSFILE": str(password)}
        modules = ["sale", "account_invoice_stock"]
        admin = ["-u", *modules, "--activate-dependencies", "--email", "admin@measured.example"]
        _run([str(self._python.with_name("trytond-admin")), "-d", "tryton", *admin], environment)
        goods = [{"code": good.code, "price": good.price} for good in self._plan.goods]
        asked = {"customers": CUSTOMERS, "goods": goods, "opening": OPENING, "tax": TAX}
        said = _run(
            [str(self._python), str(_HERE / "prepare.py"), str(self._file("plan.json", json.dumps(asked)))], environment
        )
        made = self._file("made.json", said.splitlines()[-1])
        for number in range(len(self._plan.orders)):
            orders = self._file(f"orders-{number}.json", json.dumps(self._plan.told(number)))
            command = [str(self._python), str(_HERE / "sell.py"), "tryton", str(made), str(orders)]
            with (self._data / f"seller-{number}.log").open("w") as log:
                seller = subprocess.Popen(
                    command,
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                )
            self._sellers.append(seller)
        for number in range(len(self._sellers)):
            self._hear(number)

    def turn(self, seconds: float) -> Turn:
        """All sell so long, each to the end of its last sale."""
        before = self._cpu()
        for seller in self._sellers:
            assert seller.stdin is not None
            seller.stdin.write(f"{seconds}\n")
            seller.stdin.flush()
        said = [json.loads(self._hear(number)) for number in range(len(self._sellers))]
        took = [each for one in said for each in one["took"]]
        # Each ends when its own last sale does: a rate is the sum of theirs.
        rate = sum(len(one["took"]) / one["seconds"] for one in said)
        more = {AGAIN: sum(one["again"] for one in said), REFUSED: sum(one["refused"] for one in said)}
        more["seconds a sale"] = took
        return Turn(PEER, len(took), len(took) / rate, difference(before, self._cpu()), len(took), (), more)

    async def sold(self) -> int:
        """How many sales there are whose goods have all left, and whose invoices are all posted: by its database, not by its sellers."""
        connection = await asyncpg.connect(self._address)
        try:
            return int(await connection.fetchval(_SOLD))
        finally:
            await connection.close()

    def close(self) -> None:
        for seller in self._sellers:
            assert seller.stdin is not None
            seller.stdin.close()
            seller.wait()
        self._postgres.discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _address(self) -> str:
        return self._postgres.postgres_url.rsplit("/", 1)[0] + "/tryton"

    @property
    def _environment(self) -> dict[str, str]:
        # It warns that a database's name in its address is not for the server's own commands.
        own = {"TRYTOND_DATABASE_URI": self._address, "PYTHONWARNINGS": "ignore"}
        return {**{name: value for name, value in os.environ.items() if name != "PYTHONPATH"}, **own}

    def _cpu(self) -> Figures:
        return {
            "Tryton": sum(tree_cpu(seller.pid) for seller in self._sellers),
            "PostgreSQL": tree_cpu(self._postgres.pids()["postgres"]),
        }

    def _file(self, name: str, text: str) -> Path:
        path = self._data / name
        path.write_text(text)
        return path

    def _hear(self, number: int) -> str:
        stdout = self._sellers[number].stdout
        assert stdout is not None
        if line := stdout.readline():
            return line
        raise RuntimeError(f"a seller ended:\n{(self._data / f'seller-{number}.log').read_text()[-4000:]}")


async def _create(postgres: str) -> None:
    connection = await asyncpg.connect(postgres)
    try:
        await connection.execute("CREATE DATABASE tryton")
    finally:
        await connection.close()


def _run(command: list[str], environment: dict[str, Any] | None = None) -> str:
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=600, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout
