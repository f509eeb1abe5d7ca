"""A table of transitions: what it lists leads on, anything else is refused with the state and what that allows."""

from typing import Literal

import pytest

from tailrace.core.errors import Refused
from tailrace.core.transitions import Transitions

State = Literal["draft", "on_hold", "done"]


class WrongState(Refused):
    slug, title = "wrong", "Wrong"


class NotADraft(Refused):
    slug, title = "not-a-draft", "Not a draft"


TABLE: dict[State, dict[str, State]] = {
    "draft": {"held": "on_hold", "finished": "done"},
    "on_hold": {"resumed": "draft", "dropped": "done"},
    "done": {},
}
STATES = Transitions[State]("Paper", TABLE, WrongState, {"finished": NotADraft})


def test_what_is_listed_leads_on() -> None:
    assert STATES.after("draft", "held", "P-1") == "on_hold"
    assert STATES.after("on_hold", "resumed", "P-1") == "draft"
    assert STATES.allowing("dropped") == ["on_hold"]
    assert STATES.allowing("danced") == []


@pytest.mark.parametrize(
    ("state", "step", "kind", "said"),
    [
        ("on_hold", "held", WrongState, "Paper P-1 is on hold: it can be resumed or dropped, not held."),
        ("on_hold", "finished", NotADraft, "Paper P-1 is on hold: it can be resumed or dropped, not finished."),
        ("done", "resumed", WrongState, "Paper P-1 is done: it cannot be resumed any more."),
        ("draft", "danced", WrongState, "Paper P-1 is draft: it can be held or finished, not danced."),
    ],
)
def test_anything_else_is_refused_with_what_is_possible(
    state: State, step: str, kind: type[Refused], said: str
) -> None:
    with pytest.raises(Refused) as refused:
        STATES.after(state, step, "P-1")
    assert (type(refused.value), refused.value.detail) == (kind, said)


def test_a_step_to_nowhere_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="draft leads to gone"):
        Transitions[str]("Paper", {"draft": {"dropped": "gone"}}, WrongState)
