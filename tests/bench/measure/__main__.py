"""`make bench SERVICES=8,40 SECONDS=60`: measure fleets of these sizes in turn, and end with 1 when a figure is beyond twice its target."""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from measure import locks, report
from measure.machine import machine
from measure.run import Plan, Results, Run
from tailrace.stack.plan import service_names


def main() -> None:
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else 170)
    folder = Path(tempfile.mkdtemp(prefix="tailrace-bench-"))
    folder.chmod(0o755)
    sizes = sorted(options.services)
    asked = {"services": ",".join(map(str, sizes)), "seconds": options.seconds, "seed": options.seed}
    document: Results = {"asked": asked, "machine": machine(), "fleets": {}, "complete": False}
    saved = options.report or folder
    console.print("What it costs that Kafka is locked", highlight=False)
    (folder / "locks").mkdir(mode=0o755)
    document["locks"] = asyncio.run(locks.measure(folder / "locks"))
    console.print(f"Fleets of {', '.join(map(str, sizes))} services, in {folder}; results as they come in {saved}")
    done = [_fleet(size, size == sizes[0], options, folder, document, console, saved) for size in sizes]
    whole = all(done)
    document["complete"] = whole
    report.save(saved, document)
    report.show(console, document)
    if whole and not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        console.print(f"Logs and data are kept in {folder}")
    if options.report is not None:
        console.print(f"Written: {saved}/bench.json and bench.md")
    sys.exit(1 if not whole or any(row["verdict"] == "failed" for row in report.judged(document)) else 0)


def _fleet(
    size: int,
    trade: bool,
    options: argparse.Namespace,
    folder: Path,
    document: Results,
    console: Console,
    saved: Path,
) -> bool:
    """Whether it came to its end with every step done."""
    began = time.monotonic()

    def say(text: str) -> None:
        console.print(f"{size:>3} services {time.monotonic() - began:6.0f} s  {text}", highlight=False)

    def keep(results: Results) -> None:
        document["fleets"][str(size)] = results
        report.save(saved, document)

    place = folder / f"{size}"
    place.mkdir()
    place.chmod(0o755)
    run = Run(Plan(size, options.seconds, options.idle, options.seed, trade), place, say, keep)
    try:
        results = asyncio.run(run.run())
    except (Exception, KeyboardInterrupt) as error:
        run.results["error"] = {"error": f"{type(error).__name__}: {error}"[:2000]}
        keep(run.results)
        say(f"given up: {run.results['error']['error']}")
        if isinstance(error, KeyboardInterrupt):
            raise SystemExit(130) from None
        return False
    return not report.errors(results)


def _sizes(text: str) -> set[int]:
    own = len(service_names())
    sizes = {int(size) for size in text.split(",")}
    if min(sizes) <= own:
        raise argparse.ArgumentTypeError(f"the project has {own} services of its own, and needs one more to measure")
    return sizes


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--services", type=_sizes, default="8,40", help="sizes of the fleets, with commas")
    parser.add_argument("--seconds", type=float, default=60, help="of commits at each rate and with each settings")
    parser.add_argument("--idle", type=float, default=30, help="seconds of looking at the idle fleet")
    parser.add_argument("--seed", type=int, default=1, help="decides when commits come, and what is ordered")
    parser.add_argument("--report", type=Path, help="a folder for bench.json and bench.md")
    parser.add_argument("--keep", action="store_true", help="keep the data and the logs also when all went well")
    return parser.parse_args()


if __name__ == "__main__":
    main()
