"""How a toy is broken: pieces of its text replaced. A piece that is not there exactly once is an error, so that no toy mends itself unseen."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROUTES, MODELS, SUBSCRIBERS = "src/toyshop/routes.py", "src/toyshop/models.py", "src/toyshop/subscribers.py"
FACTS, SERVICE, MIGRATION = "src/toyshop/events.py", "src/toyshop/service.py", "migrations/0001_toyshop.py"


@dataclass(frozen=True)
class Change:
    """In `path`, `new` stands for `old`; no `old` makes a new file."""

    path: str
    old: str
    new: str

    def apply(self, folder: Path) -> None:
        file = folder / self.path
        if not self.old:
            assert not file.exists(), f"{self.path} is there already"
            file.write_text(self.new)
            return
        text = file.read_text()
        assert text.count(self.old) == 1, f"{self.path} holds {text.count(self.old)} times: {self.old}"
        file.write_text(text.replace(self.old, self.new))


@dataclass(frozen=True)
class Toy:
    """`name` says what is wrong, `caught_by` is the invariant's name, and `saying` a part of what it must say."""

    name: str
    caught_by: str
    saying: str
    changes: Sequence[Change]


def toy(name: str, caught_by: str, saying: str, *changes: tuple[str, str, str]) -> Toy:
    return Toy(name, caught_by, saying, [Change(*change) for change in changes])


def migrated(name: str, caught_by: str, saying: str, statement: str) -> Toy:
    """Broken by one more statement at the end of the migration."""
    end = '    insert_only(op, "points_event")\n'
    return toy(name, caught_by, saying, (MIGRATION, end, f"{end}    {statement}\n"))
