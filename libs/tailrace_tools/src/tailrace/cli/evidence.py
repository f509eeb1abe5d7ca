"""`tailrace verify --bundle`, `--export` and `--archive`: check what was taken away from the audit log, where nothing of the platform runs.

Files alone are read. Nothing is asked of a service, a database or the network.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.text import Text

from tailrace.cli.console import out, say_failure
from tailrace.core.operator_error import OperatorError
from tailrace.verify.archive import Archives
from tailrace.verify.evidence import EXPORT_FORMAT, Fault, Verdict, check_bundle, check_export

_SAYS = {
    "changed": "It was changed",
    "cut-off": "It was cut off: the newest is missing",
    "missing": "Something is missing",
    "not-signed": "It is not signed with a key that is trusted",
    "malformed": "It is no such file, or was damaged",
}


def verify_bundle(document: str, bundle: Path, head: Path | None, keys: Path | None, *, as_json: bool) -> bool:
    """Whether a bundle has the whole history of a document, unchanged; with a `head` from before, that the log continues it."""
    trusted = None if keys is None else _keys(keys)
    try:
        verdict = check_bundle(_object(bundle), document, trusted, None if head is None else _head(head))
    except Fault as fault:
        return _fails(fault, as_json=as_json)
    return _holds(f"the whole history of {document}", verdict, trusts=trusted is not None, as_json=as_json)


def verify_export(export: Path, head: Path | None, keys: Path | None, *, as_json: bool) -> bool:
    """Whether an export has every record of a company up to its head, or to the `head` that is given, unchanged."""
    lines = _lines(export)
    first = next(lines, {})
    if first.get("format") != EXPORT_FORMAT:
        raise OperatorError(f"{export} is no export of a log", "take one from the service that keeps the log")
    trusted = None if keys is None else _keys(keys)
    signed = first["head"] if head is None else _head(head)
    try:
        verdict = check_export(signed, lines, trusted or first.get("keys") or {})
    except Fault as fault:
        return _fails(fault, as_json=as_json)
    return _holds(f"the log of {signed['tenant']}", verdict, trusts=trusted is not None, as_json=as_json)


def verify_archives(place: Path, keys: Path | None, *, as_json: bool) -> bool:
    """Whether an archive, or each of those in a folder in the order of their names, is unchanged and continues the one before."""
    files = sorted(each for each in place.rglob("*") if each.is_file()) if place.is_dir() else [place]
    if not files:
        raise OperatorError(f"{place} has no archives", "name one, or the folder of a company's")
    trusted = None if keys is None else _keys(keys)
    archives, verdict = Archives(trusted), None
    for file in files:
        try:
            verdict = archives.take(file.read_bytes())
        except OSError as error:
            raise OperatorError(f"{file} cannot be read: {error}", "it is an archive, as it was kept") from None
        except Fault as fault:
            return _fails(Fault(fault.kind, f"{file.name}: {fault.detail}"), as_json=as_json)
    assert verdict is not None
    whole = replace(verdict, records=archives.records, withheld=archives.withheld)
    return _holds(f"what {len(files)} archives keep", whole, trusts=trusted is not None, as_json=as_json)


def _holds(what: str, verdict: Verdict, *, trusts: bool, as_json: bool) -> bool:
    if as_json:
        said = {"proven": True, **{name: getattr(verdict, name) for name in Verdict.__slots__}}
        out.print(json.dumps(said, indent=2), markup=False)
        return True
    out.print(Text("✓ ", "green") + Text(f"{what} is whole: {verdict.records:,} records, unchanged"))
    out.print(
        f"  in a log of {verdict.size:,} that was signed at {verdict.signed_at} with the key {verdict.key}",
        markup=False,
    )
    if verdict.withheld:
        out.print(
            f"  what {verdict.withheld:,} of them said is not in the file; that they were there is proven", markup=False
        )
    if not trusts:
        out.print(
            "  by the keys in the file: compare them with those you know, or name yours with --keys", markup=False
        )
    return True


def _fails(fault: Fault, *, as_json: bool) -> bool:
    if as_json:
        out.print(json.dumps({"proven": False, "kind": fault.kind, "detail": fault.detail}, indent=2), markup=False)
    else:
        say_failure(f"{_SAYS[fault.kind]}: {fault.detail}", "")
    return False


def _object(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise OperatorError(f"{path} cannot be read: {error}", "it is JSON, as it was answered") from None
    if not isinstance(said, dict):
        raise OperatorError(f"{path} is no JSON object", "it is JSON, as it was answered")
    return said


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            for line in file:
                said = json.loads(line)
                yield said if isinstance(said, dict) else {}
    except (OSError, ValueError, RecursionError) as error:
        raise OperatorError(f"{path} cannot be read: {error}", "it is one JSON object a line") from None


def _head(path: Path) -> dict[str, Any]:
    """A head by itself, in a bundle, or as the API shows it."""
    said = _object(path)
    head = said.get("statement") or said.get("head") or said
    return head if isinstance(head, dict) else {}


def _keys(path: Path) -> dict[str, str]:
    said = _object(path)
    keys = said.get("keys", said)
    return {str(id): str(key) for id, key in keys.items()} if isinstance(keys, dict) else {}
