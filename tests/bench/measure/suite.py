"""What a further service costs the suite: CPU seconds of its own tests and of its share of conformance, with PostgreSQL.

    PYTHONPATH=tests/bench:tests/support .venv/bin/python -m measure.suite --services 10

makes one service and ten more by the generator in a scratch copy, runs the tests of the first and then those of all, and divides the
difference by ten.
What a run costs whatever it holds is in both, and so in neither. Ends with 1 when a service costs more than `MOST`, or a test fails.
"""

import argparse
import ctypes
import os
import resource
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox import Sandbox

from measure.workspace import generated_names

MOST = 25.0
"""CPU seconds for each further service."""
_PARTS: Mapping[str, Sequence[str]] = {"own tests": [], "own tests and conformance": ["tests/conformance"]}
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a run of tests: CPU seconds of every process it began, those on the wall, and what pytest said last."""

    cpu: float
    wall: float
    said: str


def main() -> None:
    options = _options()
    _adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="tailrace-suite-") as folder:
        Path(folder).chmod(0o755)
        sandbox = Sandbox(Path(folder))
        names = [each.service for each in generated_names(options.services + 1)]
        wanted = [f"Wanted({name!r}, {name.removesuffix('s')!r}, {options.having!r})" for name in names]
        sandbox.python("-c", f"from tailrace.cli.new import *; new_services([{', '.join(wanted)}])")
        each = 0.0
        for part, where in _PARTS.items():
            one, all_of_them = _cost(sandbox, names[:1], where), _cost(sandbox, names, where)
            each = (all_of_them.cpu - one.cpu) / options.services
            wall = f"on the wall {one.wall:.0f} and {all_of_them.wall:.0f} s"
            print(f"{part}: {one.cpu:.1f} s of CPU with one service, {all_of_them.cpu:.1f} s with {len(names)}")
            print(f"  {each:.1f} s for each further one; {wall}; {all_of_them.said}")
    sys.exit(each > MOST)


def _cost(sandbox: Sandbox, names: Sequence[str], where: Sequence[str]) -> Cost:
    """In one process, so that nothing is started twice. Raises AssertionError when a test fails."""
    began, before = time.monotonic(), _children()
    paths = [f"services/{name}/tests" for name in names]
    chosen = ["-k", " or ".join(names)]
    said = sandbox.python("-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *paths, *where, *chosen)
    _reap_orphans()
    return Cost(_children() - before, time.monotonic() - began, said.strip().splitlines()[-1].strip("= "))


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _adopt_orphans() -> None:
    """What a child leaves behind when it ends becomes a child of ours, whose CPU time counts (prctl(2))."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _reap_orphans() -> None:
    try:
        while os.waitpid(-1, 0):
            pass
    except ChildProcessError:
        return


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=int, default=2, help="how many besides the first")
    parser.add_argument("--with", dest="having", default=None, help="what they have: part,reaction,timer,copy")
    return parser.parse_args()


if __name__ == "__main__":
    main()
