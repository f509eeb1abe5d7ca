"""What a ZIP archive holds, by the directory at its end (PKWARE APPNOTE, 4.3), read without unpacking anything."""

import struct

LARGEST_DIRECTORY = 1024 * 1024
"""Bytes of the directory that are looked at: some ten thousand entries."""
TAIL = LARGEST_DIRECTORY + 64 * 1024 + 22
"""How much of the end of an archive is needed."""
_END, _ENTRY = b"PK\x05\x06", b"PK\x01\x02"
_END_SIZE, _ENTRY_SIZE = 22, 46


def ends_as_archive(tail: bytes) -> int | None:
    """Where the end record of an archive stands, when what ends with `tail` can be read as one."""
    at = tail.rfind(_END)
    while at >= 0:
        if at + _END_SIZE <= len(tail):
            (comment,) = struct.unpack_from("<H", tail, at + 20)
            if at + _END_SIZE + comment == len(tail):
                return at
        at = tail.rfind(_END, 0, at)
    return None


def entries(tail: bytes, size: int) -> list[str]:
    """The names in an archive of `size` bytes. Raises ValueError when it is none, begins with something else, or is too large to be looked at."""
    at = ends_as_archive(tail)
    if at is None:
        raise ValueError("has no directory at its end")
    count, length, offset = struct.unpack_from("<HII", tail, at + 10)
    if 0xFFFFFFFF in (length, offset) or count == 0xFFFF or length > LARGEST_DIRECTORY:
        raise ValueError("has a directory that is too large")
    begin = at - length
    if begin < 0 or offset + length != size - (len(tail) - at):
        raise ValueError("does not begin where its directory says")
    names, position = [], begin
    for _ in range(count):
        if tail[position : position + 4] != _ENTRY or position + _ENTRY_SIZE > at:
            raise ValueError("has a broken directory")
        name, extra, comment = struct.unpack_from("<HHH", tail, position + 28)
        names.append(tail[position + _ENTRY_SIZE : position + _ENTRY_SIZE + name].decode("utf-8", "replace"))
        position += _ENTRY_SIZE + name + extra + comment
    if position != at:
        raise ValueError("has a broken directory")
    return names
