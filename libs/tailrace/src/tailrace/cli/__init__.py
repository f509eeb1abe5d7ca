"""`tailrace`: one command line for the whole platform. Each command says what it awaits, what failed and what to do.

Commands import what they need when they run, so that `tailrace status` answers at once.
"""

from typing import Annotated, Optional

import typer

from tailrace.cli.console import explained

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Run and inspect Tailrace."
)
events = typer.Typer(no_args_is_help=True, help="Facts on Kafka.")
app.add_typer(events, name="events")


@app.command()
@explained
def up(only: Annotated[str, typer.Option(hidden=True)] = "fleet") -> None:
    """Start PostgreSQL, Kafka, Connect and every service; a second time it changes nothing."""
    from tailrace.cli.lifecycle import bring_up

    bring_up(only)


@app.command()
@explained
def down() -> None:
    """Stop everything in order. The data is kept."""
    from tailrace.cli.lifecycle import take_down

    take_down()


@app.command()
@explained
def status(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """What runs, where, since when, and what failed. Ends with code 1 unless everything is ready."""
    from tailrace.cli.status import show_status

    raise typer.Exit(0 if show_status(as_json) else 1)


@app.command()
@explained
def doctor() -> None:
    """Check this machine, the download, the ports and what runs, with a remedy for whatever is wrong."""
    from tailrace.cli.doctor import examine

    raise typer.Exit(0 if examine() else 1)


@app.command()
@explained
def logs(
    name: Annotated[Optional[str], typer.Argument(help="A part or a service; all of them when left out.")] = None,  # noqa: UP045
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until interrupted.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many to show of each.")] = 20,
) -> None:
    """Show the last lines of the logs."""
    from tailrace.cli.logs import show_logs

    show_logs(name, follow=follow, lines=lines)


@events.command("tail")
@explained
def tail(
    topic: Annotated[Optional[str], typer.Argument(help="One topic; every topic of facts when left out.")] = None,  # noqa: UP045
    from_start: Annotated[bool, typer.Option("--from-start", help="Everything kept, not only what comes.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", help="Stop after so many; 0 goes on.")] = 0,
) -> None:
    """Print facts as they arrive: time, type, key, sequence, tenant, payload."""
    from tailrace.cli.facts import print_facts

    print_facts(topic, from_start=from_start, limit=limit)


@app.command()
@explained
def migrate() -> None:
    """Create and migrate every service's database on the PostgreSQL that runs."""
    from tailrace.cli.lifecycle import migrate_all

    migrate_all()


@app.command()
@explained
def describe(
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail when a file differs.")] = False,
) -> None:
    """Write what follows from the manifests: connectors, schemas, OpenAPI, AsyncAPI."""
    from tailrace.cli.described import describe_fleet

    raise typer.Exit(describe_fleet(check=check))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@explained
def demo(context: typer.Context) -> None:
    """Run the main job against the fleet that runs. Options go to the demo, see `tailrace demo -- --help`."""
    from tailrace.cli.demo import run_demo

    raise typer.Exit(run_demo(context.args))
