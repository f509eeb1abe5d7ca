"""XML from strangers: no document type, no entity, nothing fetched, a bounded size and depth."""

from typing import Any

from lxml import etree

from workflow.engine import limits
from workflow.engine.findings import Finding, NotRunnable

Node = etree._Element


def parse(source: bytes) -> Node:
    """The root of this file; raises NotRunnable for what is no XML that may be read."""
    if len(source) > limits.MAX_BYTES:
        raise _refused(f"the file may have {limits.MAX_BYTES:,} bytes, this has {len(source):,}")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(source, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _refused(f"is no XML that can be read: {error}") from error
    about: Any = root.getroottree().docinfo
    if about.doctype or about.internalDTD is not None:
        raise _refused("a document type (DOCTYPE) is not allowed")
    count = 0
    pending = [(root, 1)]
    while pending:
        node, depth = pending.pop()
        count += 1
        if depth > 2 * limits.MAX_NESTING:
            raise _refused(f"elements may stand {2 * limits.MAX_NESTING} deep in one another")
        pending.extend((child, depth + 1) for child in node)
    if count > limits.MAX_ELEMENTS:
        raise _refused(f"the file may have {limits.MAX_ELEMENTS:,} elements, this has {count:,}")
    return root


def _refused(why: str) -> NotRunnable:
    return NotRunnable([Finding("", "file", 1, why)])


def local(node: Node) -> str:
    """The name of this element without its namespace; empty for what is none."""
    return etree.QName(node).localname if isinstance(node.tag, str) else ""


def namespace(node: Node) -> str:
    """The namespace of this element; empty without one."""
    return (etree.QName(node).namespace or "") if isinstance(node.tag, str) else ""


def children(node: Node, *names: str) -> list[Node]:
    """The children with one of these names, in the node's own namespace."""
    return [child for child in node if local(child) in names and namespace(child) == namespace(node)]


def text_of(node: Node, name: str) -> str | None:
    """The text of the first child of that name; None without one or when it is empty."""
    for child in children(node, name):
        return "".join(str(part) for part in child.itertext()).strip() or None
    return None


def line(node: Node) -> int:
    """The line of the file where this element begins."""
    found: Any = node.sourceline
    return int(found or 1)


def reference(text: str | None) -> str | None:
    """The id in a reference, which may carry a prefix."""
    return text.rsplit(":", 1)[-1] if text else None
