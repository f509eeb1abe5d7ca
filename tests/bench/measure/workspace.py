"""A scratch copy of the workspace with as many services as are wanted, made by the generator and never in the checkout.

The services are those of `tailrace new service`, installed together, so that forty of them take seconds.
"""

import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from sandbox import Sandbox

from tailrace.codegen.scaffold import Names, names_for, scaffold
from tailrace.runtime.fleet import load_services

_METADATA = "Metadata-Version: 2.1\nName: tailrace-generated\nVersion: 0.1.0\n"


def generated_names(number: int) -> list[Names]:
    """ware01s, ware02s, …"""
    return [names_for(f"ware{each:02}s", f"ware{each:02}") for each in range(1, number + 1)]


class Workspace:
    """`sandbox.root` is the copy, `services` are all that are installed in it, `generated` the ones that were made, with these options."""

    def __init__(self, folder: Path, generated: int, options: Collection[str] = ()) -> None:
        own = load_services()
        self.sandbox = Sandbox(folder)
        self.generated = generated_names(generated)
        for names in self.generated:
            self._write(scaffold(names, own, self.sandbox.root, options))
        self.services = sorted([*(each.name for each in own), *(names.service for names in self.generated)])
        self._install()
        # Their first migrations, and what follows from all manifests; without any, that alone.
        made = ["tailrace.cli.new", *(names.service for names in self.generated)]
        self.sandbox.python("-m", *(made if self.generated else ["tailrace.cli", "describe"]))

    def _write(self, made: dict[Path, str]) -> None:
        for path, text in made.items():
            target = self.sandbox.root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)

    def _install(self) -> None:
        """As an editable installation would: where the packages lie, and which services they offer."""
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        site = self.sandbox.root.parent / "venv" / "lib" / version / "site-packages"
        # Before `inherited.pth`, so that all of the copy, its gateway's route table too, stands before the checkout's.
        sources = sorted(
            str(path) for pattern in ("libs/*/src", "services/*/src") for path in self.sandbox.root.glob(pattern)
        )
        (site / "generated.pth").write_text("".join(f"{source}\n" for source in sources))
        distribution = site / "tailrace_generated-0.1.0.dist-info"
        distribution.mkdir()
        (distribution / "METADATA").write_text(_METADATA)
        (distribution / "entry_points.txt").write_text(_entry_points(self.generated))


def _entry_points(generated: Sequence[Names]) -> str:
    lines = [f"{names.service} = {names.service}.service:service" for names in generated]
    return "\n".join(["[tailrace.services]", *lines, ""])
