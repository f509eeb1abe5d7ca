"""Builds every chart whole into dist/charts, and tries each: helm's lint and schema, what must be refused, and every object against Kubernetes.

`make charts` runs this. helm is taken from the PATH, else from beside this interpreter. Each chart is rendered with each file of `values/`, or of
its own folder `ci`, and checked against the schemas of three versions of Kubernetes, which `kubernetes-validate` carries; objects of others (KEDA,
the Prometheus Operator, the Gateway API, External Secrets, Argo CD, CloudNativePG) against the parts of theirs that the charts use, in `crds.yaml`.
`--only orders,gateway` takes these alone.
Ends with code 1 and names the object, the field and the reason.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import promql_parser
import yaml
from build import LIBRARY, POSTGRES, build, chart_names

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ALERTS, DASHBOARDS = HERE / "tailrace-watch/files/alerts.yml", HERE / "tailrace-watch/files/dashboards"
VERSIONS = ("1.31", "1.34", "1.37")
LABELS = {"http_request_method", "http_response_status_code", "http_route"}
REFUSED: tuple[tuple[str, str], ...] = (
    # What is given, and what the refusal must name.
    ("api.replica=3", "replica"),
    ("consumer.replicas=abc", "consumer.replicas"),
    ("consumer.replicas=7", "topics.partitions"),
    ("api.autoscaling.enabled=true,api.autoscaling.maxReplicas=2", "api.autoscaling.maxReplicas"),
    (
        "consumer.autoscaling.enabled=true,consumer.autoscaling.minReplicas=4,consumer.autoscaling.maxReplicas=3",
        "minReplicas",
    ),
    ("api.autoscaling.enabled=true,api.autoscaling.cpu=0,api.autoscaling.memory=0", "goes by nothing"),
    ("topics.minInsyncReplicas=4", "topics.minInsyncReplicas"),
    ("image.digest=sha256:12", "image.digest"),
    ("kafka.protocol=tls", "kafka.protocol"),
    ("kafka.protocol=sasl_ssl,kafka.mechanism=OAUTHBEARER", "kafka.tokenUrl"),
    ("kafka.brokers=user:password@kafka:9092", "kafka.brokers"),
    ("postgres.sslmode=on", "postgres.sslmode"),
    ("settings.LOG_LEVEL=INFO", "settings"),
    ("settings.TAILRACE_POLL_INTERVAL_MS=50", "settings"),
    ("api.resources.requests.memory=lots", "api.resources.requests.memory"),
    ("global.tailrace.conect=http://connect:8083", "conect"),
)
REFUSED_OF_THE_EDGE = (
    ("ingress.enabled=true", "trustedProxies"),
    ("httpRoute.enabled=true,trustedProxies[0]=10.0.0.0/8", "parentRefs"),
)
REFUSED_OF_OTHERS: dict[str, tuple[tuple[str, str], ...]] = {
    POSTGRES: (
        ("synchronous=3", "synchronous"),
        ("slotsKeep=10GB", "walStorage.size"),
        ("slotsKeep=4", "slotsKeep"),
        ("slots=4", "slots"),
        ("parameters.wal_level=minimal", "parameters"),
        ("instance=3", "instance"),
        ("backup.schedule=0 3 * * *", "backup.schedule"),
    )
}


def main() -> int:
    told = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    told.add_argument("--only", default="", help="charts, separated by commas")
    told.add_argument("--into", type=Path, help="where the charts are built; dist/charts without it")
    arguments = told.parse_args()
    helm = shutil.which("helm") or shutil.which("helm", path=str(Path(sys.executable).parent))
    if helm is None:
        print("helm is missing: put it on the PATH, or install locks/requirements-charts.lock", file=sys.stderr)
        return 1
    names = [each for each in arguments.only.split(",") if each] or chart_names()
    folder = arguments.into or ROOT / "dist/charts"
    built = build(folder, names)
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda chart: tried(helm, chart), built))
    faults = [fault for _, found in results for fault in found] + list(faults_of_alerts())
    for fault in faults:
        print(fault, file=sys.stderr)
    objects = sum(count for count, _ in results)
    sets = len(list((HERE / "values").glob("*.yaml")))
    print(
        f"{len(built)} charts, {sets} value sets, {objects} objects, Kubernetes {', '.join(VERSIONS)}: {len(faults)} faults"
    )
    return 1 if faults or not objects else 0


def tried(helm: str, chart: Path) -> tuple[int, list[str]]:
    """How many objects there are, and what is wrong."""
    objects, faults = 0, []
    service = yaml.safe_load((chart / "values.yaml").read_text()).get("service")
    with tempfile.TemporaryDirectory() as folder:
        for values in value_sets(chart.name, Path(folder)):
            if said := refusal(helm, "lint", "--strict", str(chart), "-f", str(values)):
                faults.append(f"{chart.name}, {values.stem}: {said}")
                continue
            found = rendered(helm, chart, "-f", str(values))
            objects += len(found)
            faults += [f"{chart.name}, {values.stem}: {fault}" for each in found for fault in faults_of(each)]
            faults += [f"{chart.name}, {values.stem}: {fault}" for fault in doubles(found)]
            faults += [f"{chart.name}, {values.stem}: {fault}" for fault in untold(found, settings_of(values))]
    if service is not None:
        wrong = REFUSED + (REFUSED_OF_THE_EDGE if service.get("edge") else ())
        faults += [f"{chart.name}: {fault}" for fault in not_refused(helm, chart, wrong)]
    faults += [f"{chart.name}: {fault}" for fault in not_refused(helm, chart, REFUSED_OF_OTHERS.get(chart.name, ()))]
    return objects, faults


def faults_of_alerts() -> Iterator[str]:
    """Rules and dashboards that do not parse, that ask for a metric which nobody shows, and alerts without a page on what to do."""
    shown = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "docs/reference/metrics.md").read_text(), re.MULTILINE))
    headings = set(re.findall(r"^## (\w+)$", (ROOT / "docs/how-to/alerts.md").read_text(), re.MULTILINE))
    text = (HERE / LIBRARY / "templates/_monitors.tpl").read_text()
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    recorded = {rule["record"] for rule in rules if "record" in rule}
    asked = {rule.get("alert") or rule["record"]: rule["expr"] for rule in rules}
    for path in sorted(DASHBOARDS.glob("*.json")):
        panels = json.loads(path.read_text())["panels"]
        asked |= {f"{path.name}, {p['title']}": t["expr"] for p in panels for t in p.get("targets", ())}
    for name, expression in asked.items():
        filled = expression.replace("$__rate_interval", "5m").replace("$job", ".*")
        try:
            promql_parser.parse(filled)
        except ValueError as error:
            yield f"{name}: {error}"
        for metric in re.findall(r"\b(?:job:\w+:\w+|(?:tailrace|http|messaging)_\w+)(?=[\[{)\s]|$)", filled):
            of = re.sub(r"_(bucket|count|sum)$", "", metric)
            if metric not in recorded and of not in shown and metric not in LABELS:
                yield f"{name} asks for {metric}, which nobody shows"
    alerts = {rule["alert"] for rule in rules if "alert" in rule} | set(re.findall(r"alert: (\w+)", text))
    yield from (f"{alert} has no page in docs/how-to/alerts.md" for alert in sorted(alerts - headings))
    yield from (f"docs/how-to/alerts.md tells of {each}, which is no alert" for each in sorted(headings - alerts))


def value_sets(chart: str, folder: Path) -> list[Path]:
    """The files to try it with, its own where it has some; of a chart of charts, two of them, put where it takes what holds for all."""
    if (own := HERE / chart / "ci").is_dir():
        return sorted(own.glob("*.yaml"))
    sets = sorted((HERE / "values").glob("*.yaml"))
    if chart not in {"tailrace", "tailrace-apps"}:
        return sets
    wrapped = []
    for each in sets:
        if each.stem in {"default", "production"}:
            values = yaml.safe_load(each.read_text())
            whole = {"values": values} if chart == "tailrace-apps" else {"global": {"tailrace": values}}
            (folder / each.name).write_text(yaml.safe_dump(whole))
            wrapped.append(folder / each.name)
    return wrapped


def rendered(helm: str, chart: Path, *switches: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [helm, "template", chart.name, str(chart), "--namespace", "tailrace", *switches],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"helm template {chart.name} {' '.join(switches)}:\n{done.stderr}")
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def not_refused(helm: str, chart: Path, wrong: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Values that helm takes although they make no sense, or refuses without naming what is wrong."""
    for given, named in wrong:
        said = refusal(helm, "template", chart.name, str(chart), "--set", given)
        if said is None:
            yield f"--set {given} is taken"
        elif named not in said:
            yield f"--set {given} is refused without a word of {named}: {said}"


def refusal(helm: str, *arguments: str) -> str | None:
    done = subprocess.run([helm, *arguments], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else None


def doubles(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    seen = set()
    for each in found:
        name = (each["kind"], each["metadata"]["name"])
        if name in seen:
            yield f"{' '.join(name)} is there twice"
        seen.add(name)


def settings_of(values: Path) -> set[str]:
    given = yaml.safe_load(values.read_text()) or {}
    over = (given.get("global") or {}).get("tailrace") or {}
    return {*(given.get("settings") or {}), *(over.get("settings") or {})}


def untold(found: Sequence[dict[str, Any]], settings: set[str]) -> Iterator[str]:
    """Processes that some setting does not reach: whoever prepares and repairs connectors needs what the services have."""
    maps = {each["metadata"]["name"]: each.get("data") or {} for each in found if each["kind"] == "ConfigMap"}
    for each in found:
        for container in (
            each["spec"]["template"]["spec"]["containers"] if each["kind"] in {"Deployment", "Job"} else ()
        ):
            known = {one["name"] for one in container.get("env", ())}
            for source in container.get("envFrom", ()):
                known |= set(maps.get(source.get("configMapRef", {}).get("name"), ()))
            yield from (
                f"{each['kind']} {each['metadata']['name']} is not told {one}" for one in sorted(settings - known)
            )


def faults_of(thing: dict[str, Any]) -> Iterator[str]:
    name = f"{thing.get('kind')} {thing.get('metadata', {}).get('name')}"
    kind = f"{thing.get('apiVersion')}/{thing.get('kind')}"
    if kind in OTHERS:
        checker = jsonschema.Draft202012Validator({**OTHERS[kind], "$defs": DEFINITIONS})
        yield from (f"{name}, {'.'.join(map(str, e.path))}: {e.message}" for e in checker.iter_errors(thing))
        return
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(thing, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{name}, Kubernetes {version}, {'.'.join(map(str, error.path))}: {error.message}"
    yield from misdirected(thing, name)


def misdirected(thing: dict[str, Any], name: str) -> Iterator[str]:
    """What a schema cannot see: a Deployment that selects none of its pods, and two variables or volumes of one name."""
    spec = thing.get("spec") or {}
    template = spec.get("template") or {}
    if thing["kind"] == "Deployment":
        wanted, given = spec["selector"]["matchLabels"], template["metadata"]["labels"]
        if not wanted.items() <= given.items():
            yield f"{name} does not select its pods: {wanted} of {given}"
    pod = template.get("spec") or {}
    for container in pod.get("containers", ()):
        for what, each in (("variable", container.get("env", ())), ("volume", pod.get("volumes", ()))):
            names = [one["name"] for one in each]
            yield from (f"{name}: the {what} {one} is there twice" for one in {n for n in names if names.count(n) > 1})
        mounted = {one["name"] for one in container.get("volumeMounts", ())}
        yield from (
            f"{name} mounts {one}, which is no volume" for one in mounted - {v["name"] for v in pod.get("volumes", ())}
        )


OTHERS: dict[str, Any] = yaml.safe_load((HERE / "crds.yaml").read_text())
DEFINITIONS: dict[str, Any] = OTHERS.pop("definitions")


if __name__ == "__main__":
    sys.exit(main())
