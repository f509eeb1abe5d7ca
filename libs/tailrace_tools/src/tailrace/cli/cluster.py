"""`tailrace secret`: what one service is given in a cluster, and what each is given by Compose."""

import json
import os
from pathlib import Path

from tailrace.core.addresses.kafka import OAUTHBEARER, KafkaAddress
from tailrace.core.operator_error import OperatorError
from tailrace.core.private_files import write_private
from tailrace.runtime.__main__ import named_services
from tailrace.service import Service
from tailrace.settings import Settings

_DEVELOPMENT = "tailrace-development"
"""As docker-compose.yml has it, for a machine of one's own."""


def print_secret(name: str) -> None:
    """The Kubernetes Secret of one service, as JSON for `kubectl apply -f -`, derived from TAILRACE_POSTGRES and TAILRACE_SECRET."""
    (service,) = named_services([name])
    values = _values(service, Settings())
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"tailrace-{name}"}, "stringData": values}
    print(json.dumps(secret, indent=2))


def write_secrets(folder: Path) -> None:
    """A file of variables for each service, readable by nobody else, from the passwords in the environment or those of docker-compose.yml."""
    password = os.environ.get("TAILRACE_POSTGRES_PASSWORD") or _DEVELOPMENT
    if any(each in password for each in "@/:?#"):
        raise OperatorError(
            "TAILRACE_POSTGRES_PASSWORD has one of @ / : ? #",
            "choose another: it stands in an address that Compose fills in",
        )
    settings = Settings(
        postgres=f"postgresql://postgres:{password}@postgres:5432/postgres",
        secret=os.environ.get("TAILRACE_SECRET") or _DEVELOPMENT,
        operator_password=os.environ.get("TAILRACE_OPERATOR_PASSWORD") or _DEVELOPMENT,
    )
    folder.mkdir(parents=True, exist_ok=True)
    for service in named_services([]):
        if not service.stands_in:
            values = _values(service, settings)
            for known in (
                "kafka-user",
                "kafka-token-url",
                "kafka-scope",
            ):  # the service's name, and parts of the address
                values.pop(known, None)
            lines = [f"TAILRACE_{name.upper().replace('-', '_')}={value}" for name, value in values.items()]
            write_private(folder / f"{service.name}.env", "\n".join([*lines, ""]))


def _values(service: Service, settings: Settings) -> dict[str, str]:
    name = service.name
    values = {
        "secret": settings.own_secret(name),
        "kafka-user": name,
        **_kafka(name, settings),
    }
    if service.metadata is not None:
        values["database-url"] = settings.database(name)
    if service.issues_tokens:
        values["kafka-client-key"] = settings.own_kafka_client_key()
        if settings.operator_password:
            values["operator-password"] = settings.operator_password
    return values


def _kafka(name: str, settings: Settings) -> dict[str, str]:
    """What goes with how TAILRACE_KAFKA says that one logs in."""
    address = KafkaAddress.parse(settings.kafka)
    if address.mechanism != OAUTHBEARER:
        return {"kafka-password": settings.kafka_user_password(name)}
    scope = {"kafka-scope": address.scope} if address.scope else {}
    return {"kafka-password": settings.kafka_client_secret(name), "kafka-token-url": str(address.token_url), **scope}
