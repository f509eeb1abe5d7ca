"""Every operation is asked for things at random, by what the merged document says of it, and answers as the document says.

Schemathesis makes the requests, with a seed: at the bounds of every schema, then good and bad ones at random. A run asks a share of the operations,
by the day, and of what they have alike a share too (`shares`); `make fuzz` asks all of everything, and for longer.
"""

import asyncio
import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from company import Company
from shares import paths_of, takes_many

from tailrace_testing import today
from tailrace_testing.gateway import Gateway, Member

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".venv/clients"
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "20"))
"""Of each operation, at most."""
SECONDS = int(os.environ.get("FUZZ_SECONDS", "20"))
"""For what is random, all of it together, at most."""
LONGEST = 1800
"""Seconds for the bounds of every schema, which are all tried however busy the machine is."""
PATHS = int(os.environ.get("FUZZ_PATHS", "60"))
"""That a run asks, at most: it stays at a few minutes however many there are, and the days take turns. Some always take many things (`shares`)."""
SHARED = PATHS < 1000
"""Whether a run leaves out what others ask."""
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "allow_header_conformance",
)


SETTINGS = """
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", "503", "504"]

[[operations]]
include-path-regex = "/bulk$"

[operations.checks.negative_data_rejection]
expected-statuses = ["200", "4xx", "503", "504"]
"""
"""A service that has no time says so by a 503, and the gateway for it by a 504: neither is a fault. Where many things are taken, each is refused by
itself, in an answer of 200."""
FEW = 3
"""Things that are sent at most to what takes many: a thousand, at the bounds, would cost what all else does, and are tried in the kit's own tests."""

pytestmark = pytest.mark.skipif(
    not (TOOLS / "bin/st").is_file() and os.environ.get("CI") != "true", reason="`make clients` has not been run"
)


@cache
def seed() -> str:
    """Of the day, unless it is given: what is random, and which share of the operations is asked."""
    return os.environ.get("FUZZ_SEED", str(today().toordinal()))


async def test_every_answer_is_as_the_document_says(gateway: Gateway, tmp_path: Path) -> None:
    company = await Company.found(gateway)
    await company.order(2)
    member = company.member
    document = (await gateway.client.get("/openapi.json")).json()
    asked = paths_of(list(document["paths"]), PATHS, int(seed()))
    assert any(map(takes_many, asked)), "nothing that takes many things at once is asked"
    document = _of(document, {path: document["paths"][path] for path in asked})
    for path in filter(takes_many, asked):
        _take_few(document, document["paths"][path]["post"])
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    code, said = await _ask(member, gateway.url, tmp_path, "--phases", "coverage", "--max-time", str(LONGEST))
    assert code == 0, said
    operations = json.loads((tmp_path / "report.json").read_text())["operations"]
    assert (operations["tested"], operations["errored"]) == (operations["total"], 0), said
    at_random = ("--phases", "fuzzing", "--max-examples", str(EXAMPLES), "--max-time", str(SECONDS))
    code, said = await _ask(member, gateway.url, tmp_path, *at_random)
    assert code == 0, said
    assert await member.get("/v1/auth/me"), "the session ended on the way, so that most was not tried"


async def test_a_document_that_says_otherwise_is_found(gateway: Gateway, tmp_path: Path) -> None:
    """What the other test stands on: here the document says nothing of a 422, and is stricter about a number than the service."""
    document = (await gateway.client.get("/openapi.json")).json()
    del document["paths"]["/v1/units"]["post"]["responses"]["422"]
    # Nothing else can be wrong with it, so that no other refusal hides that more was taken than the document allows.
    lead = document["paths"]["/v1/tasks/lead-time"]["put"]["requestBody"]["content"]["application/json"]["schema"]
    (minutes,) = document["components"]["schemas"][lead["$ref"].rpartition("/")[2]]["properties"].values()
    minutes["maximum"] = minutes["minimum"] + 1
    asked = {"/v1/units": "post", "/v1/tasks/lead-time": "put"}
    document = _of(document, {path: {way: document["paths"][path][way]} for path, way in asked.items()})
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    only = ("--phases", "coverage", "--max-time", str(LONGEST))
    code, said = await _ask(await gateway.new_tenant(), gateway.url, tmp_path, *only)
    assert code == 1, said
    for found in ("Undocumented status code", "Schema-violating request accepted"):
        assert found in said, said


def _of(document: dict[str, Any], paths: dict[str, Any]) -> dict[str, Any]:
    """A document of these paths alone, with what they refer to: all of it takes a second to read, each time."""
    kept: dict[str, dict[str, Any]] = {"securitySchemes": document["components"]["securitySchemes"]}
    wanted = list(_references(paths))
    while wanted:
        _, _, kind, name = wanted.pop().split("/")
        if name not in kept.setdefault(kind, {}):
            kept[kind][name] = document["components"][kind][name]
            wanted += _references(kept[kind][name])
    return {**document, "paths": paths, "components": kept}


def _take_few(document: dict[str, Any], operation: dict[str, Any]) -> None:
    body = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    document["components"]["schemas"][body.rpartition("/")[2]]["properties"]["items"]["maxItems"] = FEW


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, inner in node.items():
            if name == "$ref" and isinstance(inner, str):
                yield inner
            else:
                yield from _references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _references(inner)


async def _ask(member: Member, url: str, folder: Path, *more: str) -> tuple[int | None, str]:
    """Have Schemathesis ask what `openapi.json` in the folder offers; its exit code, and what it printed."""
    code, said = await _ask_by(2, member, url, folder, *more)
    if "AST constructor recursion depth mismatch" in said:
        # Two threads at once can break ast.parse off in CPython 3.11 (python/cpython#106905), which hypothesis uses to describe itself.
        code, said = await _ask_by(1, member, url, folder, *more)
    return code, said


async def _ask_by(workers: int, member: Member, url: str, folder: Path, *more: str) -> tuple[int | None, str]:
    (folder / "schemathesis.toml").write_text(SETTINGS)
    # fmt: off
    arguments = [
        "run", "openapi.json", "--url", url, "--header", f"Authorization: Bearer {member.token}",
        "--checks", ",".join(CHECKS), "--seed", seed(), "--workers", str(workers), "--continue-on-failure", "--no-shrink",
        "--generation-database", "none", "--warnings", "off", "--no-color",
        "--report", "json", "--report-json-path", "report.json",
    ]
    # fmt: on
    told = {
        "SCHEMATHESIS_HOOKS": "request_hooks",
        "PYTHONPATH": str(Path(__file__).parent),
        "SPARED": " ".join(await _spared(member)),
        "FUZZ_SEED": seed(),
        "FUZZ_SHARED": str(int(SHARED)),
    }
    process = await asyncio.create_subprocess_exec(
        str(TOOLS / "bin/st"),
        *arguments,
        *more,
        cwd=folder,
        env={**os.environ, **told},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()
    return process.returncode, said


async def _spared(member: Member) -> list[str]:
    """Who asks, and the roles that this is allowed by."""
    me = await member.get("/v1/auth/me")
    roles = await member.every("/v1/auth/roles")
    return [me["id"], *(role["id"] for role in roles if role["name"] in me["roles"])]
