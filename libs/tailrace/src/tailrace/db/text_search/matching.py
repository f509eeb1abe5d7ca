"""What tells that two records may be of one party: the same tax id, e-mail address, telephone number, or name.

`match_keys` says what a record has of these. In a service's own rows they are the values that a `Searchable` is found by under the name `match`; of
another context's, a copy keeps `marks_of` them, numbers without a meaning.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any
from uuid import UUID

from tailrace.db.text_search.search import words_of

# Forms of companies that people leave out or write in several ways: they tell two names apart only by accident.
_FORMS = frozenset(
    "ab ag as bv co corp corporation gk gmbh inc kk limited llc ltd nv oy oyj plc pty sa sarl sas sl spa srl".split()
)
_JAPANESE_FORMS = re.compile("株式会社|有限会社|合同会社|合資会社|合名会社|\\(株\\)|\\(有\\)")

MEANING = {"tax": "tax_id", "mail": "email", "phone": "phone", "name": "name"}


def match_keys(
    name: str, tax_ids: Sequence[Mapping[str, Any]], emails: Iterable[str], phones: Iterable[str]
) -> list[str]:
    """`<what>:<value>`, one for each thing that another record of the same party would have too."""
    keys = {f"tax:{one['country']}{one['number']}" for one in tax_ids}
    keys |= {f"mail:{address}" for address in emails} | {f"phone:{number}" for number in phones}
    if bare := bare_name(name):
        keys.add(f"name:{bare}")
    return sorted(keys)


def bare_name(name: str) -> str:
    """A name without spaces, case, width, and the form of the company: `Ａｄａ Works, Ltd.` is `adaworks`."""
    words = words_of(_JAPANESE_FORMS.sub(" ", name))
    return "".join(word for word in words if word not in _FORMS) or "".join(words)


def because(mine: Iterable[str], theirs: Iterable[str]) -> list[str]:
    """What two records share, in words of the API."""
    return sorted({MEANING[key.partition(":")[0]] for key in set(mine) & set(theirs)})


def marks_of(tenant_id: UUID, keys: Iterable[str]) -> dict[int, str]:
    """A number for each key, which tells nothing to those who do not have the key, and what the key is of (`mail`, `phone`, `name`, `tax`)."""
    return {_mark(tenant_id, key): key.partition(":")[0] for key in keys}


def _mark(tenant_id: UUID, key: str) -> int:
    return int.from_bytes(blake2b(key.encode(), digest_size=8, key=tenant_id.bytes).digest(), signed=True)
