"""A hostile template reads nothing, reaches nobody, ends in time, and takes nothing from the document after it."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tailrace.core.errors import FieldProblem
from tailrace.documents.typesetter import Bounds, Failed, Typesetter
from tailrace.documents.typesetting import CannotBeTypeset, draw, typeset

HEAD = '#set document(title: "x")\n#set text(font: "Noto Sans CJK JP")\n'
FINE = HEAD + "a document like any other"
ENDLESS = "#for i in range(1000000) { for j in range(1000000) { } }"
SECRET = Path(tempfile.gettempdir()) / "of-somebody-else.txt"


@pytest.fixture(scope="module")
def typesetter() -> Iterator[Typesetter]:
    made = Typesetter(Bounds(cpu=2, seconds=120))
    yield made
    made.close()


@pytest.mark.parametrize(
    "source",
    [
        '#read("/etc/passwd")',
        '#read("../../../../../../etc/passwd")',
        '#read("/proc/self/environ")',
        f'#read("/{SECRET.name}")',
        f'#read("{SECRET.name}")',
        f'#csv("/{SECRET.name}")',
        f'#include "/{SECRET.name}"',
        f'#image("/{SECRET.name}")',
        f'#plugin("/{SECRET.name}")',
        f'#bibliography("/{SECRET.name}")',
        '#import "@preview/cetz:0.2.0"',
        '#import "@local/cetz:0.2.0"',
    ],
)
def test_nothing_is_read_and_nobody_is_reached(typesetter: Typesetter, source: str) -> None:
    # The folder that the process works in is the one where a template could find a file, were it let.
    SECRET.write_text("<p>somebody else's</p>")
    try:
        with pytest.raises(Failed) as failed:
            typesetter.typeset({"main.typ": HEAD + source}, 0)
    finally:
        SECRET.unlink()
    assert "somebody else" not in failed.value.message + failed.value.where
    assert typesetter.typeset({"main.typ": FINE}, 0)


def test_the_process_can_open_nothing_more_and_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAILRACE_SECRET", "of the fleet")
    typesetter = Typesetter()
    try:
        typesetter.typeset({"main.typ": FINE}, 0)
        process = psutil.Process(typesetter.pid)
        assert process.rlimit(psutil.RLIMIT_NOFILE) == (0, 0)
        assert process.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
        assert process.net_connections() == []
        assert not {name for name in process.environ() if name.startswith("TAILRACE")}
    finally:
        typesetter.close()


@pytest.mark.parametrize(
    "source",
    [
        "#let go(n) = { while n > 0 { n = n + 1 } }\n#go(1)",
        ENDLESS,
        '#let go(s) = { while s.len() > 0 { s = s + s } }\n#go("aaaaaaaa")',
        "#let go(a) = { while a.len() > 0 { a = a + a } }\n#go((1, 2))",
        '#("a" * 2000000000)',
        "#range(1000000000).len()",
        "#let f(n) = f(n + 1)\n#f(0)",
        "#let f() = context f()\n#f()",
        "#for i in range(10000) [#i #pagebreak()]",
        "#set page(height: 1pt, margin: 0pt)\n#lorem(100000)",
        "#" + "(" * 5000 + ")" * 5000,
        "#" + "[" * 100000,
    ],
)
def test_what_never_ends_is_stopped_and_the_next_document_is_made(typesetter: Typesetter, source: str) -> None:
    began = time.monotonic()
    with pytest.raises(Failed):
        typesetter.typeset({"main.typ": HEAD + source}, 0)
    assert time.monotonic() - began < 100
    assert typesetter.typeset({"main.typ": FINE}, 0)


def test_time_by_the_clock_is_bounded_as_well() -> None:
    typesetter = Typesetter(Bounds(cpu=600, seconds=1))
    try:
        with pytest.raises(Failed, match="more time or memory"):
            typesetter.typeset({"main.typ": HEAD + ENDLESS}, 0)
        assert typesetter.pid is None
    finally:
        typesetter.close()


def test_pages_bytes_and_jobs_are_bounded() -> None:
    typesetter = Typesetter(Bounds(pages=3, job=10_000))
    try:
        assert typesetter.typeset({"main.typ": HEAD + "#pagebreak()" * 2}, 0)
        with pytest.raises(Failed, match="more than 3 pages"):
            typesetter.typeset({"main.typ": HEAD + "#pagebreak()" * 3}, 0)
        with pytest.raises(Failed, match="more than 10000 bytes"):
            typesetter.typeset({"main.typ": FINE, "data.json": '"' + "x" * 10_000 + '"'}, 0)
    finally:
        typesetter.close()
    small = Typesetter(Bounds(pdf=1000))
    try:
        with pytest.raises(Failed, match="more than 1000"):
            small.typeset({"main.typ": FINE}, 0)
    finally:
        small.close()


def test_a_large_service_does_not_make_the_process_look_large() -> None:
    ballast = bytearray(400 * 2**20)
    ballast[::4096] = b"x" * len(ballast[::4096])
    typesetter = Typesetter()
    try:
        assert typesetter.typeset({"main.typ": FINE}, 0)
        first = typesetter.pid
        assert typesetter.typeset({"main.typ": FINE}, 0)
        assert first is not None and typesetter.pid == first
    finally:
        typesetter.close()
    assert len(ballast)


def test_a_process_is_replaced_after_so_many_and_when_it_died() -> None:
    typesetter = Typesetter(Bounds(documents=2))
    try:
        pids = []
        for _ in range(4):
            assert typesetter.typeset({"main.typ": FINE}, 0)
            pids.append(typesetter.pid)
        assert pids[0] is not None and pids[1] is None and pids[2] not in (None, pids[0])
        typesetter.typeset({"main.typ": FINE}, 0)
        assert typesetter.pid is not None
        process = psutil.Process(typesetter.pid)
        process.kill()
        process.wait()
        assert typesetter.typeset({"main.typ": FINE}, 0)
    finally:
        typesetter.close()


def test_a_document_does_not_pay_for_what_others_left_behind() -> None:
    # A process that has set nothing else yet has no memory of its own left: this document takes 45 MB more.
    typesetter = Typesetter()
    try:
        assert typesetter.typeset({"main.typ": FINE}, 0)
        process = psutil.Process(typesetter.pid)
        process.rlimit(psutil.RLIMIT_DATA, (2**20, 2**20))
        assert typesetter.typeset({"main.typ": HEAD + "#for i in range(1000) [#i #lorem(30)\n\n]"}, 0)
        assert not process.is_running()
    finally:
        typesetter.close()


def test_a_process_that_grew_is_replaced() -> None:
    # The document takes 100 MB of the 160, and a process is replaced beyond 96.
    typesetter = Typesetter(Bounds(memory=160 * 2**20))
    try:
        assert typesetter.typeset({"main.typ": HEAD + "#for i in range(1200) [#i #lorem(30)\n\n]"}, 0)
        assert typesetter.pid is None
    finally:
        typesetter.close()


def test_a_job_leaves_nothing_for_the_next(typesetter: Typesetter) -> None:
    assert typesetter.typeset({"main.typ": FINE, "data.json": '"a"'}, 0)
    with pytest.raises(Failed):
        typesetter.typeset({"main.typ": HEAD + '#json("data.json")'}, 0)


async def test_the_word_of_a_template_is_told_without_the_paths_of_this_machine() -> None:
    with pytest.raises(CannotBeTypeset) as refused:
        await typeset(b'#read("/etc/passwd")', {"date": "2026-11-27"})
    assert refused.value.errors == [FieldProblem(field="template", detail="file not found.")]
    for source in (b"\xff\xfe", b"#(", b"#panic()"):
        with pytest.raises(CannotBeTypeset):
            await typeset(source, {"date": "2026-11-27"})
    with pytest.raises(CannotBeTypeset) as undated:
        await typeset(b"x", {})
    assert [each.field for each in undated.value.errors] == ["/date"]
    with pytest.raises(CannotBeTypeset):
        await typeset("../business", {"date": "2026-11-27"})


def test_the_process_ends_with_its_owner() -> None:
    owns = (
        "import os; from tailrace.documents.typesetter import Typesetter; made = Typesetter();"
        f"made.typeset({{'main.typ': {FINE!r}}}, 0); print(made.pid, flush=True); os._exit(0)"
    )
    owner = subprocess.run([sys.executable, "-c", owns], capture_output=True, text=True, check=True)
    with suppress(psutil.NoSuchProcess):
        psutil.Process(int(owner.stdout)).wait(60)
    assert not psutil.pid_exists(int(owner.stdout))


async def test_a_picture_becomes_pixels_and_can_do_nothing_else() -> None:
    """Twice as many as it has; one that names a file, or is none, is refused."""
    whole = "<svg xmlns='http://www.w3.org/2000/svg' width='40' height='20'>{}</svg>"
    plain = await draw(whole.format("<rect width='40' height='20' fill='#fff'/>"))
    assert plain[:8] == b"\x89PNG\r\n\x1a\n"
    assert [int.from_bytes(plain[at : at + 4]) for at in (16, 20)] == [80, 40]
    for other in (whole.format("<image href='/etc/passwd' width='9' height='9'/>"), "no picture"):
        with pytest.raises(CannotBeTypeset):
            await draw(other)
