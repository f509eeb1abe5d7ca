"""Which elements of BPMN 2.0 run, element by element: what `inspect` says, `deploy` holds to, and the page of the docs prints."""

from dataclasses import dataclass
from enum import StrEnum


class Runs(StrEnum):
    """Whether an element runs as it is, only in lenient mode, is kept and shown without effect, or is refused."""

    YES = "yes"
    LENIENT = "lenient"
    SHOWN = "shown"
    NO = "no"


@dataclass(frozen=True)
class Row:
    """One kind of element, such as `boundaryEvent:timer`: whether it runs, and what there is to know of it."""

    kind: str
    runs: Runs
    why: str


def _rows(runs: Runs, **why: str) -> list[Row]:
    return [Row(kind.replace("__", ":"), runs, text) for kind, text in why.items()]


_ROWS: tuple[Row, ...] = (
    *_rows(
        Runs.YES,
        process="One of the file runs: the one that is asked for, else the one marked executable.",
        laneSet="Lanes may stand in one another.",
        lane="Every task says the lane that it stands in.",
        startEvent="Runs at once. Without any, what has no incoming flow starts.",
        startEvent__message="Starts when that message comes; in an event sub-process, while its scope runs.",
        startEvent__timer="Starts at its time; in an event sub-process, counted from the start of its scope.",
        startEvent__signal="Starts at that signal; in an event sub-process, while its scope runs.",
        startEvent__conditional="In an event sub-process: when its condition becomes true.",
        startEvent__error="In an event sub-process: catches the error, always interrupting.",
        startEvent__escalation="In an event sub-process: catches the escalation.",
        startEvent__compensate="In an event sub-process: undoes the sub-process that it stands in, in place of what is in it.",
        userTask="Waits for a person.",
        manualTask="Waits until a person says that it is done.",
        serviceTask="Waits for a named work: `tailrace:work`, or the operation of `operationRef`. Approvals have none, so deployment refuses it.",
        receiveTask="Waits for its message.",
        sendTask="Hands its message out and goes on.",
        businessRuleTask="Runs the DMN decision that `tailrace:decision` names.",
        callActivity="Runs another process, found by its key at deployment, with a copy of the data; its data come back.",
        subProcess="Runs inside the same data.",
        subProcess__event="Runs when its start event happens in the scope around it, interrupting or beside it.",
        exclusiveGateway="Takes the first flow whose condition is true, else the default.",
        inclusiveGateway="Takes every flow whose condition is true; waits for all that can still arrive.",
        parallelGateway="Takes every flow; waits for one arrival on each.",
        eventBasedGateway="Waits for the first of the events behind it.",
        intermediateCatchEvent__message="Waits for that message; `tailrace:correlation` says which.",
        intermediateCatchEvent__timer="Waits until its time.",
        intermediateCatchEvent__signal="Waits for that signal.",
        intermediateCatchEvent__conditional="Waits until its condition is true.",
        intermediateCatchEvent__link="Goes on where the link of the same name leads to.",
        intermediateThrowEvent="Goes on.",
        intermediateThrowEvent__message="Hands its message out and goes on.",
        intermediateThrowEvent__signal="Is heard by all that wait for it here, and handed out.",
        intermediateThrowEvent__escalation="Is caught by the nearest scope that wants it, and goes on.",
        intermediateThrowEvent__compensate="Undoes what was done in its scope, the newest first, and goes on when that is over.",
        intermediateThrowEvent__link="Goes on at the link of the same name.",
        boundaryEvent__message="While the activity runs, interrupting or beside it.",
        boundaryEvent__timer="While the activity runs; a cycle repeats beside it.",
        boundaryEvent__signal="While the activity runs, interrupting or beside it.",
        boundaryEvent__conditional="When its condition becomes true while the activity runs.",
        boundaryEvent__error="Catches the error of its activity, always interrupting.",
        boundaryEvent__escalation="Catches the escalation of its activity.",
        boundaryEvent__compensate="Names what undoes its activity, through an association.",
        boundaryEvent__cancel="Catches the cancellation of its transaction.",
        transaction="Runs as a sub-process; its cancel end event undoes what was done in it.",
        endEvent="Ends its path.",
        endEvent__message="Hands its message out and ends its path.",
        endEvent__signal="Is heard by all that wait for it here, handed out, and ends its path.",
        endEvent__error="Ends its path with an error, which the nearest scope catches.",
        endEvent__escalation="Ends its path with an escalation.",
        endEvent__compensate="Undoes what was done in its scope, then ends its path.",
        endEvent__cancel="Cancels its transaction.",
        endEvent__terminate="Ends everything in its scope.",
        sequenceFlow="Conditions are CEL.",
        multiInstanceLoopCharacteristics="One after another or all at once, over a collection or a number, with a completion condition.",
        standardLoopCharacteristics="Repeats while its condition is true, at most `loopMaximum` times.",
    ),
    *_rows(
        Runs.LENIENT,
        task="Has no type. Lenient: work by hand.",
        scriptTask="Scripts of a file are never run. Lenient: work by hand.",
        complexGateway="Its activation condition is not read. Lenient: as an inclusive gateway.",
        adHocSubProcess="Lenient: everything in it that nothing leads to is offered at once, and all of it is to be done.",
        callChoreography="Choreographies do not run. Lenient: work by hand.",
        globalTask="A task of its own outside a process. Lenient: shown.",
    ),
    *_rows(
        Runs.SHOWN,
        participant="A pool is a frame; other pools than that of the process are people and systems outside.",
        collaboration="Shown.",
        messageFlow="Shown; what carries a message is the name of the message.",
        dataObject="Shown; the data of an instance have no declared shape.",
        dataObjectReference="Shown.",
        dataStore="Shown; no task reads or writes it.",
        dataStoreReference="Shown; no task reads or writes it.",
        dataInput="Shown.",
        dataOutput="Shown.",
        dataInputAssociation="Shown; every task sees the data of its scope.",
        dataOutputAssociation="Shown; what a task is completed with is written to the data of its scope.",
        textAnnotation="Shown.",
        association="Shown; from a compensation event it names what undoes.",
        group="Shown.",
        conversation="Shown.",
        choreography="Shown.",
        error="Known by its code, else its name.",
        escalation="Known by its code, else its name.",
        message="Known by its name.",
        signal="Known by its name.",
        interface="Shown.",
        operation="Names the work of a service task.",
    ),
    *_rows(
        Runs.NO,
        startEvent__multiple="Several events that must all happen (parallelMultiple) are not supported.",
        intermediateCatchEvent="Has nothing to wait for.",
        intermediateCatchEvent__multiple="Several events that must all happen (parallelMultiple) are not supported.",
        boundaryEvent="Has nothing to wait for.",
        boundaryEvent__multiple="Several events that must all happen (parallelMultiple) are not supported.",
    ),
)

ELEMENTS: dict[str, Row] = {row.kind: row for row in _ROWS}
"""All kinds of elements that are known, in the order of the page."""

TASKS: dict[str, str] = {
    "userTask": "user",
    "manualTask": "user",
    "serviceTask": "service",
    "receiveTask": "receive",
    "choice": "choice",
}
"""The kinds that wait for somebody, and the `kind` of the Task that stands for them."""

ACTIVITIES = {
    "userTask",
    "manualTask",
    "serviceTask",
    "receiveTask",
    "sendTask",
    "businessRuleTask",
    "callActivity",
    "subProcess",
}
"""The kinds that carry boundary events, repeat, and can be undone."""

FLOW_NODES = {
    "startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent",
    "task", "userTask", "manualTask", "serviceTask", "receiveTask", "sendTask", "businessRuleTask", "scriptTask",
    "callActivity", "subProcess", "transaction", "adHocSubProcess", "callChoreography",
    "exclusiveGateway", "inclusiveGateway", "parallelGateway", "eventBasedGateway", "complexGateway",
}  # fmt: skip
"""What a token can stand at."""

EVENTS = {
    "messageEventDefinition": "message",
    "timerEventDefinition": "timer",
    "signalEventDefinition": "signal",
    "conditionalEventDefinition": "conditional",
    "errorEventDefinition": "error",
    "escalationEventDefinition": "escalation",
    "compensateEventDefinition": "compensate",
    "linkEventDefinition": "link",
    "terminateEventDefinition": "terminate",
    "cancelEventDefinition": "cancel",
}
"""The elements that say what an event is, and the short name of each."""


def known(kind: str) -> Row:
    """What is known of this kind; for `a:b` without a row of its own a refusal."""
    if kind in ELEMENTS:
        return ELEMENTS[kind]
    tag, _, event = kind.partition(":")
    if event:
        return Row(kind, Runs.NO, f"BPMN has no {tag} of the kind {event}.")
    return Row(kind, Runs.NO, "No element of BPMN 2.0 that is known here.")


def page() -> str:
    """The table of all elements as the documentation has it, in Markdown."""
    says = {Runs.YES: "yes", Runs.LENIENT: "leniently", Runs.SHOWN: "shown", Runs.NO: "no"}
    rows = "\n".join(f"| `{row.kind.replace(':', '` `', 1)}` | {says[row.runs]} | {row.why} |" for row in _ROWS)
    return f"| Element | Runs | |\n|---|---|---|\n{rows}\n"
