"""Two branches that each add a service merge without a conflict: what a service promises lies in files of its own, and the rest is built."""

import shutil
import subprocess
from pathlib import Path

from sandbox import Sandbox


def _git(sandbox: Sandbox, *arguments: str) -> str:
    command = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false", *arguments]
    done = subprocess.run(command, cwd=sandbox.root, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _add_service(sandbox: Sandbox, name: str) -> set[str]:
    """On a branch of that name; the files that were there already and changed."""
    _git(sandbox, "switch", "-q", "-c", name)
    sandbox.python("-m", "tailrace.cli", "new", "service", name)
    _git(sandbox, "add", "--all")
    changed = set(_git(sandbox, "diff", "--cached", "--name-only", "--diff-filter=MDR").split())
    _git(sandbox, "commit", "-q", "-m", name)
    return changed


def test_two_branches_that_each_add_a_service_merge(tmp_path: Path) -> None:
    one, other = Sandbox(tmp_path / "one"), Sandbox(tmp_path / "other")
    _git(one, "init", "-q", "-b", "trunk")
    _git(one, "add", "--all")
    _git(one, "commit", "-q", "-m", "as it is")
    shutil.copytree(one.root / ".git", other.root / ".git")
    assert _add_service(one, "widgets") == _add_service(other, "gadgets") == set()
    _git(one, "fetch", "-q", str(other.root), "gadgets")
    _git(one, "merge", "-q", "--no-edit", "FETCH_HEAD")
    one.python("-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "-e", "services/gadgets")
    one.python("-m", "tailrace.cli", "describe", "--check")
    assert _git(one, "status", "--porcelain") == ""
