"""The process that typesets: jobs come in on its input, PDF/A or a PNG goes out on its output, and it can do nothing else.

Run by its path, never imported. It loads every font, then gives up the right to open anything: no file, no socket, no package. Each job may take so
much processor time and so much memory; one that takes more ends this process, and its owner starts another.

A job is four bytes of length and JSON: `files` (text by name; `main.typ` is set), `timestamp` (seconds since 1970), `cpu` (seconds), and `ppi` where
its one page is wanted as pixels, so many to an inch. An answer is one byte (`P` what was asked for, `E` an error as JSON), four bytes of length, what
it is, and one byte more: `.` when this process has done its share, else `+`.
"""

import json
import os
import re
import resource
import struct
import sys
from collections.abc import Callable
from typing import Any

import typst

_PAGES = re.compile(rb"/Type/Pages/Count (\d+)")


def main(memory: int, most_pages: int, most_documents: int, folders: list[str]) -> None:
    """Serve jobs until the input ends, or so many were made."""
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)
    compiler: Any = typst.Compiler(b"", root=os.getcwd(), font_paths=fonts, ignore_system_fonts=True)
    compiler.compile(_every_font(fonts), format="pdf")
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    resident = _resident()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    made = 0
    while head := source.read(4):
        job = json.loads(source.read(*struct.unpack(">I", head)))
        kind, answer = _set(compiler, job, most_pages)
        made += 1
        # What was made stays in the typesetter's memory, and must not leave the next document too little.
        done = made >= most_documents or resident() > memory * 6 // 10
        sink.write(kind + struct.pack(">I", len(answer)) + answer + (b"." if done else b"+"))
        sink.flush()


def _resident() -> Callable[[], int]:
    """What tells the bytes of memory that this process holds. Not `ru_maxrss`, which begins with what the process that started this one held."""
    statm = os.open("/proc/self/statm", os.O_RDONLY)
    page = os.sysconf("SC_PAGE_SIZE")
    return lambda: int(os.pread(statm, 200, 0).split()[1]) * page


def _every_font(fonts: typst.Fonts) -> bytes:
    """A document that makes the typesetter load each of them."""
    return "\n".join(
        f'#text(font: "{each.family}", weight: {each.weight}, style: "{each.style}", fallback: false)[1]'
        for each in fonts.fonts()
    ).encode()


def _set(compiler: Any, job: dict[str, Any], most_pages: int) -> tuple[bytes, bytes]:
    spent = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(spent.ru_utime + spent.ru_stime) + job["cpu"] + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
    files = {name: text.encode() for name, text in job["files"].items()}
    try:
        if job["ppi"] is not None:
            return b"P", _one_page(compiler.compile(files, format="png", ppi=job["ppi"]))
        pdf = compiler.compile(files, format="pdf", pdf_standards="a-2b", timestamp=job["timestamp"])
    except typst.TypstError as error:
        return b"E", json.dumps({"message": error.message, "where": error.diagnostic[:2000]}).encode()
    pages = _PAGES.search(pdf)  # The root of the pages is the first object of the file.
    if pages is None or int(pages[1]) > most_pages:
        return b"E", json.dumps({"message": f"more than {most_pages} pages", "where": ""}).encode()
    return b"P", pdf


def _one_page(made: bytes | list[bytes]) -> bytes:
    return made if isinstance(made, bytes) else made[0]


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
