"""The TypeScript client, built as `make clients` builds it: its behaviours in Node.js, its types, and its example with the running fleet."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tailrace_testing.gateway import PASSWORD, Gateway

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".venv/clients"
HERE = Path(__file__).parent / "typescript"
ENVIRONMENT = {
    **os.environ,
    "PATH": os.pathsep.join([str(TOOLS / "bin"), str(TOOLS / "node_modules/.bin"), os.environ["PATH"]]),
}
STRICTLY = {
    "strict": True,
    "exactOptionalPropertyTypes": True,
    "noUncheckedIndexedAccess": True,
    "target": "es2022",
    "module": "nodenext",
    "lib": ["es2022", "dom", "dom.iterable"],
    "types": [],
}

pytestmark = pytest.mark.skipif(
    not (TOOLS / "node_modules/.bin/tsc").exists(), reason="`make clients` has not been run, or npm could not install"
)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program's folder, with the package installed and the tests and the example beside it, compiled."""
    folder = tmp_path_factory.mktemp("program")
    _run(folder, sys.executable, str(ROOT / "clients/typescript/build.py"), str(folder / "dist"))
    [made] = (folder / "dist").glob("tailrace-client-*.tgz")
    with tarfile.open(made) as package:
        package.extractall(folder / "unpacked", filter="data")
    (folder / "node_modules").mkdir()
    (folder / "unpacked/package").rename(folder / "node_modules/tailrace-client")
    for each in (*HERE.iterdir(), ROOT / "clients/typescript/examples/sell.ts"):
        shutil.copy(each, folder)
    (folder / "package.json").write_text(json.dumps({"type": "module"}))
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": STRICTLY, "include": ["*.ts"]}))
    _run(folder, "tsc", "-p", ".")
    return folder


def test_what_it_does_by_itself(room: Path) -> None:
    said = _run(room, "node", "--test", "--test-reporter=tap", "client.test.mjs")
    assert "# tests 22" in said and "# pass 22" in said, said


def test_it_needs_nothing_else(room: Path) -> None:
    package = json.loads((room / "node_modules/tailrace-client/package.json").read_text())
    assert "dependencies" not in package
    imported = [line for file in (room / "node_modules/tailrace-client").glob("*.js") for line in _imports(file)]
    assert imported and all("from './" in line for line in imported), imported


async def test_the_example(gateway: Gateway, room: Path) -> None:
    member = await gateway.new_tenant()
    told = {"URL": gateway.url, "TENANT": member.slug, "EMAIL": member.email, "PASSWORD": PASSWORD}
    process = await asyncio.create_subprocess_exec(
        *("node", "sell.js"),
        cwd=room,
        env={**ENVIRONMENT, **told},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    refused, sold = said.splitlines()
    assert refused.startswith("409 ")
    number, *listed = sold.split()
    assert number in listed


def _imports(file: Path) -> list[str]:
    return [line for line in file.read_text().splitlines() if line.startswith("import ") or " from '" in line[:200]]


def _run(folder: Path, *command: str) -> str:
    """What the command printed. Raises AssertionError when it failed."""
    done = subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}"
    return done.stdout
