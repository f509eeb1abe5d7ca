"""Builds the charts whole: each service's own two files, and what all have in common, which is in git once.

`make charts` puts them into dist/charts: folders for `helm install`, each with `values.schema.json`, README.md and NOTES.txt, and with the library chart
inside, so that no `helm dependency update` is needed.
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
LIBRARY = "tailrace-lib"


def chart_names() -> list[str]:
    return sorted(path.parent.name for path in HERE.glob("*/Chart.yaml") if path.parent.name != LIBRARY)


def build(folder: Path, names: Sequence[str]) -> list[Path]:
    """The charts below `folder`, which is made anew, by their folders."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return [_built(folder, name) for name in names]


def _built(folder: Path, name: str) -> Path:
    chart = folder / name
    shutil.copytree(HERE / name, chart, ignore=shutil.ignore_patterns("charts", "Chart.lock"))
    shutil.copytree(HERE / LIBRARY, chart / "charts" / LIBRARY)
    schema = yaml.safe_load((HERE / "schema.yaml").read_text())
    (chart / "values.schema.json").write_text(json.dumps(schema, indent=1) + "\n")
    (chart / "templates/NOTES.txt").write_text('{{ include "tailrace.notes" . }}\n')
    (chart / "README.md").write_text("\n".join(_readme(chart)) + "\n")
    return chart


def _readme(chart: Path) -> Iterator[str]:
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    service = yaml.safe_load((chart / "values.yaml").read_text())["service"]
    name = about["name"]
    yield from (f"# {name}", "", f"{about['description']}. Version {about['version']}.", "", "```sh")
    yield from (f"helm install {name} {name} -f yours.yaml", "```", "")
    yield "It installs a Deployment for HTTP" + ("" if service.get("database") is False else (
        ", one for consumers and timers, a Job before each install and upgrade that prepares database, topics and connector, and one after an uninstall"
        " that removes connector and replication slot"
    )) + "."  # fmt: skip
    if consumes := service.get("consumes"):
        topics = "every topic" if "*" in consumes else ", ".join(f"`{topic}`" for topic in consumes)
        yield f"Its consumers read {topics}."
    yield from ("", "| Value | Default | Meaning |", "|---|---|---|")
    yield from _rows(chart / "charts" / LIBRARY / "values.yaml")


def _rows(values: Path) -> Iterator[str]:
    """A row for each value of the library chart; the comment above a value, or the group it stands in, is its meaning."""
    defaults = yaml.safe_load(values.read_text())["exports"]["defaults"]
    comments = _comments(values.read_text())
    for path, value in _leaves(defaults):
        if path[0] != "service":
            said = next((comments[path[:n]] for n in range(len(path), 0, -1) if path[:n] in comments), "")
            shown = json.dumps(value, ensure_ascii=False)
            yield f"| `{'.'.join(path)}` | `{shown}` | {said} |"


def _leaves(value: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, each in value.items():
        if isinstance(each, dict) and each:
            yield from _leaves(each, (*above, name))
        else:
            yield (*above, name), each


def _comments(text: str) -> dict[tuple[str, ...], str]:
    """The comment right above each key, by the key's path below `exports.defaults`."""
    found: dict[tuple[str, ...], str] = {}
    above: list[str] = []
    path: list[str] = []
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith("#"):
            above.append(bare.lstrip("# "))
        elif bare and not bare.startswith("-"):
            depth = (len(line) - len(line.lstrip())) // 2
            path = [*path[:depth], bare.partition(":")[0]]
            if above and depth > 1:
                found[tuple(path[2:])] = " ".join(above)
            above = []
    return found
