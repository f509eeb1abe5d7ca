"""The supervisor as a process of its own: `python -m tailrace.stack.daemon [--only postgres|stack|fleet]`.

`tailrace up` starts it detached and reads what it does from the state file. SIGTERM and SIGINT stop everything in order.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
from typing import get_args

from tailrace.core.operator_error import OperatorError
from tailrace.stack.backup.daily import keep_backups
from tailrace.stack.backup.moments import keep_moments
from tailrace.stack.layout import Layout
from tailrace.stack.plan import External, Only, Plan, counted_ports
from tailrace.stack.supervisor import Supervisor


async def supervise(only: Only) -> None:
    """Start, wait for a signal, stop. Raises `OperatorError` when the start fails."""
    layout = Layout.from_environment()
    plan = Plan(layout, counted_ports(layout), only, External.from_environment())
    supervisor = Supervisor(plan)
    asked_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked_to_stop.set)
    start = asyncio.create_task(supervisor.start())
    stop = asyncio.create_task(asked_to_stop.wait())
    await asyncio.wait({start, stop}, return_when=asyncio.FIRST_COMPLETED)
    if not start.done():
        start.cancel()
    await start  # raises what went wrong
    backups = [
        asyncio.create_task(keep(plan, supervisor.credentials))
        for keep in (keep_moments, keep_backups)
        if "postgres" in plan.own
    ]
    await stop
    for each in backups:
        each.cancel()
    await asyncio.gather(*backups, return_exceptions=True)
    await supervisor.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=get_args(Only), default="fleet")
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO, stream=sys.stderr)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it reports every broker that is not up yet
    os.umask(0o022)  # PostgreSQL's programs must stay readable for its user; the folders are closed one by one
    try:
        asyncio.run(supervise(parser.parse_args().only))
    except OperatorError as error:
        logging.error("%s\n%s", error.what, error.remedy)
        sys.exit(1)


if __name__ == "__main__":
    main()
