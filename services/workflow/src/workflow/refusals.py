"""What workflow refuses, each by a name that a client can tell from the others."""

from collections.abc import Sequence

from tailrace.core.errors import CodeTaken, FieldProblem, Forbidden, Invalid, Refused


class NotInThisState(Refused):
    """409: an approval in this state does not allow it; the detail says what is possible."""

    slug, title = "approval-state", "Not possible in this state of the approval"


class NotYours(Forbidden):
    """403: none of the steps that are open waits for the caller, or for somebody in whose place they decide."""

    slug, title = "not-your-decision", "Others decide this"


class OwnRequest(Forbidden):
    """403: nobody decides what they asked for themselves."""

    slug, title = "own-request", "Your own request"


class NotTheRequester(Forbidden):
    """403: only who asked for it can do that."""

    slug, title = "not-the-requester", "Somebody else's request"


class DecidedBefore(Refused):
    """409: the same person decides once per approval, unless a step allows it."""

    slug, title = "decided-before", "You have decided already"


class ClaimedByAnother(Refused):
    """409: somebody else took the step on."""

    slug, title = "claimed", "Somebody else is at it"


class ReasonNeeded(Invalid):
    """422: who rejects says why; so does who approves, where the step asks for it."""

    slug, title = "reason-needed", "Say why"


class OwnersDocument(Refused):
    """409: the document is its owner's: it is changed there, and submitted again."""

    slug, title = "owners-document", "The document is kept elsewhere"


class DelegationLoop(Refused):
    """409: decisions would come back to the one who gave them away."""

    slug, title = "delegation-loop", "The delegation leads back"


class DelegationOver(Refused):
    """409: what has ended is not ended again."""

    slug, title = "delegation-ended", "The delegation has ended"


class KeyTaken(CodeTaken):
    """409: another process has this key."""

    slug, title = "process-key-taken", "This key is in use"


class CannotRun(Invalid):
    """422: the process, or the matrix, cannot run as it is. Names each element at fault."""

    slug, title = "not-runnable", "This cannot run"

    def __init__(self, field: str, findings: Sequence[tuple[str, str]]) -> None:
        """`findings`: what is at fault (an element and its line), and why."""
        said = "; ".join(f"{what}: {why}" for what, why in findings[:20])
        errors = [FieldProblem(field=f"{field}#{what}", detail=why) for what, why in findings[:50]]
        super().__init__(said, field=field, errors=errors)


class NothingToRetry(Refused):
    """409: the instance has no incident."""

    slug, title = "no-incident", "Nothing went wrong here"


class NotAwaited(Refused):
    """409: nothing in the process waits for this message."""

    slug, title = "message-not-awaited", "Nothing waits for this"


class InstanceEnded(Refused):
    """409: the instance came to its end."""

    slug, title = "instance-ended", "The instance has ended"
