"""Running instances move to another version, or it is said what keeps them; none loses a task, a timer or its data."""

from typing import Any

import pytest

import workflow.engine as engine

from .conftest import Run, bpmn

SE = '<startEvent id="s"/><endEvent id="e"/>'
TIMER = (
    '<boundaryEvent id="t" attachedToRef="a" cancelActivity="false"><timerEventDefinition>'
    "<timeDuration>{}</timeDuration></timerEventDefinition></boundaryEvent>"
)


def move(old: bytes, new: bytes, state: dict[str, Any]) -> engine.State:
    """The instance, in the other version."""
    before, after = engine.deploy(old).spec_json, engine.deploy(new).spec_json
    assert engine.diff(before, after, state) == []
    return engine.migrate(before, after, state)


def obstacles(old: bytes, new: bytes, state: dict[str, Any]) -> list[engine.Obstacle]:
    """What keeps the instance from the other version, which therefore refuses it."""
    before, after = engine.deploy(old).spec_json, engine.deploy(new).spec_json
    with pytest.raises(engine.Unexpected):
        engine.migrate(before, after, state)
    return engine.diff(before, after, state)


def test_a_hundred_instances_at_different_places_keep_their_tasks() -> None:
    old = bpmn(
        SE,
        '<userTask id="a"/><userTask id="b"/>',
        TIMER.format("P1D"),
        '<sendTask id="n" messageRef="M1"/>',
        "s > a > b > e\nt > n",
    )
    new = bpmn(
        SE,
        '<userTask id="a"/><userTask id="b"/><userTask id="c"/>',
        TIMER.format("P2D"),
        '<sendTask id="n" messageRef="M1"/>',
        "s > a > b > c > e\nt > n",
        key="p2",
    )
    for number in range(100):
        it = Run(old, {"number": number})
        if number % 3 == 1:
            it.done("a", x=number)
        elif number % 3 == 2:
            it.wait(days=1)
        before = it.state.dump()
        moved = move(old, new, before)
        assert [(task.id, task.element_id, task.data) for task in moved.tasks] == [
            (task.id, task.element_id, task.data) for task in it.state.tasks
        ]
        assert [timer.due for timer in moved.timers][: len(it.state.timers)] == [timer.due for timer in it.state.timers]
        assert it.state.dump() == before
        for element in ("a", "b", "c")[number % 3 == 1 :]:
            (task,) = moved.tasks
            assert task.element_id == element
            moved.complete(task.id, {}, it.now)
        assert moved.finished and moved.outcome and moved.outcome["number"] == number


def test_what_is_not_there_any_more_or_is_something_else_is_an_obstacle() -> None:
    old = bpmn(SE, '<userTask id="a"/>', "s > a > e")
    state = Run(old).state.dump()
    gone = obstacles(old, bpmn(SE, '<userTask id="b"/>', "s > b > e"), state)
    assert [(obstacle.element_id, obstacle.why) for obstacle in gone] == [("a", "waits, and is not there")]
    other = obstacles(old, bpmn(SE, '<receiveTask id="a" messageRef="M1"/>', "s > a > e"), state)
    assert "was a userTask and is a receiveTask" in other[0].why
    deeper = obstacles(old, bpmn(SE, '<subProcess id="x"><userTask id="a"/></subProcess>', "s > x > e"), state)
    assert "stands in x" in deeper[0].why


def test_inside_a_sub_process_a_repetition_and_a_join() -> None:
    def version(more: str, key: str = "p") -> bytes:
        return bpmn(
            SE,
            (
                '<subProcess id="x">'
                '<multiInstanceLoopCharacteristics tailrace:collection="xs" tailrace:item="x" tailrace:into="out"/>'
                '<userTask id="a"/></subProcess>'
            ),
            f'<parallelGateway id="g"/><parallelGateway id="j"/><userTask id="b"/>{more}',
            "s > g > x > j > e\ng > b > j",
            key=key,
        )

    it = Run(version(""), {"xs": [1, 2]}).done("b").done("a")
    moved = move(version(""), version('<textAnnotation id="note"/>', "q"), it.state.dump())
    assert [task.element_id for task in moved.tasks] == ["a"]
    moved.complete(moved.tasks[0].id, {"y": 1}, it.now)
    assert moved.finished and moved.outcome and moved.outcome["out"] == [{}, {"y": 1}]
    once = bpmn(
        SE,
        '<subProcess id="x"><userTask id="a"/></subProcess><parallelGateway id="g"/><parallelGateway id="j"/><userTask id="b"/>',
        "s > g > x > j > e\ng > b > j",
    )
    assert {obstacle.element_id for obstacle in obstacles(version(""), once, it.state.dump())} == {"x"}
    without = bpmn(
        SE,
        (
            '<subProcess id="x"><multiInstanceLoopCharacteristics tailrace:collection="xs"/><userTask id="a"/></subProcess>'
            '<parallelGateway id="g"/><parallelGateway id="j"/><userTask id="c"/>'
        ),
        "s > g > x > j > e\ng > c > j",
    )
    assert [
        (obstacle.element_id, "arrived" in obstacle.why)
        for obstacle in obstacles(version(""), without, it.state.dump())
    ] == [("j", True)]


def test_a_new_timer_begins_and_a_dropped_one_is_forgotten() -> None:
    with_timer = bpmn(SE, '<userTask id="a"/>', TIMER.format("PT1H"), '<userTask id="r"/>', "s > a > e\nt > r > e")
    without = bpmn(SE, '<userTask id="a"/><userTask id="r"/>', "s > a > e\nr > e", "s > r")
    it = Run(with_timer)
    assert move(with_timer, without, it.state.dump()).timers == []
    assert [timer.element_id for timer in move(without, with_timer, Run(without).state.dump()).timers] == ["t"]


def test_a_timer_that_has_fired_does_not_fire_again_after_a_move() -> None:
    old = bpmn(SE, '<userTask id="a"/>', TIMER.format("PT1H"), '<userTask id="r"/>', "s > a > e\nt > r > e")
    it = Run(old).wait(hours=1)
    assert it.open == ["a", "r"] and move(old, old, it.state.dump()).timers == []
