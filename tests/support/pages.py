"""The code blocks of a Markdown page, as a reader sees them: in order, with the line on which each begins and what stands right above it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^(?:Save this as )?`([\w./-]+)`(?:$|\. )")
_SEEN = re.compile(r"\S")
_REMARK = re.compile(r"^<!-- (.+) -->$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """`file`: the path that the page says to save it as. `remark`: the HTML comment above it, which readers do not see. `end`: its last line."""

    page: Path
    line: int
    language: str
    text: str
    file: str | None
    remark: str | None
    end: int

    def follows(self, other: "Block") -> bool:
        """Whether nothing that a reader sees stands between the two."""
        between = self.page.read_text().splitlines()[other.end : self.line - 1]
        return not _SEEN.search(re.sub(r"<!--.*?-->", "", "\n".join(between), flags=re.DOTALL))

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: str, language: str | None = None) -> list[Block]:
    """The blocks of a page, named by its path in the checkout; those in one language when it is given."""
    path = ROOT / page
    return [block for block in _blocks(path) if language in (None, block.language)]


def files_of(page: str) -> dict[str, str]:
    """The files that a page shows whole, by their path in the checkout."""
    return {block.file: block.text for block in _blocks(ROOT / page) if block.file is not None}


def _blocks(path: Path) -> Iterator[Block]:
    text = path.read_text()
    for found in _FENCE.finditer(text):
        above = text[: found.start()].rstrip().rpartition("\n\n")[2]
        file, remark = _FILE.match(above), _REMARK.match(above)
        yield Block(
            page=path,
            line=text.count("\n", 0, found.start()) + 1,
            language=found["language"],
            text=found["text"],
            file=file[1] if file else None,
            remark=remark[1] if remark else None,
            end=text.count("\n", 0, found.end()) + 1,
        )
