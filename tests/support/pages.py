"""The code blocks of a Markdown page, as a reader sees them: in order, with the line on which each begins and what stands right above it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^`([\w./-]+)`$")
_REMARK = re.compile(r"^<!-- (.+) -->$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """`file`: the path that the page says the block is to be saved as. `remark`: the HTML comment above it, which readers do not see."""

    page: Path
    line: int
    language: str
    text: str
    file: str | None
    remark: str | None

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
        )
