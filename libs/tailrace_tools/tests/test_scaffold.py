"""Names of new services: what is guessed, what is refused."""

from itertools import combinations
from pathlib import Path
from typing import get_type_hints

import pytest

from tailrace.cli import new_service
from tailrace.codegen.scaffold import OPTIONS, NotMade, names_for, options_of, scaffold, singular

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("plural", "one"),
    [("widgets", "widget"), ("companies", "company"), ("boxes", "box"), ("billing", "billing"), ("glass", "glass")],
)
def test_one_of_many(plural: str, one: str) -> None:
    assert singular(plural) == one


@pytest.mark.parametrize("name", ["", "x", "Widgets", "1st", "a-b", "a_b", "class", "events", "w" * 31, "wídgets"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(NotMade):
        names_for(name)


@pytest.mark.parametrize("name", ["json", "pydantic", "tailrace"])
def test_the_name_of_an_installed_package_is_refused(name: str) -> None:
    with pytest.raises(NotMade):
        scaffold(names_for(name), [], ROOT)


def test_outside_of_a_checkout_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(NotMade, match="no checkout"):
        scaffold(names_for("widgets"), [], tmp_path)


@pytest.mark.parametrize(
    "options", [chosen for n in range(len(OPTIONS) + 1) for chosen in combinations(OPTIONS, n)], ids=",".join
)
def test_every_text_is_filled_placed_and_python(options: tuple[str, ...]) -> None:
    made = scaffold(names_for("widgets"), [], ROOT, options)
    source = Path("services/widgets/src/widgets")
    assert source / "service.py" in made
    assert (source / "reactions.py" in made, source / "timers.py" in made) == (
        "reaction" in options,
        "timer" in options,
    )
    for path, text in made.items():
        assert "${" not in text and not any(line.startswith("%") for line in text.splitlines()), path
        if path.suffix == ".py":
            compile(text, path, "exec")


def test_options_are_those_that_there_are() -> None:
    assert options_of(None) == options_of(" ") == frozenset()
    assert options_of("part, timer") == {"part", "timer"}
    with pytest.raises(NotMade, match="no option 'alarm'; there are part, reaction, timer, copy, kind"):
        options_of("part,alarm")


def test_the_help_names_each_option() -> None:
    said = get_type_hints(new_service, include_extras=True)["having"].__metadata__[0].help
    assert said == f"Any of {', '.join([*OPTIONS][:-1])} and {[*OPTIONS][-1]}, with commas between."
