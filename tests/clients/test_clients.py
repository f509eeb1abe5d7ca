"""Both generators make a whole client of the merged document without a warning, and what they made trades with the running fleet."""

import asyncio
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tailrace_testing.gateway import PASSWORD, Gateway

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".venv/clients"
HERE = Path(__file__).parent
LEAST = 20
"""Operations that are called with each client."""
_METHODS = ("get", "put", "post", "patch", "delete")

pytestmark = pytest.mark.skipif(
    not (TOOLS / "bin/openapi-python-client").is_file() and os.environ.get("CI") != "true",
    reason="`make clients` has not been run",
)


@pytest.fixture
async def document(gateway: Gateway, tmp_path: Path) -> dict[str, Any]:
    """The merged document, as the gateway serves it; also in `openapi.json`."""
    answer = await gateway.client.get("/openapi.json")
    (tmp_path / "openapi.json").write_text(answer.text)
    said: dict[str, Any] = answer.json()
    return said


async def test_a_python_client(gateway: Gateway, document: dict[str, Any], tmp_path: Path) -> None:
    said = await _run(
        tmp_path,
        *("openapi-python-client", "generate", "--path", "openapi.json", "--meta", "none"),
        *("--output-path", "tailrace_client", "--fail-on-warning", "--config", str(HERE / "openapi-python-client.yml")),
    )
    assert "arning" not in said, said
    made = [path for path in (tmp_path / "tailrace_client/api").rglob("*.py") if path.name != "__init__.py"]
    assert len(made) == len(_operations(document))
    called = set((await _use(gateway, tmp_path, "python", str(HERE / "use_python.py"))).split())
    assert len(called) >= LEAST


@pytest.mark.skipif(not (TOOLS / "node_modules/.bin/tsc").exists(), reason="npm could not install locks/clients")
async def test_a_typescript_client(gateway: Gateway, document: dict[str, Any], tmp_path: Path) -> None:
    said = await _run(tmp_path, "openapi-ts", "-i", "openapi.json", "-o", "made", "--no-log-file")
    assert not re.search("warn|error", said, re.IGNORECASE), said
    made = re.findall(r"^export const (\w+) = ", (tmp_path / "made/sdk.gen.ts").read_text(), re.MULTILINE)
    assert len(made) == len(_operations(document))
    shutil.copy(HERE / "use_typescript.ts", tmp_path)
    (tmp_path / "package.json").write_text(json.dumps({"type": "commonjs"}))
    strictly = ("--strict", "--noUncheckedIndexedAccess", "--target", "es2022", "--module", "commonjs")
    await _run(tmp_path, "tsc", *strictly, "--lib", "es2022,dom,dom.iterable", "--outDir", "built", "use_typescript.ts")
    called = set((await _use(gateway, tmp_path, "node", "built/use_typescript.js")).split())
    assert len(called) >= LEAST
    assert called <= set(made)


def _operations(document: Mapping[str, Any]) -> list[str]:
    return [item[method]["operationId"] for item in document["paths"].values() for method in _METHODS if method in item]


async def _use(gateway: Gateway, folder: Path, *command: str) -> str:
    """Run a program that trades for a new company; what it printed."""
    member = await gateway.new_tenant()
    told = {"URL": gateway.url, "TENANT": member.slug, "EMAIL": member.email, "PASSWORD": PASSWORD}
    return await _run(folder, *command, **told)


async def _run(folder: Path, *command: str, **environment: str) -> str:
    """What the command printed. Raises AssertionError when it failed."""
    path = os.pathsep.join([str(TOOLS / "bin"), str(TOOLS / "node_modules/.bin"), os.environ["PATH"]])
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(folder), **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, f"{' '.join(command)}:\n{said}"
    return said
