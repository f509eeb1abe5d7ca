"""Who sees what: rows by their owner, and properties by their scope. Asked as somebody who owns nothing, and as somebody who has no mask's scope."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from invariants.operations import Operation
from invariants.steps import Step
from invariants.subject import Findings, Subject
from tailrace.http.auth import scopes_of
from tailrace.http.masks import SAID

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_VALUES = ("x", "1", "true", "2026-01-15", "2026-01-15T00:00:00Z", "01a1fd74-6b02-7124-96fc-806fe5689aa3")


async def anothers_row_is_not_there(subject: Subject) -> Findings:
    """To a caller whose scopes reach their own rows alone another's is a 404, to read and to write, and no answer speaks of it."""
    walker = (await subject.walked()).walker
    owned = await walker.owned_ids()
    return [fault for step in walker.steps if step.operation.is_tenants for fault in _seen(step, owned)]


def _seen(step: Step, owned: frozenset[str]) -> Iterator[str]:
    touched = bool(owned & set(step.ids.values()))
    answer = step.answers.get("another owner's")
    asked = scopes_of(step.operation.route) if step.operation.route is not None else frozenset()
    if touched and not any(scope.by_owner for scope in asked):
        yield f"{step.name} is about a row that has an owner, and asks for no scope that comes by owner"
    if answer is None:
        return
    if touched and answer.status != 404:
        yield f"{step.name} answers {answer.status} to somebody who does not own the row"
    if not touched and step.operation.writes and answer.status < 400:
        yield f"{step.name} takes a row in its body that the caller does not own: {answer.status}"
    if answer.changed:
        yield f"{step.name} changed {', '.join(answer.changed)} for somebody who does not own the row"
    sent = {*step.ids.values(), *_ID.findall(json.dumps(step.body))}
    if owned & set(_ID.findall(answer.text)) - sent:
        yield f"{step.name} shows rows to somebody who does not own them"


async def what_is_masked_stays_masked(subject: Subject) -> Findings:
    """A masked property is in no answer to a caller without its scope, masked wherever it is shown, and no way to narrow or to sort."""
    walked = await subject.walked()
    document: dict[str, Any] = dict(walked.operations[0].document) if walked.operations else {}
    masks = dict(_masked(document))
    found = [
        f"{model}.{name} is shown to everybody, and masked by {masks[name]} elsewhere"
        for model in sorted(_answered(document))
        for name, said in document["components"]["schemas"][model].get("properties", {}).items()
        if name in masks and SAID not in said
    ]
    for step in walked.steps:
        answer = step.answers.get("masked")
        if answer is not None and (shown := sorted(masks.keys() & _keys(answer.json()))):
            found.append(f"{step.name} shows {', '.join(shown)} to a token without the scope")
    for operation in walked.operations:
        if operation.lists and not operation.in_path:
            found += [f"{operation.name} {fault}" async for fault in _ways(subject, operation, masks)]
    return found


async def _ways(subject: Subject, operation: Operation, masks: dict[str, str]) -> Any:
    walker = (await subject.walked()).walker
    client = walker.client(walker.unmasked)
    names = [name for name, said in operation.parameters.items() if said["in"] == "query" and name != "sort"]
    for name in names:
        if not any(name == each or name.startswith(f"{each}_") for each in masks):
            continue
        answers = [await client.get(operation.path, params={name: value}) for value in _VALUES]
        if not any(answer.status_code == 403 for answer in answers):
            yield f"is narrowed by {name}, which is masked"
    for name in masks:
        if name in operation.parameters["sort"]["schema"].get("enum", ()):
            answer = await client.get(operation.path, params={"sort": name})
            if answer.status_code != 403:
                yield f"is sorted by {name}, which is masked"


def _masked(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for schema in document.get("components", {}).get("schemas", {}).values():
        for name, said in schema.get("properties", {}).items():
            if SAID in said:
                yield name, said[SAID]


def _answered(document: Mapping[str, Any]) -> set[str]:
    """The models that answers are made of."""
    waiting = [
        answer
        for item in document.get("paths", {}).values()
        for operation in item.values()
        for status, answer in operation["responses"].items()
        if status.startswith("2")
    ]
    found: set[str] = set()
    while waiting:
        for name in set(re.findall(r"#/components/schemas/([\w.-]+)", str(waiting.pop()))) - found:
            found.add(name)
            waiting.append(document["components"]["schemas"][name])
    return found


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for each in value.values() for key in _keys(each)}
    return {key for each in value for key in _keys(each)} if isinstance(value, list) else set()
