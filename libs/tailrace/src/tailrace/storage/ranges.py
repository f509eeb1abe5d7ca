"""Part of a representation (RFC 9110, section 14): one range of bytes, as much as clients ask for to go on where they broke off."""

import re
from collections.abc import Mapping

from tailrace.core.errors import Problem

_ONE = re.compile(r"bytes\s*=\s*([0-9]{0,18})-([0-9]{0,18})\s*")


class RangeRefused(Problem):
    """416: nothing of what `Range` asks for is there; `Content-Range` says how much there is."""

    status, slug, title = 416, "range-not-satisfiable", "No such range"

    def __init__(self, size: int) -> None:
        super().__init__(
            f"There are {size} bytes.",
            field="Range",
            headers={"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"},
        )


def asked_range(headers: Mapping[str, str], etag: str, size: int) -> tuple[int, int] | None:
    """The first byte and the one behind the last that are asked for; None for all of it. Raises RangeRefused.

    Several ranges, and what is no range of bytes, are passed over, as the standard allows; so is one whose `If-Range` names something else.
    """
    said = headers.get("range")
    if said is None or ("if-range" in headers and headers["if-range"].strip() != etag):
        return None
    found = _ONE.fullmatch(said.strip())
    if found is None or found[1] == found[2] == "":
        return None
    if not found[1]:
        last = int(found[2])
        start, end = max(0, size - last), size
    else:
        start, end = int(found[1]), min(size, int(found[2]) + 1) if found[2] else size
        if found[2] and int(found[2]) < start:
            return None
    if start >= min(end, size):
        raise RangeRefused(size)
    return start, end
