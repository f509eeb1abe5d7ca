"""A walk uses each operation of a service once, as a client would; here every step of it is tried in all the ways that must be refused first.

A service brings its walk in `tests/walk.py`: `async def walk(w: Walker) -> None`. What the walk leaves out is found by the invariants.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

import httpx2
from sqlalchemy import inspect

from invariants.operations import Operation
from invariants.rows import Rows, differing
from invariants.steps import Answer, Cursor, File, Login, Step, identities
from invariants.variations import filled, injected, other_id
from tailrace.core.events import Event
from tailrace.core.ids import uuid7
from tailrace.core.manifest import OWN
from tailrace.db.visibility import Owned
from tailrace.http.masks import SAID
from tailrace_testing import Harness

__all__ = ["File", "LeftThePath", "Walker"]

_MASK = re.compile(f'"{SAID}": "([^"]*)"')
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class LeftThePath(AssertionError):
    """A step of the walk was not answered with 2xx."""


class Walker:
    """What a walk goes with. Paths are written as the OpenAPI document does, `/v1/things/{thing_id}`, with `thing_id=…` beside."""

    def __init__(self, harness: Harness, operations: list[Operation]) -> None:
        self.h = harness
        self.tenant, self.user = harness.tenant, harness.user
        self.stranger = uuid7()
        """Somebody of the tenant who owns nothing."""
        self.rows = Rows(harness.admin)
        self.steps: list[Step] = []
        self.cursors: dict[str, Cursor] = {}
        self._operations = {(operation.method, operation.path): operation for operation in operations}
        self._clients: dict[tuple[str, UUID, UUID], httpx2.AsyncClient] = {}
        self._anonymous = harness.anonymous()

    async def get(
        self,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        login: Login | None = None,
        **ids: Any,
    ) -> Any:
        """`login` is for the few operations that take no token: a user and a password (HTTP Basic), or what signs each request."""
        return await self._step("GET", path, None, query, ids, login=login)

    async def post(
        self,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        login: Login | None = None,
        **ids: Any,
    ) -> Any:
        """The answer's body, parsed; None when there is none."""
        return await self._step("POST", path, body, query, ids, login=login)

    async def post_form(self, path: str, form: Mapping[str, str]) -> Any:
        """For the few operations whose body a standard makes a form (application/x-www-form-urlencoded)."""
        return await self._step("POST", path, None, None, {}, form)

    async def post_file(self, path: str, file: File, **ids: Any) -> Any:
        """For the operations that take a file."""
        return await self._step("POST", path, None, None, ids, file=file)

    async def put_file(self, path: str, file: File, **ids: Any) -> Any:
        return await self._step("PUT", path, None, None, ids, file=file)

    async def post_rows(
        self, path: str, content: bytes, kind: str, *, query: Mapping[str, Any] | None = None, **ids: Any
    ) -> Any:
        """For the operations that take a file of rows."""
        return await self._step("POST", path, None, query, ids, rows=(content, kind))

    async def imports(self, path: str, jobs: str, first: str, second: str) -> None:
        """Send two files of rows, cancel the import of the second, and see what became of them."""
        done, given_up = [await self.post_rows(path, text.encode(), "text/csv") for text in (first, second)]
        await self.post(f"{jobs}/{{job_id}}/cancel", job_id=given_up["id"])
        await self.h.run_jobs()
        await self.get(jobs)
        await self.get(f"{jobs}/{{job_id}}", job_id=done["id"])
        await self.get(f"{jobs}/{{job_id}}/refused", job_id=done["id"])

    async def put(self, path: str, body: Any, *, query: Mapping[str, Any] | None = None, **ids: Any) -> Any:
        return await self._step("PUT", path, body, query, ids)

    async def patch(self, path: str, body: Any, *, query: Mapping[str, Any] | None = None, **ids: Any) -> Any:
        return await self._step("PATCH", path, body, query, ids)

    async def delete(self, path: str, *, query: Mapping[str, Any] | None = None, **ids: Any) -> Any:
        return await self._step("DELETE", path, None, query, ids)

    async def tell(self, event: Event, aggregate_id: UUID) -> None:
        """Let an event of another service arrive."""
        await self.h.deliver(event, aggregate_id=aggregate_id, tenant=self.tenant)

    async def pump(self) -> None:
        """Deliver what the service published and itself listens to."""
        await self.h.pump()

    def become(self, tenant: UUID, user: UUID | None = None) -> None:
        """Go on as somebody else."""
        self.tenant, self.user = tenant, user or self.h.user

    async def _step(
        self,
        method: str,
        path: str,
        body: Any,
        query: Mapping[str, Any] | None,
        ids: Any,
        form: Mapping[str, str] | None = None,
        file: File | None = None,
        rows: tuple[bytes, str] | None = None,
        login: Login | None = None,
    ) -> Any:
        operation = self._operations.get((method, path))
        if operation is None:
            raise LeftThePath(f"{method} {path} is no operation of {self.h.service.name}")
        traceparent = f"00-{uuid4().hex}-{uuid4().hex[:16]}-01"
        in_path = {name: str(id) for name, id in ids.items()}
        step = Step(operation, body, traceparent, self.tenant, self.user, form, file, in_path, rows, login)
        self.steps.append(step)
        request = _Request(self, step, dict(query or {}), in_path)
        await request.refused_first()
        answer = await request.done()
        if not step.done:
            raise LeftThePath(f"{operation.name}: {answer}")
        await request.repeated()
        await self._begin_lists()
        return answer.json() if answer.is_json else answer.text

    async def _begin_lists(self) -> None:
        for operation in self._operations.values():
            if operation.lists and not operation.in_path and operation.name not in self.cursors:
                answer = await self.client().get(operation.path, params={"limit": 1})
                page = answer.json() if answer.status_code == 200 else {}
                if page.get("next_cursor"):
                    self.cursors[operation.name] = Cursor(
                        operation.path, identities(page), page["next_cursor"], self.client()
                    )

    @cached_property
    def unmasked(self) -> str:
        """Every scope but those that show what is masked."""
        masks = {mask for each in self._operations.values() for mask in _MASK.findall(json.dumps(each.document))}
        return " ".join(sorted({scope.name for scope in self.h.service.scopes} - masks))

    @property
    def owning_nothing(self) -> str:
        """Every scope, each that comes by owner for the caller's own rows alone."""
        scopes = self.h.service.scopes
        return " ".join(sorted(f"{scope.name}:{OWN}" if scope.by_owner else scope.name for scope in scopes))

    @cached_property
    def owned_tables(self) -> Sequence[str]:
        """Of the rows that have an owner."""
        mappers: list[Any] = [inspect(each, raiseerr=False) for each in _below(Owned)]
        found = [each.local_table for each in mappers if each is not None]
        return [table.name for table in found if table.metadata is self.h.service.metadata]

    async def owned_ids(self) -> frozenset[str]:
        """The ids of all rows that have an owner."""
        each = [f'SELECT id::text FROM "{table}"' for table in self.owned_tables]
        rows = await self.h.admin.fetch(" UNION ALL ".join(each)) if each else []
        return frozenset(row["id"] for row in rows)

    def client(self, scopes: str = "*", tenant: UUID | None = None, user: UUID | None = None) -> httpx2.AsyncClient:
        who = (scopes, tenant or self.tenant, user or self.user)
        if who not in self._clients:
            self._clients[who] = self.h.client_as(scopes, tenant=who[1], user=who[2])
        return self._clients[who]

    @property
    def anonymous(self) -> httpx2.AsyncClient:
        return self._anonymous


class _Request:
    """One request and its variations. What must be refused comes before the request itself, what repeats it after."""

    def __init__(self, walker: Walker, step: Step, query: dict[str, Any], ids: dict[str, str]) -> None:
        self.walker, self.step, self.query, self.ids = walker, step, query, ids
        self.operation = step.operation
        self.key = str(uuid7())
        self.digests: Mapping[str, str] = {}

    async def refused_first(self) -> None:
        self.digests = await self.walker.rows.digests()
        await self._try("mistyped", query={**self.query, "no_such_parameter": "1"})
        if not self.operation.is_tenants:
            await self._injected()
            return
        await self._try("anonymous", self.walker.anonymous)
        if not self.operation.is_own:
            await self._try("scopeless", self.walker.client(scopes=""))
        foreign = self.walker.client(tenant=self.walker.h.other_tenant)
        if self.operation.in_path or _UUID.search(json.dumps([self.step.body, self.query])):
            await self._try("foreign", foreign)
        if self.operation.in_path:
            await self._try("unknown", ids={n: other_id(self.operation, n) for n in self.operation.in_path})
        await self._seen_by_others()
        for name in self.operation.ids:
            await self._try("malformed", ids={**self.ids, name: "not-an-id"})
        if self.operation.method == "POST":
            await self._try("keyless", key=" ")
        if self.operation.takes_if_match:
            await self._try("stale", headers={"If-Match": '"999999"'})
        await self._injected()

    async def _seen_by_others(self) -> None:
        walker = self.walker
        if not self.operation.writes:
            await self._try("masked", walker.client("" if self.operation.is_own else walker.unmasked))
        if walker.owned_tables and (not self.operation.writes or await self._names_owned()):
            await self._try("another owner's", walker.client(walker.owning_nothing, user=walker.stranger))

    async def _names_owned(self) -> bool:
        """Whether its path or its body names a row that has an owner."""
        named = set(_UUID.findall(json.dumps([self.step.body, self.query, self.ids])))
        return bool(named and named & await self.walker.owned_ids())

    async def _injected(self) -> None:
        whole = self.step.body
        if self.operation.is_bulk:
            whole = {**whole, "items": whole["items"][:1]}
        for where, body in injected(whole, self.operation.body_fields):
            await self._try(f"injected {where}", body=body)
        if self.step.file is not None:
            part = ("tenant_id", (None, str(uuid7())))
            await self._try("injected /tenant_id", files=[("file", self.step.file.part()), part])
            await self._try("injected /tenant_id before the file", files=[part, ("file", self.step.file.part())])

    async def done(self) -> Answer:
        before = {row["id"] for row in await self._outbox()}
        headers = await self._current_version()
        answer = await self._try("done", key=self.key, headers=headers)
        self.step.recorded = [row for row in await self._outbox() if row["id"] not in before]
        return answer

    async def repeated(self) -> None:
        if not self.operation.writes or not self.operation.is_tenants:
            return
        await self._try("replayed", key=self.key)
        await self._try("changed", key=self.key, query={**self.query, "changed": "1"})
        if self.step.body is not None:
            await self._try("changed", key=self.key, body={**self.step.body, "changed": 1})
        if self.step.file is not None:
            changed = self.step.file.part(self.step.file.content + b"\n")
            await self._try("changed", key=self.key, files=[("file", changed)])
        if self.operation.is_bulk:
            first, *others = self.step.body["items"]
            await self._try("mixed", body={**self.step.body, "items": [{**first, "no_such_field": 1}, first, *others]})
        await self._try("again")

    async def _current_version(self) -> dict[str, str]:
        """`If-Match` with what the resource's own GET says, where there is one."""
        resource = self.operation.path[: self.operation.path.rfind("}") + 1]
        if not self.operation.takes_if_match or ("GET", resource) not in self.walker._operations:
            return {}
        answer = await self.walker.client().get(filled(resource, self.ids))
        return {"If-Match": answer.headers["etag"]} if "etag" in answer.headers else {}

    async def _outbox(self) -> list[Any]:
        return list(await self.walker.h.admin.fetch("SELECT * FROM outbox ORDER BY id"))

    async def _try(self, what: str, client: httpx2.AsyncClient | None = None, **varied: Any) -> Answer:
        headers = {"traceparent": self.step.traceparent, **varied.get("headers", {})}
        if self.operation.writes:
            headers["Idempotency-Key"] = varied.get("key") or str(uuid7())
        body = varied.get("body", self.step.body)
        file = self.step.file
        files = varied.get("files", [("file", file.part())] if file is not None else None)
        url = filled(self.operation.path, varied.get("ids", self.ids))
        response = await (client or self._client()).request(
            self.operation.method,
            url,
            params=varied.get("query", self.query),
            auth=self.step.login if self.step.login is not None else httpx2.USE_CLIENT_DEFAULT,
            **_with_headers(self._content(body, files), headers),
        )
        after = await self.walker.rows.digests()
        changed, self.digests = tuple(differing(self.digests, after)), after
        shown = response.text if _is_text(response.headers) else f"<{len(response.content)} bytes>"
        answer = Answer(response.status_code, dict(response.headers), shown, changed)
        if self.operation.is_bulk and answer.status == 200 and what != "mixed":
            answer = _of_many(answer)
        self.step.answers[_free(what, self.step.answers)] = answer
        return answer

    def _content(self, body: Any, files: Any) -> dict[str, Any]:
        if files:
            return {"files": files}
        if self.step.rows is not None:
            content, kind = self.step.rows
            return {"content": content, "headers": {"Content-Type": kind}}
        return {"json": body} if body is not None else {"data": self.step.form} if self.step.form else {}

    def _client(self) -> httpx2.AsyncClient:
        if not self.operation.is_tenants:
            return self.walker.anonymous
        return self.walker.client(scopes="" if self.operation.is_own else "*")


def _of_many(answer: Answer) -> Answer:
    """An answer in which all is refused is the refusal of the first: what it keeps for a retry under its key is no change."""
    items = answer.json()["items"]
    if any(item["status"] < 400 for item in items):
        return answer
    problem = {"content-type": "application/problem+json"}
    changed = tuple(table for table in answer.changed if table != "idempotency")
    return Answer(items[0]["status"], {**answer.headers, **problem}, json.dumps(items[0]["problem"]), changed)


def _is_text(headers: Mapping[str, str]) -> bool:
    return "content-disposition" not in headers or headers.get("content-type", "").startswith("text/csv")


def _below(kind: type[Any]) -> Iterator[type[Any]]:
    for each in kind.__subclasses__():
        yield each
        yield from _below(each)


def _with_headers(content: dict[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
    return {**content, "headers": {**content.get("headers", {}), **headers}}


def _free(what: str, taken: Mapping[str, Answer]) -> str:
    return what if what not in taken else f"{what} ({sum(name.startswith(what) for name in taken) + 1})"
