"""A trace as a picture (SVG 1.1): a lane for each service, causes left of their effects, and what happened alike drawn as one.

It stands alone: no script, no style sheet and no font from elsewhere. It has a title and a description, and each box says in words what it is.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID
from xml.sax.saxutils import escape, quoteattr

from audit.graphs import Edge, Node, Trace

_WIDTH, _HEIGHT = 226, 40
"""Wide enough for the longest name in DejaVu Sans, the widest of the fonts that stand in for the named ones."""
_COLUMN, _ROW = 264, 52
_LEFT, _TOP, _PADDING = 104, 78, 14
_FONT = "font-family='Inter, Noto Sans, Helvetica, Arial, sans-serif'"
_INK, _SOFT, _LINE, _PAPER = "#1d2733", "#5b6773", "#8794a1", "#ffffff"
_LANES = ("#f4f6f8", "#ffffff")
_BOX = {"event": ("#e6f0fa", "#2f6fae"), "access": ("#fdf1dc", "#b0761b")}
_LONGEST = 27
_ANSWERED = " → "


@dataclass(slots=True)
class _Box:
    """One node, or several of one kind that have the same causes."""

    nodes: list[Node]
    layer: int
    row: int = 0
    causes: set[int] = field(default_factory=set)

    @property
    def first(self) -> Node:
        return self.nodes[0]


def draw(trace: Trace) -> str:
    """The picture of a trace."""
    boxes, of_node = _boxes(trace.nodes, trace.edges)
    lanes = _place(boxes)
    tops, height = _tops(lanes)
    columns = max((box.layer for box in boxes), default=0) + 1
    width = _LEFT + columns * _COLUMN + _PADDING
    height += _TOP + 34
    began = trace.nodes[0].at if trace.nodes else None
    body = [*_head(trace, width, height), *_lanes(lanes, tops, width)]
    at = {id(box): (_LEFT + box.layer * _COLUMN, tops[box.first.service] + box.row * _ROW + _PADDING) for box in boxes}
    drawn = set()
    for edge in trace.edges:
        cause, effect = of_node[edge.cause], of_node[edge.effect]
        if cause is not effect and (id(cause), id(effect)) not in drawn:
            drawn.add((id(cause), id(effect)))
            body.append(_arrow(at[id(cause)], at[id(effect)], edge.kind))
    body += [_drawn(box, at[id(box)], began) for box in boxes]
    return "\n".join([*body, _foot(trace, height), "</svg>", ""])


def _boxes(nodes: Sequence[Node], edges: Sequence[Edge]) -> tuple[list[_Box], Mapping[UUID, _Box]]:
    """Each node a layer further right than its last cause; equal ones under the same causes together."""
    causes: dict[UUID, list[UUID]] = defaultdict(list)
    for edge in edges:
        causes[edge.effect].append(edge.cause)
    layers = _layers(nodes, causes)
    boxes: dict[tuple[object, ...], _Box] = {}
    of_node: dict[UUID, _Box] = {}
    for node in _causes_first(nodes, causes):
        from_boxes = frozenset(id(of_node[cause]) for cause in causes[node.id] if cause in of_node)
        alike = (node.service, node.type, node.label, layers[node.id], from_boxes, node.actor_id)
        box = boxes.get(alike)
        if box is None:
            box = boxes[alike] = _Box([], layers[node.id])
        box.nodes.append(node)
        of_node[node.id] = box
    return list(boxes.values()), of_node


def _layers(nodes: Sequence[Node], causes: Mapping[UUID, Sequence[UUID]]) -> Mapping[UUID, int]:
    """Each a layer right of its last cause; what has no cause, right before the first thing that it led to."""
    layers: dict[UUID, int] = {}
    first: dict[UUID, int] = {}
    for node in _causes_first(nodes, causes):
        led = [cause for cause in causes.get(node.id, ()) if cause in layers]
        layers[node.id] = max((layers[cause] + 1 for cause in led), default=0)
        for cause in led:
            first[cause] = min(first.get(cause, layers[node.id]), layers[node.id])
    return {id: layer if causes.get(id) or id not in first else first[id] - 1 for id, layer in layers.items()}


def _causes_first(nodes: Sequence[Node], causes: Mapping[UUID, Sequence[UUID]]) -> list[Node]:
    """In the order of time, but never an effect before its cause: clocks differ."""
    by_id, ordered, seen = {node.id: node for node in nodes}, list[Node](), set[UUID]()
    for node in nodes:
        stack = [(node, False)]
        while stack:
            one, ready = stack.pop()
            if ready:
                ordered.append(one)
            elif one.id not in seen:
                seen.add(one.id)
                stack.append((one, True))
                stack += [(by_id[cause], False) for cause in causes.get(one.id, ()) if cause in by_id]
    return ordered


def _place(boxes: Sequence[_Box]) -> Mapping[str, int]:
    """Rows within each lane; how many rows each lane has, the lanes in the order in which services come in."""
    taken: dict[tuple[str, int], int] = defaultdict(int)
    lanes: dict[str, int] = {}
    for box in sorted(boxes, key=lambda each: (each.layer, each.first.at)):
        service = box.first.service
        box.row = taken[service, box.layer]
        taken[service, box.layer] += 1
        lanes[service] = max(lanes.get(service, 1), box.row + 1)
    return lanes


def _tops(lanes: Mapping[str, int]) -> tuple[Mapping[str, int], int]:
    tops, y = {}, _TOP
    for service, rows in lanes.items():
        tops[service] = y
        y += rows * _ROW + _PADDING
    return tops, y - _TOP


def _head(trace: Trace, width: int, height: int) -> list[str]:
    services = ", ".join(dict.fromkeys(node.service for node in trace.nodes))
    said = f"{len(trace.nodes)} events and requests of {services}, causes on the left. " + _completeness(trace)
    title = f"Trace of {trace.about} {trace.id}"
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-labelledby="title description" {_FONT}>',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="description">{escape(said)}</desc>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0.5 L8 4 L0 7.5 z" fill="{_LINE}"/></marker></defs>',
        f'<rect width="{width}" height="{height}" fill="{_PAPER}"/>',
        f'<text x="16" y="30" font-size="16" font-weight="600" fill="{_INK}">{escape(title)}</text>',
        f'<text x="16" y="52" font-size="12" fill="{_SOFT}">{escape(_span(trace))}</text>',
    ]


def _span(trace: Trace) -> str:
    if not trace.nodes:
        return "Nothing."
    first, last = trace.nodes[0].at, max(node.at for node in trace.nodes)
    return f"{first:%Y-%m-%d %H:%M:%S} UTC, {_after(first, last)} from the first to the last. {_completeness(trace)}"


def _completeness(trace: Trace) -> str:
    if trace.truncated:
        return "There is more than is shown."
    if trace.complete:
        return "Complete."
    return f"{len(trace.missing)} missing."


def _lanes(lanes: Mapping[str, int], tops: Mapping[str, int], width: int) -> list[str]:
    drawn = []
    for number, (service, rows) in enumerate(lanes.items()):
        top, tall = tops[service], rows * _ROW + _PADDING
        drawn.append(f'<rect x="0" y="{top}" width="{width}" height="{tall}" fill="{_LANES[number % 2]}"/>')
        drawn.append(
            f'<text x="16" y="{top + tall / 2 + 4:g}" font-size="12" font-weight="600" fill="{_INK}">{escape(service)}</text>'
        )
    return drawn


def _arrow(cause: tuple[int, int], effect: tuple[int, int], kind: str) -> str:
    (left, top), (right, bottom) = cause, effect
    x1, y1, x2, y2 = left + _WIDTH, top + _HEIGHT / 2, right, bottom + _HEIGHT / 2
    bend = max((x2 - x1) / 2, 24)
    dashed = "" if kind == "caused" else ' stroke-dasharray="4 3"'
    way = f"M{x1:g} {y1:g} C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}"
    return f'<path d="{way}" fill="none" stroke="{_LINE}" stroke-width="1.3"{dashed} marker-end="url(#tip)"/>'


def _drawn(box: _Box, at: tuple[int, int], began: datetime | None) -> str:
    node, (x, y) = box.first, at
    fill, edge = _BOX[node.kind]
    many = f" ×{len(box.nodes)}" if len(box.nodes) > 1 else ""
    name = (node.label or node.type) + many
    drawn = _cut(_brief(node.label or node.type), _LONGEST - len(many)) + many
    when = "" if began is None else f"+{_after(began, node.at)}"
    below = f"{when} · {_actor(node.actor_id)}" if node.actor_id else when
    told = f"{name}, {node.service}, {node.at.isoformat()}, document {node.document_id} event {node.sequence}, by {node.actor_id or 'nobody known'}"
    return (
        f"<g role='img' aria-label={quoteattr(told)}><title>{escape(told)}</title>"
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="5" fill="{fill}" stroke="{edge}"/>'
        f'<text x="{x + 9}" y="{y + 17}" font-size="11.5" font-weight="600" fill="{_INK}">{escape(drawn)}</text>'
        f'<text x="{x + 9}" y="{y + 32}" font-size="10.5" fill="{_SOFT}">{escape(_cut(below, 31))}</text></g>'
    )


def _foot(trace: Trace, height: int) -> str:
    said = "Solid: caused. Dashed: asked for by a request, acted on the same document, or its document came of the other's."
    return f'<text x="16" y="{height - 12}" font-size="10.5" fill="{_SOFT}">{escape(said)}</text>'


def _brief(label: str) -> str:
    """Without what every path has, and what stands for an id."""
    return re.sub(r"\{[^}]*\}", "…", label).replace(" /v1/", " /")


def _actor(actor: str) -> str:
    return actor if ":" in actor else f"user …{actor[-6:]}"


def _cut(text: str, longest: int = _LONGEST) -> str:
    """What is too long loses its end; a request keeps how it was answered."""
    if len(text) <= longest:
        return text
    _, arrow, status = text.rpartition(_ANSWERED)
    end = f"…{arrow}{status}" if arrow else "…"
    return f"{text[: longest - len(end)]}{end}"


def _after(first: datetime, last: datetime) -> str:
    milliseconds = (last - first).total_seconds() * 1000
    if abs(milliseconds) < 10_000:
        return f"{milliseconds:,.0f} ms"
    seconds = milliseconds / 1000
    if abs(seconds) < 120:
        return f"{seconds:,.1f} s"
    return f"{seconds / 60:,.0f} min" if abs(seconds) < 7200 else f"{seconds / 3600:,.1f} h"
