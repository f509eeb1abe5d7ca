"""Builds the package into the folder that is named: `python build.py ../../dist/clients`. Needs `openapi-ts`, `tsc` and `npm` on the path.

Of the services' OpenAPI documents it makes the table of operations, as the Python client has it, and the types of what goes in and comes out.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
CONTRACTS = HERE / "../../contracts"
PROMISES = CONTRACTS / "src/contracts/openapi"
sys.path.insert(0, str(HERE / "../python"))
from hatch_build import table  # noqa: E402

_METHODS = ("get", "put", "post", "patch", "delete")
_JSON = "application/json"


def build(folder: Path) -> None:
    """Writes `tailrace-client-<version>.tgz`. Raises CalledProcessError when a tool refuses."""
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        shutil.copytree(HERE / "src", room / "src")
        for each in ("package.json", "tsconfig.json"):
            shutil.copy(HERE / each, room)
        (room / "document.json").write_text(json.dumps(document()))
        _run(room, "openapi-ts", "-i", "document.json", "-o", "made", "-p", "@hey-api/typescript", "--no-log-file")
        shutil.copy(room / "made/types.gen.ts", room / "src/types.ts")
        (room / "src/operations.ts").write_text(operations())
        _run(room, "tsc", "-p", ".")
        package = json.loads((HERE / "package.json").read_text())
        package["version"] = tomllib.loads((CONTRACTS / "pyproject.toml").read_text())["project"]["version"]
        (room / "package/package.json").write_text(json.dumps(package, indent=2))
        folder.mkdir(parents=True, exist_ok=True)
        _run(room / "package", "npm", "pack", "--offline", "--silent", "--pack-destination", str(folder.resolve()))


def document() -> dict[str, Any]:
    """The services' documents in one, with what types are made of: parameters, bodies and answers in JSON."""
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {}
    for each in _promises():
        schemas |= each["components"]["schemas"]
        for path, method, said in _operations(each):
            paths.setdefault(path, {})[method] = {
                "operationId": said["operationId"],
                "parameters": said["parameters"],
                **(
                    {"requestBody": said["requestBody"]}
                    if _JSON in said.get("requestBody", {}).get("content", ())
                    else {}
                ),
                "responses": _answers(said) or {"204": {"description": "Nothing, or not JSON"}},
            }
    info = {"title": "Tailrace", "version": "1"}
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": {"schemas": schemas}}


def operations() -> str:
    """A module with the table, and of each operation the types of what it takes and answers."""
    types, rows = [], []
    answers = {said["operationId"]: said for each in _promises() for _, _, said in _operations(each)}
    for name, row in table(PROMISES).items():
        made = "".join(part[0].upper() + part[1:] for part in re.split(r"[._]", name))
        answer = f"t.{made}Response" if _answers(answers[name]) else _other_answer(answers[name])
        types.append(f"  '{name}': [t.{made}Data, {answer}];")
        rows.append(f"  '{name}': {json.dumps(row)},")
    return "\n".join(
        [
            "import type * as t from './types.js';",
            "import type { Operation } from './contract.js';",
            "/** Of each operation what it takes and what it answers. */",
            *("export interface Operations {", *types, "}"),
            "/** By operation id, such as `orders.confirm`; built into the package from the contracts. */",
            *("export const operations: Readonly<Record<keyof Operations, Operation>> = {", *rows, "};", ""),
        ]
    )


def _promises() -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in sorted(PROMISES.glob("*.json"))]


def _operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation, with its parameters in full: services give one name to several."""
    named = document["components"].get("parameters", {})
    found = []
    for path, item in document["paths"].items():
        for method in _METHODS:
            if (said := item.get(method)) and path.startswith("/v1/"):
                given = [*item.get("parameters", ()), *said.get("parameters", ())]
                full = [named[each["$ref"].rsplit("/", 1)[1]] if "$ref" in each else each for each in given]
                found.append((path, method, {**said, "parameters": [each for each in full if each["in"] != "header"]}))
    return found


def _answers(said: dict[str, Any]) -> dict[str, Any]:
    """Its good answers that are JSON."""
    return {
        status: {"description": each.get("description", ""), "content": {_JSON: each["content"][_JSON]}}
        for status, each in said["responses"].items()
        if status.startswith("2") and _JSON in each.get("content", ())
    }


def _other_answer(said: dict[str, Any]) -> str:
    good = [each for status, each in said["responses"].items() if status.startswith("2")]
    return "Uint8Array" if any("content" in each for each in good) else "undefined"


def _run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout, done.stderr, file=sys.stderr)
        done.check_returncode()


if __name__ == "__main__":
    build(Path(sys.argv[1]))
