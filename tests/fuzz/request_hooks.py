"""Run by Schemathesis before each request.

Keys: each request that brings an Idempotency-Key brings one of its own, or most would be refused as reuse or be replayed. Currencies: three capitals
are mostly none. Streams: they show what there is and end, or each would last an hour. Spared: what would end the session of the user who asks (the
user, and the role) is not touched, or from then on every answer would be a 401. Shared: a run that asks a share asks no case twice (`shares`).
"""

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import schemathesis
from schemathesis.generation import GenerationMode
from schemathesis.generation.meta import CoveragePhaseData
from shares import Share

_KEY = "Idempotency-Key"
_CURRENCY = re.compile("[A-Z]{3}")
_SPARED = frozenset(os.environ.get("SPARED", "").split())
_SHARED = os.environ.get("FUZZ_SHARED") == "1"


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Of the cases at the bounds, those of the run's share."""
    varied = case.meta.phase.data
    if not _SHARED or not isinstance(varied, CoveragePhaseData):
        return True
    good = case.meta.generation.mode == GenerationMode.POSITIVE
    return _share().has(case.operation.label, case.operation.definition.raw, varied, good=good)


@cache
def _share() -> Share:
    """Of the document that is asked, which lies where Schemathesis runs."""
    return Share(json.loads(Path("openapi.json").read_text()), os.environ["FUZZ_SEED"])


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    key = (case.headers or {}).get(_KEY)
    if isinstance(key, str) and 1 <= len(key.strip()) <= 255:
        case.headers[_KEY] = str(uuid4())
    for name, value in (case.path_parameters or {}).items():
        if str(value).lower() in _SPARED:
            case.path_parameters[name] = str(uuid4())
    if case.path.endswith("/stream"):
        _end_at_once(case)
    _in_euro(case.body)


def _end_at_once(case: Any) -> None:
    """What is refused is asked for as it is."""
    lasts = (case.query or {}).get("seconds", 1)
    if str(lasts).isdigit() and int(lasts) <= 3600:
        case.query = {**(case.query or {}), "seconds": 0}


def _in_euro(node: Any) -> None:
    if isinstance(node, list):
        for each in node:
            _in_euro(each)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name == "currency" and isinstance(value, str) and _CURRENCY.fullmatch(value):
                node[name] = "EUR"
            else:
                _in_euro(value)
