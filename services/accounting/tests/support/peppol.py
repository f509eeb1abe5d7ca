"""OpenPEPPOL's rules for BIS Billing 3, and the CEN's for EN 16931 below them, as they are published: of each release as XSLT, in a package of a
Maven repository that is fetched once, checked against `peppol.lock`, and kept with what the development stack fetches."""

import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree
from saxonche import PySaxonProcessor

from tailrace.stack.artifacts import Lock, cache_folder, fetch

RELEASE = "2026.5"
RULES = ("CEN-EN16931-UBL", "PEPPOL-EN16931-UBL")
SVRL = "{http://purl.oclc.org/dsdl/svrl}"
_LOCK = Path(__file__).with_name("peppol.lock")


def findings(document: bytes) -> Sequence[str]:
    """The rules that a document breaks, as `<id>: <what it says>`; warnings too."""
    read = etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    node = _processor().parse_xml(xml_text=etree.tostring(read).decode())
    return [finding for rules in RULES for finding in _of(rules, node)]


def _of(rules: str, node: Any) -> list[str]:
    said = etree.fromstring(_compiled(rules).transform_to_string(xdm_node=node).encode())
    assert len(said.findall(f"{SVRL}fired-rule")) > 10, "the rules looked at it"
    return [f"{each.get('id')}: {each.findtext(f'{SVRL}text')}" for each in said.iter(f"{SVRL}failed-assert")]


@cache
def _processor() -> Any:
    return PySaxonProcessor(license=False)


@cache
def _compiled(rules: str) -> Any:
    (package,) = Lock.parse(_LOCK.read_text()).artifacts
    kept = cache_folder(Path(".tailrace").absolute())
    fetch([package], kept)
    text = zipfile.ZipFile(package.here(kept)).read(f"external/schematron/openpeppol/{RELEASE}/xslt/{rules}.xslt")
    return _processor().new_xslt30_processor().compile_stylesheet(stylesheet_text=text.decode())
