"""Names of new services: what is guessed, what is refused."""

from pathlib import Path

import pytest

from tailrace.codegen.scaffold import NotMade, names_for, scaffold, singular

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


def test_every_text_is_filled_and_placed() -> None:
    made = scaffold(names_for("widgets"), [], ROOT)
    assert Path("services/widgets/src/widgets/service.py") in made
    assert not [path for path, text in made.items() if "$" in text]
