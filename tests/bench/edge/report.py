"""What the turns come to: medians, ratios and verdicts, as JSON and as a page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

OURS, DIRECT, BARE = "gateway", "upstream", "bare relay in Python"


@dataclass(frozen=True)
class Goal:
    """A row: ours against a peer's, at least (or, of latencies, at most) so many times."""

    row: int
    measure: str
    peer: str
    times: float
    at_most: bool = False

    def judge(self, ratio: float) -> bool:
        return ratio <= self.times if self.at_most else ratio >= self.times


GOALS = (
    Goal(1, "requests/s per core, RS256, 500 tokens, limits", "nginx", 1.0),
    Goal(1, "requests/s per core, RS256, 500 tokens, limits", "HAProxy", 1.3),
    Goal(1, "requests/s per core, RS256, 500 tokens, limits", "Envoy", 1.7),
    Goal(2, "added latency, one connection, median", "HAProxy", 1.3, at_most=True),
    Goal(2, "added latency, one connection, median", "Envoy", 0.8, at_most=True),
    Goal(3, "requests/s per core, ours with token and limits, theirs plain", "Caddy", 1.3),
)


def summary(turns: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The medians of a side's turns, and how far its rates lay apart."""
    rates = [turn["many"]["rate"] for turn in turns]
    return {
        "rate": round(median(rates), 1),
        "least": min(rates),
        "most": max(rates),
        "cpu": round(median(turn["many"]["cpu"] for turn in turns), 1),
        "p50": median(turn["many"]["p50"] for turn in turns),
        "p99": median(turn["many"]["p99"] for turn in turns),
        "one p50": median(turn["one"]["p50"] for turn in turns),
        "one p99": median(turn["one"]["p99"] for turn in turns),
        "one cpu": round(median(turn["one"]["cpu"] for turn in turns), 1),
    }


def result(
    turns: Mapping[str, Sequence[Mapping[str, Any]]], peers: Mapping[str, Mapping[str, str]], about: Mapping[str, Any]
) -> dict[str, Any]:
    """Ratios are medians of the ratios within each round, which have the same neighbours on the machine."""
    sides = {name: summary(of) for name, of in turns.items()}
    goals = [_judged(goal, turns) for goal in GOALS if goal.peer in turns and OURS in turns]
    return {"about": dict(about), "peers": dict(peers), "sides": sides, "goals": goals, "turns": dict(turns)}


def _judged(goal: Goal, turns: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    pairs = zip(turns[OURS], turns[goal.peer], turns[DIRECT], strict=True)
    if goal.at_most:
        found = [
            (ours["one"]["p50"] - direct["one"]["p50"]) / max(theirs["one"]["p50"] - direct["one"]["p50"], 1)
            for ours, theirs, direct in pairs
        ]
    else:
        found = [ours["many"]["rate"] / theirs["many"]["rate"] for ours, theirs, _ in pairs]
    ratio = round(median(found), 2)
    return {
        "row": goal.row,
        "measure": goal.measure,
        "peer": goal.peer,
        "goal": goal.times,
        "ratio": ratio,
        "met": goal.judge(ratio),
    }


def write(told: Mapping[str, Any], as_json: Path | None, as_page: Path | None) -> None:
    if as_json is not None:
        as_json.write_text(json.dumps(told, indent=1) + "\n")
    text = page(told)
    if as_page is not None:
        as_page.write_text(text)
    print(text)


def page(told: Mapping[str, Any]) -> str:
    goals = [_goal(each) for each in told["goals"]]
    direct = told["sides"].get(DIRECT, {"one p50": 0})["one p50"]
    sides = [_side(name, side, direct) for name, side in told["sides"].items()]
    peers = [f"| {name} | {peer['version']} | {peer['settings']} |" for name, peer in told["peers"].items()]
    about = [f"| {name} | {value} |" for name, value in told["about"].items()]
    lines = [
        "# The gateway beside other proxies",
        "",
        "Written by `make bench ONLY=gateway REPORT=1`; [where the time goes](../explanation/performance.md) explains the figures.",
        "",
        *_table("| Row | Measure | Peer | Goal, times | Found |  |", goals, title="Goals"),
        *_table(
            "| Side | Requests/s | least–most | CPU µs each | p50 ms | p99 ms | one connection: p50 µs | added µs | p99 µs |",
            sides,
            title="Figures",
        ),
        *_table("| Peer | Version | Settings |", peers, title="Peers"),
        *_table("| Machine and run |  |", about, title="Taken on"),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _goal(each: Mapping[str, Any]) -> str:
    bound, verdict = "≤" if _is_latency(each) else "≥", "✓ met" if each["met"] else "✗ missed"
    return f"| {each['row']} | {each['measure']} | {each['peer']} | {bound} {each['goal']:g} | {each['ratio']:g} | {verdict} |"


def _side(name: str, side: Mapping[str, float], direct: float) -> str:
    many = f"{side['rate']:,.0f} | {side['least']:,.0f}–{side['most']:,.0f} | {side['cpu']:,.1f}"
    within = f"{side['p50'] / 1000:.2f} | {side['p99'] / 1000:.2f}"
    one = f"{side['one p50']:,.0f} | {max(side['one p50'] - direct, 0):,.0f} | {side['one p99']:,.0f}"
    return f"| {name} | {many} | {within} | {one} |"


def _is_latency(goal: Mapping[str, Any]) -> bool:
    return "latency" in goal["measure"]


def _table(head: str, rows: Sequence[str], *, title: str) -> list[str]:
    return [f"## {title}", "", head, "|" + "---|" * (head.count("|") - 1), *rows, ""]
