"""Puts the table of operations into the wheel, made from what every service promises."""

import json
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

RESERVED = frozenset(
    "operation body if_match idempotency_key ifMatch ifNoneMatch idempotencyKey headers signal".split()
)
"""What `call` takes besides an operation's parameters, here and in TypeScript."""
_METHODS = ("get", "put", "post", "patch", "delete")


def table(promises: Path) -> dict[str, dict[str, Any]]:
    """Of each operation id: `method`, `path`, the names of its `query` parameters, and a `summary` of a few words.

    `promises` is the folder of the services' OpenAPI documents. Raises ValueError for a parameter that `call` means something else by.
    """
    operations = {}
    for file in sorted(promises.glob("*.json")):
        document = json.loads(file.read_text())
        named = document.get("components", {}).get("parameters", {})
        for path, item in document["paths"].items():
            for method in _METHODS:
                if (said := item.get(method)) and path.startswith("/v1/"):
                    given = [*item.get("parameters", ()), *said.get("parameters", ())]
                    full = [named[each["$ref"].rsplit("/", 1)[1]] if "$ref" in each else each for each in given]
                    if clash := RESERVED & {each["name"] for each in full if each["in"] != "header"}:
                        raise ValueError(f"{said['operationId']} has a parameter {', '.join(clash)}")
                    operations[said["operationId"]] = {
                        "method": method.upper(),
                        "path": path,
                        "query": [each["name"] for each in full if each["in"] == "query"],
                        "summary": said.get("summary", ""),
                    }
    return dict(sorted(operations.items()))


class Operations(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        made = Path(self.directory) / "operations.json"
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(json.dumps(table(Path(self.root) / "../../contracts/src/contracts/openapi")))
        build_data["force_include"][str(made)] = "tailrace_client/operations.json"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        (Path(self.directory) / "operations.json").unlink()
