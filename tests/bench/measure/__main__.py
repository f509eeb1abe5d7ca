"""`make bench SERVICES=18,40 SECONDS=60`: measure reports and fleets of these sizes in turn, and end with 1 when a figure is beyond twice its target.

`ONLY=reports,wide` measures these alone, and with `REPORT=1` puts them into the report that there is.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from measure import locks, parts, report
from measure.arithmetic import FULL
from measure.machine import machine
from measure.run import Plan, Results, Run
from tailrace.stack.plan import service_names

_FLEETS, _LOCKS = "fleets", "locks"
_STEPS = ("attacks", "news", "views")
"""Of a running fleet, without the rest that is measured of one."""
_BY_THEMSELVES = (_LOCKS, *FULL)


def main() -> None:
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else 170)
    folder = Path(tempfile.mkdtemp(prefix="tailrace-bench-"))
    folder.chmod(0o755)
    saved = options.report or folder
    document = _begun(options, saved)
    done = [_part(name, options, folder, document, console, saved) for name in _BY_THEMSELVES if name in options.only]
    if options.sizes:
        console.print(f"Fleets of {', '.join(map(str, options.sizes))} services, in {folder}; results in {saved}")
    smallest = min(options.sizes, default=0)
    done += [_fleet(size, size == smallest, options, folder, document, console, saved) for size in options.sizes]
    whole = all(done)
    if _FLEETS in options.only:
        document["complete"] = whole
    report.save(saved, document)
    report.show(console, document)
    if whole and not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        console.print(f"Logs and data are kept in {folder}")
    if options.report is not None:
        console.print(f"Written: {saved}/bench.json and bench.md")
    now = {
        "fleets": {name: each for name, each in document["fleets"].items() if int(name) in options.sizes},
        "parts": {name: each for name, each in document["parts"].items() if name in options.only},
    }
    sys.exit(1 if not whole or any(row["verdict"] == "failed" for row in report.judged(now)) else 0)


def _begun(options: argparse.Namespace, saved: Path) -> Results:
    """The document that the results go into: a new one for whole fleets, else the one that there is, whose other figures stay."""
    kept = saved / "bench.json"
    if _FLEETS not in options.only and kept.exists():
        document: Results = json.loads(kept.read_text())
        return {**document, "parts": document.get("parts", {})}
    asked = {"services": ",".join(map(str, options.sizes)), "seconds": options.seconds, "seed": options.seed}
    begun: Results = {"machine": machine(), "fleets": {}, "parts": {}, "complete": _FLEETS not in options.only}
    return {"asked": asked, **begun} if _FLEETS in options.only else begun


def _part(
    name: str, options: argparse.Namespace, folder: Path, document: Results, console: Console, saved: Path
) -> bool:
    """Whether one that needs no fleet came to its end."""
    console.print(f"{name} …", highlight=False)
    place = folder / name
    place.mkdir(mode=0o755)
    if name == _LOCKS:
        document[_LOCKS] = asyncio.run(locks.measure(place))
        report.save(saved, document)
        return True
    size = max(round(FULL[name] * options.share), 1000)
    found = parts.measure(name, size, place, lambda line: console.print(f"  {line}", highlight=False, markup=False))
    document["parts"][name] = found
    report.save(saved, document)
    return "error" not in found


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

    steps: frozenset[str] = frozenset() if _FLEETS in options.only else frozenset(_STEPS) & options.only
    before = document["fleets"].get(str(size), {})

    def keep(results: Results) -> None:
        some = {name: results[name] for name in (*steps, "error") if name in results}
        document["fleets"][str(size)] = {**before, **some} if steps else results
        report.save(saved, document)

    place = folder / f"{size}"
    place.mkdir()
    place.chmod(0o755)
    rounds = max(round(200 * options.share), 10)
    run = Run(Plan(size, options.seconds, options.idle, options.seed, trade, steps, rounds), place, say, keep)
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


def _names(text: str) -> frozenset[str]:
    names = frozenset(text.split(","))
    if unknown := sorted(names - {*_BY_THEMSELVES, *_STEPS, _FLEETS}):
        known = ", ".join((*_BY_THEMSELVES, *_STEPS, _FLEETS))
        raise argparse.ArgumentTypeError(f"there is no {unknown[0]}, but {known}")
    return names


def _sizes(text: str) -> set[int]:
    own = len(service_names())
    sizes = {int(size) for size in text.split(",")}
    if min(sizes) <= own:
        raise argparse.ArgumentTypeError(f"the project has {own} services of its own, and needs one more to measure")
    return sizes


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    everything = ",".join((*_BY_THEMSELVES, _FLEETS))
    parser.add_argument("--only", type=_names, default=everything, help="which measurements, with commas")
    parser.add_argument("--share", type=float, default=1.0, help="of the rows, events and rounds of a full measurement")
    parser.add_argument(
        "--services", type=_sizes, help="sizes of the fleets, with commas; the smallest there is, and 40"
    )
    parser.add_argument("--seconds", type=float, default=60, help="of commits at each rate and with each settings")
    parser.add_argument("--idle", type=float, default=30, help="seconds of looking at the idle fleet")
    parser.add_argument("--seed", type=int, default=1, help="decides when commits come, and what is ordered")
    parser.add_argument("--report", type=Path, help="a folder for bench.json and bench.md")
    parser.add_argument("--keep", action="store_true", help="keep the data and the logs also when all went well")
    options = parser.parse_args()
    small = len(service_names()) + 1
    # News and views alone are of the smallest fleet, unless others are named.
    sizes = options.services or ({small, 40} if _FLEETS in options.only else {small})
    options.sizes = sorted(sizes) if options.only & {_FLEETS, *_STEPS} else []
    return options


if __name__ == "__main__":
    main()
