"""What the OpenAPI document says is enough to write a client by: everything has a meaning, and no answer comes that was not declared."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from invariants.subject import Findings, Subject
from tailrace.http.openapi import HEADERS

_EMPTY = frozenset("a an the this that its it of is are to in for by id what which one".split())
_TOLD = frozenset(name.lower() for name in HEADERS)
"""The headers that mean something to a client."""


async def everything_offered_is_described(subject: Subject) -> Findings:
    """Every property, parameter and tag says what it means, in more words than its own name."""
    operations = (await subject.walked()).operations
    if not operations:
        return []
    document = operations[0].document
    tags = {tag["name"]: tag.get("description", "") for tag in document["tags"]}
    found = [
        f"the tag {tag} is not described"
        for tag in sorted({tag for o in operations for tag in o.said["tags"]})
        if tag not in tags
    ]
    for operation in operations:
        for name, parameter in operation.parameters.items():
            found += _faults(f"the parameter {name} of {operation.name}", name, parameter.get("description"))
    for model, schema in document["components"]["schemas"].items():
        for name, said in schema.get("properties", {}).items():
            found += _faults(f"{model}.{name}", name, _said(said, document))
    return found


async def every_answer_is_declared(subject: Subject) -> Findings:
    """A status, a header or a media type that came is one that the document declares."""
    found: dict[str, None] = {}
    for step in (await subject.walked()).steps:
        for answer in step.answers.values():
            declared = step.operation.said["responses"].get(str(answer.status))
            if declared is None:
                found[f"{step.name} answers {answer.status}, which it does not declare"] = None
                continue
            unknown = {name.lower() for name in answer.headers} - {name.lower() for name in declared.get("headers", ())}
            for name in sorted(unknown & _TOLD):
                found[f"{step.name} answers {answer.status} with {name}, which it does not declare"] = None
            media = answer.headers.get("content-type", "").partition(";")[0]
            if media and media not in declared.get("content", {}):
                found[f"{step.name} answers {answer.status} as {media}, which it does not declare"] = None
    return list(found)


def _said(schema: Mapping[str, Any], document: Mapping[str, Any]) -> str | None:
    """Its own description; of a thing inside, that thing's."""
    if "description" not in schema and "$ref" in schema:
        return _said(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document)
    said = schema.get("description")
    return None if said is None else str(said)


def _faults(what: str, name: str, said: str | None) -> Iterator[str]:
    if not said:
        yield f"{what} is not described: write below it what it means"
    elif not _words(said) - _words(name):
        yield f"{what} says nothing but its name: {said}"


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+", text.lower())) - _EMPTY
