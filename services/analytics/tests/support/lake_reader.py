"""What a reader of the lake finds that knows its folder alone."""

import json
import subprocess
import sys
from typing import Any

from selling_desk import Desk

from analytics.lake import exporter

OUTSIDE = """
import json, sys
import duckdb
from deltalake import DeltaTable
table = DeltaTable(sys.argv[1])
rows = duckdb.execute('SELECT "measure", "currency", sum("count"), sum("amount"), sum("seconds"), count(*) '
    "FROM read_parquet($files) GROUP BY ALL ORDER BY ALL", {"files": table.file_uris()}).fetchall()
assert not any(name.split(".")[0] in {"analytics", "tailrace", "contracts"} for name in sys.modules)
print(json.dumps(rows))
"""


async def export(desk: Desk) -> None:
    await exporter.export_all(desk.h.database, desk.h.app.state.lake)


def outside(desk: Desk, program: str = OUTSIDE, *, folder: str | None = None) -> list[list[Any]]:
    """What a program finds that knows the folder alone: of the movements, unless another is said."""
    address = folder or desk.h.app.state.lake.address(desk.h.tenant)
    ran = subprocess.run([sys.executable, "-c", program, address], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    found: list[list[Any]] = json.loads(ran.stdout)
    return found
