"""How an answer says that it is a file, and under which name it is to be saved (RFC 6266)."""

import re
from urllib.parse import quote

__all__ = ["disposition"]

_UNQUOTABLE = re.compile(r'[^\x20-\x7e]|["\\%]')


def disposition(name: str) -> str:
    """`Content-Disposition` that lets a file be saved and never shown; old clients get the name as far as it is ASCII (RFC 8187 has all of it).

    The name may be any text: what would lead to another folder, or end the header, is an underline in it.
    """
    name = re.sub(r"[/\\\x00-\x1f\x7f]", "_", name)
    plain = _UNQUOTABLE.sub("_", name)
    also = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{plain}"{also}'
