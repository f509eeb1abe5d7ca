"""`tailrace capture …`: what it takes on the command line; `capture` does it."""

from typing import Annotated

import typer

from tailrace.cli.console import explained

capture = typer.Typer(no_args_is_help=True, help="From the services' outboxes to Kafka: slots, connectors, canaries.")

Deployed = Annotated[
    bool, typer.Option("--deployed", help="Connectors as in deploy/kafka-connect, looked up by the Connect worker.")
]


@capture.command("status")
@explained
def capture_status(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Connectors, slots and canaries of every service. Ends with code 1 unless all are well."""
    from tailrace.cli.recovery.capture import show_capture

    raise typer.Exit(0 if show_capture(as_json=as_json) else 1)


@capture.command("repair")
@explained
def capture_repair(
    service: str,
    renew: Annotated[
        bool, typer.Option("--renew", help="Recreate the slot and publish recent rows again, whatever is found.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--everything", help="The same with every row that the outbox retains.")
    ] = False,
    deployed: Deployed = False,
) -> None:
    """Find what is wrong with one service's capture and mend it. What is published twice has no second effect."""
    from tailrace.cli.recovery.capture import repair_capture

    repair_capture(service, renew=renew, everything=everything, deployed=deployed)


@capture.command("watch")
@explained
def capture_watch(deployed: Deployed = False) -> None:
    """Look at every service and mend what is wrong, until interrupted. For a cluster; the embedded stack does it on its own. Of several, one does."""
    from tailrace.cli.recovery.capture import watch_capture

    watch_capture(deployed=deployed)
