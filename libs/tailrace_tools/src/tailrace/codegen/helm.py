"""A thin Helm chart for each service, from its manifest, over the library chart `tailrace-lib`, which holds the values that all have.

What differs from place to place (addresses, replicas, resources) is a value of the library's, to be overridden; what follows from the manifest
(the consumer, the database, who may call) is written here, so that nobody keeps it in step by hand.
"""

from pathlib import Path

from tailrace.codegen.places import HELM
from tailrace.messaging.subscribers import Journal, Subscriber
from tailrace.service import Service

Files = dict[Path, str]
VERSION = "0.1.0"
_HEAD = "# Generated from the manifests: tailrace describe. Override values in a file of your own: helm install -f yours.yaml\n"
_EVERYBODY = """
# Every service fetches the keys that tokens are checked with.
networkPolicy:
  callers:
    - podSelector: { matchLabels: { app.kubernetes.io/part-of: tailrace } }
"""


def chart(service: Service) -> Files:
    """`Chart.yaml`, `values.yaml` with what is not as in the library chart, and the one template; nothing for one that only stands in."""
    if service.stands_in:
        return {}
    folder = HELM / service.name
    return {
        folder / "Chart.yaml": _chart(service),
        folder / "values.yaml": _values(service),
        folder / "templates/service.yaml": '{{ include "tailrace.service" . }}\n',
    }


def _chart(service: Service) -> str:
    return f"""{_HEAD}apiVersion: v2
name: {service.name}
description: The {service.name} service of Tailrace
type: application
version: {VERSION}
appVersion: "{VERSION}"
dependencies:
  - name: tailrace-lib
    version: {VERSION}
    repository: file://../tailrace-lib
    import-values: [defaults]
"""


def _values(service: Service) -> str:
    consumes = sorted({topic for subscriber in service.subscribers for topic in _named(subscriber)})
    lines = ["service:", f"  name: {service.name}"]
    if service.metadata is None:
        lines.append("  database: false")
    if service.edge:
        lines.append("  edge: true")
    if service.issues_tokens:
        lines.append("  operator: true")
    if service.attachments or service.stores:
        lines.append("  files: true")
    if consumes:
        lines.append(f"  consumes: [{', '.join(consumes)}]")
    return _HEAD + "\n".join(lines) + "\n" + (_EVERYBODY if service.issues_tokens else "")


def _named(subscriber: Subscriber) -> frozenset[str]:
    """Its topics; of one that keeps a topic whole, all of them, so that the file stays the same when a service is added."""
    return frozenset({'"*"'}) if isinstance(subscriber, Journal) else subscriber.topics
