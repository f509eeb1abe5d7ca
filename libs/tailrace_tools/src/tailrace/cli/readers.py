"""`tailrace reader`: Kafka users for systems that read topics of events, of all tenants. Their passwords are printed once and kept nowhere."""

import json
import re
import secrets
from typing import Annotated

import typer

from tailrace.cli.console import explained

readers = typer.Typer(no_args_is_help=True, help="Users of Kafka that read events.")
_NAME = re.compile(r"[a-z][a-z0-9-]{1,39}")


@readers.command("add")
@explained
def add(
    name: Annotated[str, typer.Argument(help="Of the user. Its consumer groups begin with this and a dot.")],
    topics: Annotated[list[str], typer.Argument(help="What it may read: every tenant's events of these topics.")],
) -> None:
    """Make a user that reads these topics, and print its password as JSON. A second time it gets a new password, and these topics too."""
    from tailrace.runtime import access

    kafka, known = _kafka(name)
    if missing := sorted(set(topics) - known):
        from tailrace.core.operator_error import OperatorError

        raise OperatorError(f"there is no topic {missing[0]}", f"topics: {', '.join(sorted(known))}")
    password = secrets.token_urlsafe(24)
    access.set_password(kafka, name, password)
    access.grant(kafka, access.rights_of_reader(name, topics))
    print(json.dumps({"user": name, "password": password}))


@readers.command("remove")
@explained
def remove(name: Annotated[str, typer.Argument(help="Of the user.")]) -> None:
    """Take a user away, with all it may do; connections that are open get nothing more."""
    from tailrace.runtime import access

    kafka, _ = _kafka(name)
    access.remove_user(kafka, name)


def _kafka(name: str) -> tuple[str, set[str]]:
    """The operator's address of Kafka, and the topics of events. Raises `OperatorError` for a name that is no reader's."""
    from tailrace.cli.running import enter_environment
    from tailrace.core.addresses.kafka import RESERVED
    from tailrace.core.operator_error import OperatorError
    from tailrace.runtime.access import PARTNERS
    from tailrace.runtime.fleet import load_services
    from tailrace.settings import Settings

    enter_environment()
    services = load_services()
    if not _NAME.fullmatch(name) or name in RESERVED | {PARTNERS[:-1]} | {service.name for service in services}:
        raise OperatorError(
            f"a reader cannot be called {name}", "choose another name, of small letters, digits and hyphens"
        )
    return Settings().kafka, {service.topic for service in services if service.topic is not None}
