"""Builds the charts whole: each service's own two files, and what all have in common, which is in git once.

`make charts` puts them into dist/charts: folders for `helm install`, each with `values.schema.json`, README.md and NOTES.txt, and with the library
chart inside, so that no `helm dependency update` is needed.
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
LIBRARY, WATCH, APPS, POSTGRES = "tailrace-lib", "tailrace-watch", "tailrace-apps", "tailrace-postgres"
ALONE = {LIBRARY, APPS, POSTGRES}
"""Charts that are no service's, and no part of the one of all."""
_GLOBAL = {"type": "object", "properties": {"tailrace": {"$ref": "#/definitions/values"}}}


def chart_names() -> list[str]:
    return sorted(path.parent.name for path in HERE.glob("*/Chart.yaml") if path.parent.name not in ALONE)


def build(folder: Path, names: Sequence[str]) -> list[Path]:
    """The charts below `folder`, which is made anew, by their folders: those named, one of all of them, the app of apps, and PostgreSQL's."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    charts = [_built(folder, name) for name in names]
    return [*charts, _umbrella(folder, charts), _apps(folder, charts), _postgres(folder)]


def _built(folder: Path, name: str) -> Path:
    chart = folder / name
    _copied(name, chart)
    shutil.copytree(HERE / LIBRARY, chart / "charts" / LIBRARY)
    _lay_schema(chart, _schema(_own_schema(name)))
    (chart / "templates/NOTES.txt").write_text('{{ include "tailrace.notes" . }}\n')
    (chart / "README.md").write_text("\n".join(_readme(chart)) + "\n")
    return chart


def _umbrella(folder: Path, charts: Sequence[Path]) -> Path:
    """Every chart in one release; `orders.enabled=false` leaves one out, and `global.tailrace` holds for all."""
    chart = folder / "tailrace"
    for each in charts:
        shutil.copytree(each, chart / "charts" / each.name)
    about = {
        "apiVersion": "v2",
        "name": "tailrace",
        "description": "All of Tailrace in one release",
        "type": "application",
        **_versions(charts[0]),
        "dependencies": [
            {"name": each.name, "version": _versions(each)["version"], "condition": f"{each.name}.enabled"}
            for each in charts
        ],
    }
    (chart / "Chart.yaml").write_text(yaml.safe_dump(about, sort_keys=False))
    values = {"global": {"tailrace": {}}, **{each.name: {"enabled": True} for each in charts}}
    (chart / "values.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    own = {each.name: {"type": "object"} for each in charts}  # each is checked by its own chart's schema
    _lay_schema(chart, _schema({"global": _GLOBAL, **own}, alone=True))
    (chart / "README.md").write_text(
        "# tailrace\n\nAll of Tailrace in one release. `global.tailrace` takes every value of a service's chart and holds for all;"
        " what stands under a chart's name is its own.\n\n```sh\nhelm install tailrace tailrace -f yours.yaml\n```\n\n"
        + _table((each.name, "`true`", _description(each)) for each in charts)
    )
    (chart / "templates").mkdir()
    (chart / "templates/NOTES.txt").write_text(
        "Tailrace {{ .Chart.AppVersion }}, {{ len .Chart.Dependencies }} charts less those not enabled, is in {{ .Release.Namespace }}.\n\n"
        "  kubectl -n {{ .Release.Namespace }} get deployments -l app.kubernetes.io/part-of=tailrace\n"
    )
    return chart


def _description(chart: Path) -> str:
    return str(yaml.safe_load((chart / "Chart.yaml").read_text())["description"])


def _table(rows: Iterable[tuple[str, str, str]]) -> str:
    lines = (f"| `{name}.enabled` | {default} | {meaning} |\n" for name, default, meaning in rows)
    return "| Value | Default | Meaning |\n|---|---|---|\n" + "".join(lines)


def _apps(folder: Path, charts: Sequence[Path]) -> Path:
    chart = folder / APPS
    _copied(APPS, chart)
    waves = [{"name": each.name, "wave": _wave(each)} for each in charts]
    text = (chart / "values.yaml").read_text()
    listed = yaml.safe_dump({"charts": sorted(waves, key=lambda each: (each["wave"], each["name"]))}, sort_keys=False)
    (chart / "values.yaml").write_text(f"{text}# Read off the charts.\n{listed}")
    _lay_schema(chart, _schema({"global": {"type": "object"}, **_own_schema(APPS)}, alone=True))
    return chart


def _postgres(folder: Path) -> Path:
    chart = folder / POSTGRES
    _copied(POSTGRES, chart)
    _lay_schema(chart, _schema({"global": {"type": "object"}, **_own_schema(POSTGRES)}, alone=True))
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    values = (chart / "values.yaml").read_text()
    rows = "\n".join(_table_rows(yaml.safe_load(values), _comments(values, below=0)))
    (chart / "README.md").write_text(
        f"# {POSTGRES}\n\n{about['description']}. Version {about['version']}. It needs the operator, 1.26 or newer; `synchronous` holds a commit"
        f" until a standby has it.\n\n```sh\nhelm install {POSTGRES} {POSTGRES} -f yours.yaml\n```\n\n{rows}\n"
    )
    return chart


def _wave(chart: Path) -> int:
    """Who issues tokens, then the services, then what faces the world, then the watch."""
    service = yaml.safe_load((chart / "values.yaml").read_text())["service"]
    if service.get("operator"):
        return 0
    return 3 if chart.name == WATCH else 2 if service.get("edge") else 1


def _copied(name: str, chart: Path) -> None:
    shutil.copytree(HERE / name, chart, ignore=shutil.ignore_patterns("charts", "Chart.lock", "schema.yaml", "ci"))


def _versions(chart: Path) -> dict[str, str]:
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    return {"version": about["version"], "appVersion": about["appVersion"]}


def _own_schema(name: str) -> dict[str, Any]:
    own = HERE / name / "schema.yaml"
    return yaml.safe_load(own.read_text()) if own.exists() else {}


def _schema(more: Mapping[str, Any], *, alone: bool = False) -> dict[str, Any]:
    """What every service's chart takes, and `more`; `alone`: these properties and no others, by the same definitions."""
    schema: dict[str, Any] = yaml.safe_load((HERE / "schema.yaml").read_text())
    if alone:
        return {
            "$schema": schema["$schema"],
            "type": "object",
            "additionalProperties": False,
            "properties": more,
            "definitions": schema["definitions"],
        }
    schema["definitions"]["values"]["properties"].update(more)
    return schema


def _lay_schema(chart: Path, schema: Mapping[str, Any]) -> None:
    (chart / "values.schema.json").write_text(json.dumps(schema, indent=1) + "\n")


def _readme(chart: Path) -> Iterator[str]:
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    service = yaml.safe_load((chart / "values.yaml").read_text())["service"]
    name = about["name"]
    yield from (f"# {name}", "", f"{about['description']}. Version {about['version']}.", "", "```sh")
    yield from (f"helm install {name} {name} -f yours.yaml", "```", "")
    if name == WATCH:
        yield "It installs the watch that mends capture, and, with monitoring.enabled, alerts and dashboards. Its own values, with what they mean,"
        yield "are in values.yaml; of those below it takes what concerns images, addresses, Secrets, pods and monitoring."
    elif service.get("database") is False:
        yield "It installs a Deployment for HTTP."
    else:
        yield "It installs a Deployment for HTTP, one for consumers and timers, a Job before each install and upgrade that prepares database,"
        yield "topics and connector, and one after an uninstall that removes connector and replication slot."
    if consumes := service.get("consumes"):
        topics = "every topic" if "*" in consumes else ", ".join(f"`{topic}`" for topic in consumes)
        yield f"Its consumers read {topics}."
    yield ""
    values = (chart / "charts" / LIBRARY / "values.yaml").read_text()
    defaults = yaml.safe_load(values)["exports"]["defaults"]
    yield from _table_rows(
        {key: value for key, value in defaults.items() if key != "service"}, _comments(values, below=2)
    )


def _table_rows(defaults: Mapping[str, Any], comments: Mapping[tuple[str, ...], str]) -> Iterator[str]:
    """A row for each value; the comment above a value, or the group it stands in, is its meaning."""
    yield from ("| Value | Default | Meaning |", "|---|---|---|")
    for path, value in _leaves(defaults):
        said = next((comments[path[:n]] for n in range(len(path), 0, -1) if path[:n] in comments), "")
        yield f"| `{'.'.join(path)}` | `{json.dumps(value, ensure_ascii=False)}` | {said} |"


def _leaves(value: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, each in value.items():
        if isinstance(each, dict) and each:
            yield from _leaves(each, (*above, name))
        else:
            yield (*above, name), each


def _comments(text: str, *, below: int) -> dict[tuple[str, ...], str]:
    """The comment right above each key, by the key's path below so many others."""
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
            if above and depth >= below:
                found[tuple(path[below:])] = " ".join(above)
            above = []
    return found
