"""One running instance as the service handles it: what it waits for, and what may be told to it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from workflow.engine import catching
from workflow.engine.elements import TASKS
from workflow.engine.findings import Incident, Unevaluable, Unexpected
from workflow.engine.machine import FAILED, WAITING, Machine
from workflow.engine.spec import indexed
from workflow.engine.values import Json, copied, plain, plain_data


@dataclass(frozen=True)
class Task:
    """Something that waits for somebody: `kind` is user, service (see `work`), receive, or choice (see `choices`).

    `attributes` are the `tailrace:` attributes and properties of the element; those that begin with `=` have been worked
    out over the data. `data` are all data that can be seen there.
    """

    id: str
    element_id: str
    name: str
    kind: str
    lane: str | None
    since: datetime
    attributes: dict[str, Any]
    data: Json = field(repr=False)
    work: str | None = None
    about: str | None = None
    choices: dict[str, str] = field(default_factory=dict)
    several: bool = False


@dataclass(frozen=True)
class Timer:
    """A moment that an instance waits for; the id stays the same while it waits."""

    id: str
    due: datetime
    element_id: str


@dataclass(frozen=True)
class Thrown:
    """A message or signal that the process handed out: the key that it is to be found by, and its data."""

    kind: str
    name: str
    key: Any
    data: Json
    element_id: str


class State:
    """One instance. Each call goes on until everything waits; nothing is remembered outside `dump`."""

    def __init__(self, spec: Json, state: Json) -> None:
        self._spec = indexed(spec)
        self._state = state

    def dump(self) -> Json:
        """This state as plain JSON, without the spec."""
        made: Json = copied(self._state)
        return made

    # What it waits for.

    def _machine(self, now: datetime | None = None) -> Machine:
        return Machine(self._spec, self._state, now or datetime.fromisoformat(self._state["now"]))

    @property
    def tasks(self) -> list[Task]:
        """What waits for somebody, in the order in which it began."""
        m = self._machine()
        return [
            self._task(m, ident)
            for ident, held in m.tokens.items()
            if held["st"] == WAITING and "since" in held and "loop" not in held
        ]

    def _task(self, m: Machine, ident: str) -> Task:
        held, node = m.tokens[ident], m.node(ident)
        process = m.process(held["in"])
        own: dict[str, Any] = node.get("own", {}) | held.get("own", {})
        choices = (
            {flow: process.flows[flow].get("name", "") for flow in process.out[held["at"]]}
            if node.get("chosen")
            else {}
        )
        return Task(
            ident,
            held["at"],
            node.get("name", ""),
            "choice" if choices else TASKS[node["kind"]],
            node.get("lane") or self._lane(m, held["in"]),
            datetime.fromisoformat(held["since"]),
            own,
            m.view(held["in"]),
            own.get("work") if node["kind"] == "serviceTask" else None,
            node.get("about"),
            choices,
            node.get("chosen") == "any",
        )

    def _lane(self, m: Machine, scope: str) -> str | None:
        """The lane of the activity that this scope runs for, outward."""
        above: str | None = scope
        while above is not None:
            held = m.scopes[above]
            parent = held.get("parent")
            if parent and (lane := m.process(parent).nodes.get(held["of"], {}).get("lane")):
                return str(lane)
            above = parent
        return None

    @property
    def timers(self) -> list[Timer]:
        """What waits for a moment, the next first."""
        return sorted((timer for timer, _, _ in self._timers(self._machine())), key=lambda timer: (timer.due, timer.id))

    def _timers(self, m: Machine) -> list[tuple[Timer, catching.Catch, list[Any]]]:
        found = []
        for catch in catching.everywhere(m, "timer"):
            held = catching.holder(m, catch)
            entry = (held or {}).get("due", {}).get(catch.element)
            if entry and catching.live(m, catch):
                found.append(
                    (
                        Timer(f"{catch.holder}.{catch.element}", datetime.fromisoformat(entry[0]), catch.element),
                        catch,
                        entry,
                    )
                )
        return found

    @property
    def waits_for(self) -> list[tuple[str, str, Any]]:
        """The messages and signals that it waits for: kind, name and the key that a message must carry (None: any)."""
        m = self._machine()
        found = []
        for kind in ("message", "signal"):
            for catch in catching.everywhere(m, kind):
                if catching.live(m, catch):
                    held = catching.holder(m, catch) or {}
                    found.append((kind, catch.event["name"], held.get("keys", {}).get(catch.element)))
        return found

    # Where it is.

    @property
    def status(self) -> str:
        """`running`, `finished` or `cancelled`; while an incident stands it is still running."""
        return str(self._state["status"])

    @property
    def finished(self) -> bool:
        """Whether it came to its end."""
        return self.status == "finished"

    @property
    def data(self) -> Json:
        """The data of the whole process."""
        if self.status != "running":
            return dict(self._state["data"])
        return dict(next(held["data"] for held in self._state["scopes"].values() if held["kind"] == "process"))

    @property
    def outcome(self) -> Json | None:
        """The data at the end; None before."""
        return dict(self._state["data"]) if self.finished else None

    @property
    def ends(self) -> list[str]:
        """The end events of the process that were reached, in order."""
        return list(self._state.get("ends", []))

    @property
    def incidents(self) -> list[Incident]:
        """Where it stands still and why; the rest of the instance goes on meanwhile."""
        m = self._machine()
        return [
            Incident(held["at"], m.node(ident)["kind"], held.get("why", ""))
            for ident, held in m.tokens.items()
            if held["st"] == FAILED
        ]

    @property
    def failed(self) -> Incident | None:
        """The first incident; None when there is none."""
        return next(iter(self.incidents), None)

    def take_thrown(self) -> list[Thrown]:
        """The messages and signals handed out since this was asked last."""
        found = [Thrown(t["kind"], t["name"], t["key"], t["data"], t["element"]) for t in self._state["thrown"]]
        self._state["thrown"] = []
        return found

    # What may be told to it.

    def _told(self, now: datetime, tell: Callable[[Machine], Any]) -> Any:
        """Tell it and run on; when telling is refused nothing has changed."""
        if self.status != "running":
            raise Unexpected(f"the instance is {self.status}")
        kept = copied(self._state)
        m = self._machine(now)
        try:
            found = tell(m)
            m.run()
        except (Unexpected, Unevaluable):
            self._state = kept
            raise
        return found

    def complete(self, task_id: str, data: Mapping[str, Any], now: datetime) -> None:
        """This task is done, and that is what it gave; for a choice `{"flow": id}`, or a list of ids where several may go on.

        Raises Unexpected when no such task waits (it was done, cancelled or never there), Unevaluable for data that cannot be kept.
        """
        given = plain_data(data)

        def tell(m: Machine) -> None:
            task = self._waiting(m, task_id)
            if task.choices:
                m.tokens[task_id]["pick"] = self._picked(task, given)
                m.resume(task_id, "pick")
            else:
                m.write(m.tokens[task_id]["in"], given)
                m.resume(task_id, "leave")

        self._told(now, tell)

    def _waiting(self, m: Machine, task_id: str) -> Task:
        held = m.tokens.get(task_id, {})
        if held.get("st") != WAITING or "since" not in held:
            raise Unexpected(f"no task {task_id} waits")
        return self._task(m, task_id)

    def _picked(self, task: Task, given: Json) -> list[str]:
        flows = given.get("flow")
        picked = [flows] if isinstance(flows, str) else list(flows or [])
        if not picked or any(flow not in task.choices for flow in picked) or (len(picked) > 1 and not task.several):
            raise Unexpected(f"choose {'some' if task.several else 'one'} of {', '.join(task.choices)} as `flow`")
        return picked

    def error(self, task_id: str, code: str, data: Mapping[str, Any], now: datetime) -> None:
        """This task ended with a BPMN error; when nothing catches it the task stands as an incident."""
        given = plain_data(data)

        def tell(m: Machine) -> None:
            task = self._waiting(m, task_id)
            scope = m.tokens[task_id]["in"]
            if not (
                catching.at_token(m, task_id, "error", code, given) or catching.raised(m, scope, "error", code, given)
            ):
                m.write(scope, given)
                m.fail(task_id, f"the error {code} of {task.element_id} is caught nowhere")

        self._told(now, tell)

    def break_down(self, task_id: str, why: str, now: datetime) -> None:
        """This task cannot be done (its work failed for good): it stands as an incident until `retry`."""

        def tell(m: Machine) -> None:
            self._waiting(m, task_id)
            m.fail(task_id, why)

        self._told(now, tell)

    def message(self, name: str, correlation: object, data: Mapping[str, Any], now: datetime) -> bool:
        """A message came: it goes to the first that waits for that name under that key; False when none does."""
        return bool(self._told(now, lambda m: catching.message(m, name, plain(correlation), plain_data(data))))

    def signal(self, name: str, data: Mapping[str, Any], now: datetime) -> int:
        """A signal was heard: it goes to all that wait for it; how many did."""
        return int(self._told(now, lambda m: catching.signal(m, name, plain_data(data))))

    def fire(self, now: datetime) -> int:
        """Let everything that is due by now happen, the oldest first, each once; how many that were.

        A timer that would make the instance larger than it may be is forgotten instead.
        """
        count = 0
        while self.status == "running" and count < 1_000:
            due = sorted(
                (entry for entry in self._timers(self._machine()) if entry[0].due <= now),
                key=lambda e: (e[0].due, e[0].id),
            )
            if not due:
                break
            _, catch, entry = due[0]
            try:
                self._told(now, functools.partial(catching.elapsed, catch=catch, entry=entry))
            except Unevaluable:
                self._told(now, functools.partial(catching.forget, catch=catch))
            count += 1
        return count

    def retry(self, now: datetime, data: Mapping[str, Any] | None = None, element_id: str | None = None) -> int:
        """Try again where it stands still, with these data written to the process first; how many places that were."""

        def tell(m: Machine) -> int:
            found = [
                ident for ident, held in m.tokens.items() if held["st"] == FAILED and element_id in (None, held["at"])
            ]
            for ident in found:
                m.write(m.tokens[ident]["in"], plain_data(data or {}))
                m.again(ident)
            return len(found)

        return int(self._told(now, tell))

    def cancel(self) -> None:
        """End it, with nothing undone."""
        if self.status == "running":
            self._state |= {
                "data": self.data,
                "status": "cancelled",
                "tokens": {},
                "scopes": {},
                "queue": [],
                "thrown": [],
            }


def start(
    spec: Json, data: Mapping[str, Any], now: datetime, *, at: str | None = None, zone: str | None = None
) -> State:
    """Start an instance and run it to its first waits; `at` is the start event, where there are several.

    `zone`, of the IANA database, is that of days and times that name none; UTC without it.
    """
    state: Json = {"v": 1, "seq": 0, "status": "running", "tokens": {}, "scopes": {}, "queue": [], "thrown": []}
    if zone is not None:
        state["zone"] = zone
    made = State(spec, state)
    m = made._machine(now)
    process = m.spec.processes[m.spec.key]
    if at is not None and process.nodes.get(at, {}).get("in") != m.spec.key:
        raise Unexpected(f"the process has no start {at}")
    root = m.open("process", m.spec.key, m.spec.key, None, data=plain_data(data))
    m.begin(
        root, [at] if at is not None else process.starting(m.spec.key)[:1] if _one_of(process, m.spec.key) else None
    )
    m.run()
    return made


def _one_of(process: Any, key: str) -> bool:
    """Whether the process starts at one of its start events, not at all of them."""
    return any(node["kind"] == "startEvent" and node["in"] == key for node in process.nodes.values())


def load(spec: Json, state: Json) -> State:
    """The instance that was dumped; the given state is not changed, and the order of its keys does not matter."""
    made = copied(state)
    for kind in ("tokens", "scopes"):
        made[kind] = {ident: made[kind][ident] for ident in sorted(made[kind], key=lambda ident: int(ident[1:]))}
    return State(spec, made)
