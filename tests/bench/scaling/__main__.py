"""Says what so many companies need, and tries it: `python -m scaling --tenants 10000`. Nothing is started; it takes a minute of one core.

It ends with 1 when the simulation contradicts the arithmetic: more of a process used than was said, or effects later than the aim.
"""

import argparse
import random
import sys

from scaling.figures import LISTENERS, PARTITIONS, READ_GATEWAY_MS, READ_SERVICE_MS
from scaling.plan import Cell, Load, busy, consumers, orders_of_one_company, orders_that_fit, processes
from scaling.simulation import arrivals, cells, consume, sizes, wait

AIM = 5.0
"""Seconds of lag at the 99th percentile; the aim is for the 95th."""


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--tenants", type=int, default=10_000)
    asked.add_argument("--orders", type=float, default=40, help="of a company, a day")
    asked.add_argument("--people", type=float, default=5, help="of a company, who work in its busiest hour")
    asked.add_argument("--partitions", type=int, default=PARTITIONS)
    asked.add_argument("--skew", type=float, default=1.0, help="of companies' sizes: 0, all alike; 1, Zipf")
    asked.add_argument("--seconds", type=float, default=120)
    asked.add_argument("--seed", type=int, default=1)
    options = asked.parse_args()
    load = Load(options.tenants, options.orders, people=options.people)
    cell = Cell(load, options.partitions)
    print(
        f"{load.tenants} companies: {load.orders:.1f} orders, {load.events:.0f} events, {load.reads:.0f} reads a second"
    )
    _print_plan(cell)
    if cannot := cell.cannot():
        print(f"One cell of {cell.partitions} partitions is not enough for {', '.join(cannot)}.")
        return 1
    return 0 if _simulated(cell, options.skew, options.seconds, options.seed) else 1


def _print_plan(cell: Cell) -> None:
    for part, (least, most) in cell.cores().items():
        print(f"  {part:<48} {least:8.1f} to {most:.1f} cores")
    for name, figure in cell.figures():
        print(f"  {name:<48} {figure:8g}")
    narrowest = min(LISTENERS, key=lambda each: orders_that_fit(each, cell.partitions))
    fit = orders_that_fit(narrowest, cell.partitions)
    print(f"  {'orders a second that one cell can hear of':<48} {fit:8.1f} ({narrowest.name})")
    print(f"  {'orders a second of one company, at least':<48} {orders_of_one_company():8.1f}")


def _simulated(cell: Cell, skew: float, seconds: float, seed: int) -> bool:
    dice, shares, well = random.Random(seed), sizes(cell.load.tenants, skew), True
    events = arrivals(shares, cell.load.orders, seconds, dice, cell.partitions)
    print(f"\nSimulated: {seconds:g} s, skew {skew:g}, seed {seed}; the largest company has {100 * shares[0]:.1f} %")
    print(f"  {'':<16} consumers    said at most   used   busiest   p50 lag   p99 lag   events a transaction")
    for listener in LISTENERS:
        many = consumers(listener, cell.load)
        found = consume(listener, events, many, seconds, cell.partitions)
        said = busy(listener, cell.load)[1] / many
        well &= found.utilisation <= said * 1.05 and found.p99 <= AIM
        print(
            f"  {listener.name:<16} {many:9} {100 * said:12.0f} % {100 * found.utilisation:4.0f} % {100 * found.busiest:7.0f} %"
            f" {1000 * found.p50:6.0f} ms {1000 * found.p99:6.0f} ms {found.events_per_transaction:22.2f}"
        )
    for name, cost in (("gateways", READ_GATEWAY_MS), ("HTTP, reads", READ_SERVICE_MS)):
        many = processes(cost, cell.load.reads)
        found = wait(cost, cell.load.reads, many, min(seconds, 30), dice)
        well &= found.p99 <= 0.1
        used = f"{100 * found.utilisation:4.0f} % {100 * found.busiest:7.0f} %"
        print(f"  {name:<16} {many:9} {'':14} {used} {1000 * found.p50:6.0f} ms {1000 * found.p99:6.0f} ms")
    for count in (2, 4, 8):
        at_random, by_load = cells(shares, count, random.Random(seed)), cells(shares, count, None)
        print(
            f"  {count} cells: the busiest has {at_random:.2f} of an even share at random, {by_load:.2f} where load decides"
        )
    return well


if __name__ == "__main__":
    sys.exit(main())
