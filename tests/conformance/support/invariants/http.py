"""What holds of every operation: who gets in, whose rows are touched, what is refused and how, and what a retry does."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2

from invariants.operations import Operation
from invariants.steps import Answer, Step, identities
from invariants.subject import Findings, Subject
from tailrace.core.ids import uuid7
from tailrace.http.etag import etag, etag_of_read


async def every_operation_is_walked(subject: Subject) -> Findings:
    """`tests/walk.py` uses every operation of the OpenAPI document with success, so that none is left out of what follows."""
    walked = await subject.walked()
    used = {step.name for step in walked.steps if step.done}
    missing = sorted({operation.name for operation in walked.operations} - used)
    return [
        *([f"the walk stopped: {walked.stopped}"] if walked.stopped else []),
        *(f"{name} is not walked: use it in {subject.name}/tests/walk.py" for name in missing),
    ]


async def operations_are_the_kits_or_public_by_manifest(subject: Subject) -> Findings:
    """An operation without the kit's route answers anybody: its path must be exposed as public, and be in `exceptions.json`."""
    walked = await subject.walked()
    public = [exposed.prefix for exposed in subject.service.exposes if exposed.public]
    return [
        f"{operation.name} answers anybody, and the manifest exposes no such path as public"
        for operation in walked.operations
        if not operation.is_tenants and not any(_under(operation.path, prefix) for prefix in public)
    ]


async def every_operation_is_exposed(subject: Subject) -> Findings:
    """The gateway forwards what the manifest exposes; anything else could not be reached."""
    walked = await subject.walked()
    prefixes = [exposed.prefix for exposed in subject.service.exposes]
    return [
        f"{operation.name} is under no prefix that the manifest exposes"
        for operation in walked.operations
        if not any(_under(operation.path, prefix) for prefix in prefixes)
    ]


async def anonymous_gets_401(subject: Subject) -> Findings:
    """Whoever sends no token gets 401, on every operation that is not public, whatever prefix it is under."""
    return [
        f"{step.name} answers {answer.status} to somebody without a token"
        for step, answer in await _answers(subject, "anonymous")
        if answer.status != 401 or answer.changed
    ]


async def no_scope_gets_403(subject: Subject) -> Findings:
    """A token without scopes gets 403; on what is its holder's own it is enough, and such an operation takes no id."""
    walked = await subject.walked()
    found = [
        f"{step.name} answers {answer.status} to a token without scopes"
        for step, answer in await _answers(subject, "scopeless")
        if answer.status != 403 or answer.changed
    ]
    return found + [
        f"{operation.name} is declared the caller's own, and takes an id"
        for operation in walked.operations
        if operation.is_own and operation.in_path
    ]


async def another_tenant_gets_404(subject: Subject) -> Findings:
    """An id of another tenant is an unknown id, to read and to write; in a body it leads nowhere, and no row changes."""
    found = []
    for step, answer in await _answers(subject, "foreign"):
        if step.operation.in_path and answer.status != 404:
            cure = (
                ": load what the path names before what the body names is looked up"
                if answer.status in (409, 422)
                else ""
            )
            found.append(f"{step.name} answers {answer.status} to another tenant{cure}")
        elif not step.operation.in_path and step.operation.writes and answer.status < 400:
            found.append(f"{step.name} takes another tenant's ids in its body: {answer.status}")
        if answer.changed:
            found.append(f"{step.name} changed {', '.join(answer.changed)} for another tenant")
    return found


async def unknown_ids_get_404_and_malformed_ones_422(subject: Subject) -> Findings:
    """An id that nobody has is 404, text that is no id 422, both problems, and nothing changes."""
    found = []
    for what, expected in (("unknown", 404), ("malformed", 422)):
        for step, answer in await _answers(subject, what):
            if answer.status != expected or not answer.is_problem or answer.changed:
                found.append(f"{step.name} answers {answer.status} to an id that is {what}")
    walked = await subject.walked()
    return found + [
        f"{operation.name} takes {name} as text, not as a UUID"
        for operation in walked.operations
        for name in operation.in_path
        if name.endswith("id") and name not in operation.ids
    ]


async def post_needs_an_idempotency_key(subject: Subject) -> Findings:
    """A POST without an Idempotency-Key is refused, and the OpenAPI document says that it is required."""
    walked = await subject.walked()
    found = [
        f"{step.name} answers {answer.status} without an Idempotency-Key"
        for step, answer in await _answers(subject, "keyless")
        if answer.status != 400 or answer.changed
    ]
    return found + [
        f"{operation.name} does not say that it needs an Idempotency-Key"
        for operation in walked.operations
        if operation.is_tenants
        and operation.method == "POST"
        and not operation.parameters.get("Idempotency-Key", {}).get("required")
    ]


async def a_write_is_replayed_under_its_key(subject: Subject) -> Findings:
    """The same request under the same key has one effect and gets the same answer."""
    found = []
    for step, answer in await _answers(subject, "replayed"):
        first = step.answers["done"]
        if answer.changed:
            found.append(f"{step.name} had a second effect under one key, on {', '.join(answer.changed)}")
        if (answer.status, answer.text) != (first.status, first.text):
            found.append(f"{step.name} answers a retry with {answer}")
        if answer.headers.get("idempotency-replayed") != "true":
            found.append(f"{step.name} does not know a retry under the same key")
    return found + await _without(subject, "replayed")


async def a_key_belongs_to_one_request(subject: Subject) -> Findings:
    """A key that comes back with another query or body is refused with 422."""
    found = [
        f"{step.name} answers {answer.status} to a changed request under the same key"
        for step, answer in await _answers(subject, "changed")
        if answer.status != 422 or answer.changed or "idempotency-key-reused" not in answer.text
    ]
    return found + await _without(subject, "changed")


async def a_stale_if_match_gets_412(subject: Subject) -> Findings:
    """Every write to something that has a version takes `If-Match`, and refuses a version that is not the current one."""
    walked = await subject.walked()
    found = [
        f"{step.name} answers {answer.status} to a stale If-Match"
        for step, answer in await _answers(subject, "stale")
        if answer.status != 412 or answer.changed
    ]
    versioned = {operation.path for operation in walked.operations if operation.is_versioned and not operation.writes}
    for operation in walked.operations:
        resource = operation.path[: operation.path.rfind("}") + 1]
        if operation.writes and resource in versioned and not operation.takes_if_match:
            found.append(f"{operation.name} writes to something that has a version, and takes no If-Match")
    return found


async def a_version_is_the_etag(subject: Subject) -> Findings:
    """An answer that shows a version carries it as its ETag; that of a read, with a digest of its body."""
    found = []
    for step, answer in await _answers(subject, "done"):
        shown = answer.json() if step.done else None
        if not isinstance(shown, dict) or "version" not in shown:
            continue
        version, body = shown["version"], answer.text.encode()
        expected = etag(version) if step.operation.writes else etag_of_read(version, body)
        if answer.headers.get("etag") != expected:
            found.append(
                f"{step.name} shows version {shown['version']} and sends the ETag {answer.headers.get('etag')}"
            )
    return found


async def injected_fields_are_refused(subject: Subject) -> Findings:
    """A body with `tenant_id`, `id`, `role`, `created_at` or `version` slipped in that it does not declare, at any depth, is refused with 422."""
    return [
        f"{step.name} answers {answer.status} to a body with {what.removeprefix('injected ')}"
        for step in (await subject.walked()).steps
        for what, answer in step.answers.items()
        if what.startswith("injected") and (answer.status != 422 or answer.changed)
    ]


async def unknown_query_parameters_get_400(subject: Subject) -> Findings:
    """A query parameter that an operation does not have is refused by name, with those that it has: a mistyped filter must not show everything."""
    found = []
    for step, answer in await _answers(subject, "mistyped"):
        if answer.status != 400 or answer.changed:
            found.append(f"{step.name} answers {answer.status} to a query parameter that it does not have")
            continue
        has = {name for name, said in step.operation.parameters.items() if said["in"] == "query"}
        untold = sorted(name for name in has if name not in answer.json()["detail"])
        if untold or answer.json()["errors"][0]["field"] != "no_such_parameter":
            found.append(
                f"{step.name} refuses a mistyped query parameter, and does not say that it has {', '.join(untold)}"
            )
    return found


async def a_word_in_a_path_is_no_id(subject: Subject) -> Findings:
    """Where one path has a word and another a parameter, a method that the word has not is a 405 with its own methods, and no malformed id."""
    walked = await subject.walked()
    methods: dict[str, set[str]] = {}
    for operation in walked.operations:
        methods.setdefault(operation.path, set()).add(operation.method)
    found = []
    for path, has in methods.items():
        shadows = [other for other in methods if other != path and _has_parameter_for(path, other)]
        for method in sorted({each for other in shadows for each in methods[other]} - has):
            asked = re.sub("{[^}]*}", str(uuid7()), path)
            answer = await walked.walker.client().request(
                method, asked, json={}, headers={"Idempotency-Key": str(uuid7())}
            )
            allowed = set(re.findall("[A-Z]+", answer.headers.get("allow", ""))) - {"HEAD"}
            if (answer.status_code, allowed) != (405, has):
                found.append(f"{method} {path} answers {answer.status_code}, for the path of {' and '.join(shadows)}")
    return found


async def every_error_is_a_problem(subject: Subject) -> Findings:
    """Whatever is refused is refused with problem details (RFC 9457), and declared so; nothing ends in a 500, and no stack trace leaves."""
    found = [
        f"{operation.name} declares its {status} as {', '.join(said.get('content', {}))}"
        for operation in (await subject.walked()).operations
        for status, said in operation.said["responses"].items()
        if status >= "400" and list(said.get("content", {})) != ["application/problem+json"]
    ]
    for step in (await subject.walked()).steps:
        for what, answer in step.answers.items():
            if answer.status < 400:
                continue
            if answer.status >= 500:
                found.append(f"{step.name} ({what}) answers {answer}")
            elif not answer.is_problem or not _complete(answer):
                found.append(f"{step.name} ({what}) answers {answer.status} without problem details")
            if "Traceback" in answer.text or '.py", line' in answer.text:
                found.append(f"{step.name} ({what}) shows a stack trace")
    return found


async def a_read_changes_nothing(subject: Subject) -> Findings:
    """A GET leaves every table as it was."""
    return [
        f"{step.name} changes {', '.join(answer.changed)}"
        for step, answer in await _answers(subject, "done")
        if not step.operation.writes and answer.changed
    ]


async def a_write_names_its_events(subject: Subject) -> Findings:
    """`Tailrace-Event` names each event that a write recorded, so that its client can wait for what follows."""
    found = []
    for step, answer in await _answers(subject, "done"):
        if not step.operation.is_tenants or not step.operation.writes or answer.status >= 300:
            continue
        named = set(filter(None, answer.headers.get("tailrace-event", "").split(", ")))
        events = {f"{row['topic']}/{row['aggregate_id']}@{row['sequence']}" for row in step.recorded}
        if named != events:
            found.append(f"{step.name} recorded {len(events)} events and names {len(named)}")
    return found


async def trace_context_reaches_the_outbox(subject: Subject) -> Findings:
    """The `traceparent` and the request id of a request are those of every event it records, and its caller is who did it."""
    found, recorded = [], 0
    for step in (await subject.walked()).steps:
        for row in step.recorded:
            recorded += 1
            if row["traceparent"] != step.traceparent:
                found.append(f"{step.name} recorded {row['type']} without the request's traceparent")
            if str(row["correlation_id"]) != step.answers["done"].headers.get("x-request-id"):
                found.append(f"{step.name} recorded {row['type']} without the request's id")
            if step.operation.is_tenants and row["actor_id"] != str(step.user):
                found.append(f"{step.name} recorded {row['type']} without saying who did it")
            elif not row["actor_id"]:
                found.append(f"{step.name} recorded {row['type']}, done by nobody")
    return found if recorded else ["the walk recorded no event"]


async def a_list_pages_by_cursor(subject: Subject) -> Findings:
    """Lists answer with pages: one by one the same rows as at once, each once, also while rows are added; a bad cursor is refused."""
    walked = await subject.walked()
    found = []
    for operation in walked.operations:
        if operation.method == "GET" and operation.answer_schema().get("type") == "array":
            found.append(f"{operation.name} answers with a bare array")
        if operation.lists and not operation.in_path:
            found += [f"{operation.name} {fault}" async for fault in _paging(subject, operation)]
    return found


async def _paging(subject: Subject, operation: Operation) -> AsyncIterator[str]:
    walked = await subject.walked()
    missing = {"limit", "cursor", "sort"} - operation.parameters.keys()
    if missing:
        yield f"takes no {', '.join(sorted(missing))}"
        return
    begun = walked.walker.cursors.get(operation.name)
    client = begun.client if begun else walked.walker.client()
    for query in ({"cursor": "no-cursor"}, {"limit": 0}, {"limit": 100000}, {"sort": "no-such-field"}):
        answer = await client.get(operation.path, params=query)
        if answer.status_code not in {400, 422}:
            yield f"answers {answer.status_code} to {query}"
    if begun is None:
        yield "never had two rows during the walk: let it make more, so that paging shows"
        return
    shown, cursor = list(begun.shown), begun.next
    whole = await client.get(operation.path, params={"limit": 200})
    expected = identities(whole.json())
    while cursor and len(shown) <= len(expected):
        page = (await client.get(operation.path, params={"limit": 1, "cursor": cursor})).json()
        shown += identities(page)
        cursor = page["next_cursor"]
    if len(set(shown)) != len(shown):
        yield "shows a row on two pages"
    if set(expected[expected.index(shown[0]) if shown[0] in expected else 0 :]) - set(shown):
        yield "leaves rows out between pages"
    async for fault in _sorting(client, operation, len(expected)):
        yield fault


async def _sorting(client: httpx2.AsyncClient, operation: Operation, rows: int) -> AsyncIterator[str]:
    """A list takes every cursor that it gave, whatever it is sorted by."""
    for sort in _sorts(operation):
        query: dict[str, Any] = {"limit": 1, "sort": sort}
        seen: list[str] = []
        while len(seen) <= rows:
            answer = await client.get(operation.path, params=query)
            if answer.status_code != 200:
                yield f"answers {answer.status_code} to a cursor of its own, sorted by {sort}"
                break
            seen += identities(answer.json())
            if not (next_cursor := answer.json()["next_cursor"]):
                break
            query["cursor"] = next_cursor
        else:
            yield f"never ends, sorted by {sort}"


def _sorts(operation: Operation) -> list[str]:
    """What its rows may be sorted by, as its description says."""
    said = operation.parameters["sort"]["description"].partition(";")[0]
    return [f"{sign}{name}" for name in re.findall("`([a-z_]+)`", said) for sign in ("", "-")]


async def live_and_ready_differ(subject: Subject) -> Findings:
    """With the database away the process is live and not ready, so that nobody restarts it."""
    harness = (await subject.walked()).h
    client = harness.anonymous()
    seen = [(await client.get(f"/health/{what}")).status_code for what in ("live", "ready")]
    async with harness.database_down():
        seen += [(await client.get(f"/health/{what}")).status_code for what in ("live", "ready")]
    expected = [200, 200, 200, 503]
    return (
        []
        if seen == expected
        else [f"live and ready answer {seen}, with the database and without; expected {expected}"]
    )


async def _answers(subject: Subject, what: str) -> list[tuple[Step, Answer]]:
    steps = (await subject.walked()).steps
    return [(step, answer) for step in steps for name, answer in step.answers.items() if _is(name, what)]


def _is(name: str, what: str) -> bool:
    return name == what or name.startswith(f"{what} (")


async def _without(subject: Subject, what: str) -> Findings:
    """Walked writes of tenants on which this was not tried."""
    return [
        f"{step.name} was not tried: {what}"
        for step in (await subject.walked()).steps
        if step.done and step.operation.writes and step.operation.is_tenants and what not in step.answers
    ]


def _has_parameter_for(path: str, other: str) -> bool:
    """Whether the other path has a parameter in place of each word in which they differ."""
    pairs = list(zip(path.split("/"), other.split("/"), strict=False))
    same_length = path.count("/") == other.count("/")
    return same_length and all(a == b or (b.startswith("{") and not a.startswith("{")) for a, b in pairs)


def _complete(answer: Answer) -> bool:
    body = answer.json()
    return bool({"type", "title", "status"} <= body.keys() and body["status"] == answer.status)


def _under(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")
