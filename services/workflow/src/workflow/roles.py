"""The roles that a version of a process names: who has one may be asked, so identity keeps it while the version counts.

What an expression puts together as it runs is not known before; a role that stands in it as it is, is.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from lxml import etree

from workflow import matrix
from workflow.processes import MATRIX, ProcessVersion
from workflow.rules import approver_groups

_SAY_WHO = ("approvers", "escalate")
"""What names people, in a row of a matrix and at a task."""
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
_IN_AN_EXPRESSION = re.compile(r"\brole:([^,|:\s\"'][^,|\"']{0,63})")


def of_rows(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """Those that requirements name."""
    return {role for row in rows for name in _SAY_WHO for role in _of_text(row.get(name))}


def of_version(version: ProcessVersion) -> Sequence[str]:
    """Those that its tasks, its lanes and its decisions name, in order."""
    tables = (_of_decision(name, dmn) for name, dmn in version.decisions.items())
    return sorted(set(_of_tasks(version.spec)).union(*tables))


def asked(version: ProcessVersion, named: Iterable[Mapping[str, Any]] | None) -> Sequence[str]:
    """Those that may come to be asked: the version's, and those of the steps that a requester named."""
    return sorted({*of_version(version), *of_rows(named or ())})


def _of_tasks(spec: Mapping[str, Any]) -> Iterator[str]:
    """A task that says nobody is for those of its lane, or of the lane around it."""
    for process in spec["processes"].values():
        for node in process["nodes"].values():
            own, lane = node.get("own", {}), node.get("lane")
            yield from of_rows([own])
            if lane and "approvers" not in own:
                yield from of_rows([{"approvers": f"role:{lane}"}])


@lru_cache(maxsize=256)
def _of_decision(name: str, dmn: str) -> frozenset[str]:
    if name == MATRIX:
        return frozenset(of_rows(rule.then for rule in matrix.read(dmn.encode()).rules))
    texts = etree.fromstring(dmn.encode(), _PARSER).itertext()
    return frozenset(role for text in texts for role in _in_an_expression(str(text)))


def _of_text(said: Any) -> Iterable[str]:
    if not isinstance(said, str) or not said:
        return ()
    try:
        return [one[5:] for group in approver_groups(said) for one in group if one.startswith("role:")]
    except ValueError:
        return _in_an_expression(said)


def _in_an_expression(text: str) -> Iterable[str]:
    return [found.strip() for found in _IN_AN_EXPRESSION.findall(text)]
