"""Where promises lie in a checkout, and what is built of them."""

from collections.abc import Iterator
from pathlib import Path

CONTRACTS = Path("contracts")
SCHEMAS = Path("contracts/schemas")
CHANGES = Path("contracts/changes")
"""What became of the schemas, day by day."""
SAMPLES = Path("contracts/samples")
OPENAPI = Path("contracts/src/contracts/openapi")
MANIFESTS = Path("contracts/src/contracts/manifests")
CONNECTORS = Path("deploy/kafka-connect")
HELM = Path("deploy/helm")
HELM_BY_HAND = frozenset({"tailrace-lib", "tailrace-watch", "tailrace-apps", "tailrace-postgres", "values"})
"""Folders there that no manifest stands for."""
SEEDS = Path("contracts/seeds.tsv")
"""What the designs name to the letter; written by hand."""
SEEDS_PAGE = Path("docs/reference/seeds.md")
BUILT = Path("dist/contracts")
COMPOSE = Path("dist/compose")
IMPORT_CONTRACTS = Path("dist/importlinter.ini")


def promised(root: Path) -> Iterator[Path]:
    """Every file there is below `root` where only promises lie."""
    for folder in (SCHEMAS, SAMPLES, OPENAPI, MANIFESTS, CONNECTORS):
        yield from (path.relative_to(root) for path in (root / folder).rglob("*.json"))
    for path in root.glob(f"{HELM}/*/**/*.yaml"):
        chart, inside = path.relative_to(root / HELM).parts[:2]
        # What `helm dependency update` fetches lies in charts/ and is not committed.
        if chart not in HELM_BY_HAND and inside != "charts":
            yield path.relative_to(root)
