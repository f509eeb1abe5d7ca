"""A copy of the checkout in which services can be made: with an interpreter of its own, that has what this one has and installs only there."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".tailrace", ".pytest_cache", ".ruff_cache", ".import_linter_cache", ".hypothesis", "*.egg-info"
)
"""What is compiled, and what mypy knows of each file, comes along: it holds for a copy as long as the file is the same."""


class Sandbox:
    """`root` is the copy. Commands run in it as a developer would give them; one that fails raises AssertionError with what it said."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        shutil.copytree(ROOT, self.root, ignore=_LEFT_OUT)
        venv.create(folder / "venv", with_pip=False, symlinks=True)
        self._bin = folder / "venv" / "bin"
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        inherit = folder / "venv" / "lib" / version / "site-packages" / "inherited.pth"
        # The copy's own contracts come first: those of new services are there and not in this checkout.
        inherit.write_text(
            f"{self.root / 'contracts/src'}\nimport site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
        )

    def python(self, *arguments: str, **settings: str) -> str:
        done = self.attempt(*arguments, **settings)
        assert done.returncode == 0, f"{' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def typed(self, command: list[str], **settings: str) -> str:
        """A command as a page gives it: `.venv/bin/…` is the copy's own, `*` is put in as a shell would."""
        words = [*command[:1], *(each for word in command[1:] for each in self._there(word))]
        program = words[0].removeprefix(".venv/bin/")
        if program == "tailrace":
            return self.python("-m", "tailrace.cli", *words[1:], **settings)
        if program != "rm":
            return self.python(*([] if program == "python" else ["-m", program]), *words[1:], **settings)
        return subprocess.run(words, cwd=self.root, capture_output=True, text=True, check=True).stdout

    def _there(self, word: str) -> list[str]:
        return [str(path.relative_to(self.root)) for path in self.root.glob(word)] if "*" in word else [word]

    def attempt(self, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """The same, whatever the exit code."""
        command = [str(self._bin / "python"), *arguments]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | settings
        return subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, timeout=3600, check=False
        )
