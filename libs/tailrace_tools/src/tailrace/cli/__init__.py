"""`tailrace`: one command line for the whole platform. Each command says what it awaits, what failed and what to do.

Commands import what they need when they run, so that `tailrace status` answers at once.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional
from uuid import UUID

import typer

from tailrace.cli.console import explained
from tailrace.cli.dead_letters.dlq_options import filtered
from tailrace.cli.partners import commands as partner
from tailrace.cli.readers import readers
from tailrace.cli.recovery.backup_commands import backup, restore
from tailrace.cli.recovery.capture_commands import capture
from tailrace.cli.recovery.restored_commands import restored

if TYPE_CHECKING:
    from tailrace.cli.dead_letters.dead_letter_rows import Filter

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Run and inspect Tailrace."
)
events = typer.Typer(no_args_is_help=True, help="Events on Kafka.")
app.add_typer(events, name="events")
app.add_typer(readers, name="reader")
app.add_typer(partner, name="partner")
dlq = typer.Typer(no_args_is_help=True, help="Events that a subscriber could not apply.")
app.add_typer(dlq, name="dlq")
keys = typer.Typer(no_args_is_help=True, help="The keys that access tokens are signed with.")
app.add_typer(keys, name="keys")
app.add_typer(capture, name="capture")
app.add_typer(restored, name="restored")
app.add_typer(backup, name="backup")

new = typer.Typer(no_args_is_help=True, help="Begin something.")
app.add_typer(new, name="new")


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
    from tailrace.cli.health.status import show_status

    raise typer.Exit(0 if show_status(as_json) else 1)


@app.command()
@explained
def doctor() -> None:
    """Check this machine, the download, the ports and what runs, with a remedy for whatever is wrong."""
    from tailrace.cli.health.doctor import examine

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
    topic: Annotated[Optional[str], typer.Argument(help="One topic; every topic of events when left out.")] = None,  # noqa: UP045
    from_start: Annotated[bool, typer.Option("--from-start", help="Everything kept, not only what comes.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", help="Stop after so many; 0 goes on.")] = 0,
) -> None:
    """Print events as they arrive: time, type, key, sequence, tenant, payload."""
    from tailrace.cli.events import print_events

    print_events(topic, from_start=from_start, limit=limit)


Limit = Annotated[int, typer.Option("--limit", "-n", min=0, help="How many at most; 0 for all.")]
PageNumber = Annotated[int, typer.Option("--page", min=1, help="Which part of a long list.")]


@dlq.command("list")
@explained
@filtered
def dlq_list(wanted: "Filter", limit: Limit = 50, page: PageNumber = 1) -> None:
    """Dead letters: the first event of each aggregate, and how many stand behind it; every one when a type, kind or error is named."""
    from tailrace.cli.dead_letters.dead_letter_rows import Page
    from tailrace.cli.dead_letters.dlq import list_dead_letters

    raise typer.Exit(0 if list_dead_letters(wanted, Page(page, limit)) else 1)


@dlq.command("history")
@explained
@filtered
def dlq_history(wanted: "Filter", limit: Limit = 50, page: PageNumber = 1) -> None:
    """What was redriven and dropped by command, newest first: when, by whom, why, and what it came to."""
    from tailrace.cli.dead_letters.dead_letter_rows import Page
    from tailrace.cli.dead_letters.dlq import list_history

    raise typer.Exit(0 if list_history(wanted, Page(page, limit)) else 1)


@dlq.command("show")
@explained
def dlq_show(service: str, topic: str, partition: int, offset: int) -> None:
    """Everything about one record: why it is a dead letter, what stands behind it, its history, and the record. Ends with code 1 without one."""
    from tailrace.cli.dead_letters.dlq import show_record

    raise typer.Exit(0 if show_record(service, topic, partition, offset) else 1)


@dlq.command("redrive")
@explained
@filtered
def dlq_redrive(
    wanted: "Filter",
    reason: Annotated[str, typer.Option("--reason", help="What was cured; kept with it.")],
    everything: Annotated[bool, typer.Option("--all", help="Every dead letter.")] = False,
) -> None:
    """Apply dead letters again, in sequence, where the first of an aggregate is meant. Ends with code 1 when one of them still fails."""
    from tailrace.cli.dead_letters.dlq import redrive_dead_letters

    raise typer.Exit(0 if redrive_dead_letters(wanted, reason, everything=everything) else 1)


@dlq.command("drop")
@explained
@filtered
def dlq_drop(
    wanted: "Filter",
    record: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(
            metavar="[SERVICE SUBSCRIBER TOPIC PARTITION OFFSET]", help="One record; or several, by the options."
        ),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why it is given up; kept with it.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before several are given up.")] = False,
) -> None:
    """Give up one record, or all that the options name, each for good, so that those behind go on. Ends with code 1 when one has to wait."""
    from tailrace.cli.dead_letters.dlq_drop import drop_many, drop_record, place_of

    if record:
        if not wanted.is_empty:
            raise typer.BadParameter("name one record, or several by options, not both")
        drop_record(*place_of(record), reason)
    else:
        raise typer.Exit(0 if drop_many(wanted, reason, ask=None if yes else typer.confirm) else 1)


@keys.command("list")
@explained
def keys_list() -> None:
    """Every key that is known, the newest first, with what it is good for."""
    from tailrace.cli.keys import list_keys

    list_keys()


@keys.command("rotate")
@explained
def keys_rotate(
    now: Annotated[bool, typer.Option("--now", help="Sign with the new key at once, not in two minutes.")] = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="Refuse what older keys signed: one may be stolen.")] = False,
    reason: Annotated[Optional[str], typer.Option("--reason", help="Kept in the log of who did what.")] = None,  # noqa: UP045
) -> None:
    """Replace the signing key. No user is logged out; with --revoke every client has to refresh its token."""
    from tailrace.cli.keys import rotate_keys

    rotate_keys(now=now, revoke=revoke, reason=reason)


@app.command()
@explained
def serve(
    service: str,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8080,
    part: Annotated[str, typer.Option(help="all, api (HTTP) or consumer (events, timers, clean-up).")] = "all",
) -> None:
    """Run one service in the foreground, as a container does. Settings come from TAILRACE_… variables."""
    from tailrace.runtime.__main__ import serve_one

    serve_one(service, host, port, part)


@app.command()
@explained
def prepare(services: Annotated[Optional[list[str]], typer.Argument(help="All when none is named.")] = None) -> None:  # noqa: UP045
    """Make databases, topics and connectors where TAILRACE_POSTGRES, _KAFKA and _CONNECT say; a second time it changes nothing."""
    from tailrace.runtime.__main__ import prepare_some

    prepare_some(services or [])


@app.command()
@explained
def secret(
    service: Annotated[Optional[str], typer.Argument(help="Whose.")] = None,  # noqa: UP045
    into: Annotated[Path | None, typer.Option("--into", help="A folder for Compose, a file for each service.")] = None,
) -> None:
    """Print a service's Kubernetes Secret: its own role's address and its own secret, derived from TAILRACE_POSTGRES and TAILRACE_SECRET."""
    from tailrace.cli.cluster import print_secret, write_secrets

    if (service is None) == (into is None):
        raise typer.BadParameter("name a service, or a folder with --into")
    if into is not None:
        write_secrets(into)
    elif service is not None:
        print_secret(service)


@app.command()
@explained
def verify(
    service: Annotated[str | None, typer.Argument(help="One that is event-sourced; all of them when left out.")] = None,
    tenant: Annotated[Optional[UUID], typer.Option("--tenant", help="Of this tenant alone.")] = None,  # noqa: UP045
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    document: Annotated[Optional[str], typer.Option("--document", help="The document that a bundle is about.")] = None,  # noqa: UP045
    bundle: Annotated[Path | None, typer.Option("--bundle", help="A bundle of one document, checked offline.")] = None,
    export: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--export", help="An export of a whole log, checked offline."),
    ] = None,
    archive: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--archive", help="An archive of a log, or a folder of a company's, checked offline."),
    ] = None,
    head: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--head", help="A head from before: the log has to continue it."),
    ] = None,
    keys: Annotated[Path | None, typer.Option("--keys", help="The keys to trust, as they are published.")] = None,
) -> None:
    """Prove from the events what lists and reports show; or, with a file and nothing running, that a part of the audit log is whole.

    Ends with code 1 when something does not follow, and names the first."""
    if archive is not None:
        from tailrace.cli.evidence import verify_archives

        raise typer.Exit(0 if verify_archives(archive, keys, as_json=as_json) else 1)
    if bundle is not None or export is not None:
        from tailrace.cli.evidence import verify_bundle, verify_export

        if export is not None:
            raise typer.Exit(0 if verify_export(export, head, keys, as_json=as_json) else 1)
        if bundle is None or document is None:
            raise typer.BadParameter("a bundle is about a document: name it", param_hint="--document")
        raise typer.Exit(0 if verify_bundle(document, bundle, head, keys, as_json=as_json) else 1)
    from tailrace.cli.verify import verify as verify_books

    raise typer.Exit(0 if verify_books(service, tenant, as_json=as_json) else 1)


@app.command()
@explained
def rebuild(
    projection: Annotated[str, typer.Argument(help="Its name: <service>.<projection>.")],
    check: Annotated[
        bool, typer.Option("--check", help="Compare and change nothing; ends with code 1 on a difference.")
    ] = False,
) -> None:
    """Build a read model again from the topics while it goes on serving, compare the two, and switch."""
    from tailrace.cli.rebuild import rebuild_projection

    raise typer.Exit(0 if rebuild_projection(projection, check=check) else 1)


app.command("restore")(restore)


@app.command()
@explained
def migrate() -> None:
    """Create and migrate every service's database on the PostgreSQL that runs."""
    from tailrace.cli.lifecycle import migrate_all

    migrate_all()


@app.command("import")
@explained
def import_rows(
    what: Annotated[
        str, typer.Argument(help="What the rows are; a name that is none is answered with those that there are.")
    ],
    file: Annotated[Path, typer.Argument(help="CSV, or XLSX by its name. The first row names the columns.")],
    tenant: Annotated[str, typer.Option("--tenant", help="The company's slug.")],
    email: Annotated[str, typer.Option("--email", help="Who imports; the password is in TAILRACE_PASSWORD.")],
    gateway: Annotated[str | None, typer.Option("--gateway", help="Its address; the stack's own if left out.")] = None,
    encoding: Annotated[Optional[str], typer.Option("--encoding", help="utf-8, cp932 or cp1252.")] = None,  # noqa: UP045
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would become of the rows.")] = False,
) -> None:
    """Import a file of rows through the gateway. Ends with code 1 when a row is refused; a second time it changes nothing."""
    from tailrace.cli.transfer import import_file, password_from_environment

    log_in = {"tenant": tenant, "email": email, "password": password_from_environment()}
    raise typer.Exit(0 if import_file(what, file, log_in, gateway=gateway, encoding=encoding, dry_run=dry_run) else 1)


@new.command("service")
@explained
def new_service(
    name: Annotated[str, typer.Argument(help="In the plural and in lower case: widgets.")],
    one: Annotated[Optional[str], typer.Option("--one", help="What one of them is called, when not widget.")] = None,  # noqa: UP045
    having: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--with", help="Any of part, reaction, timer, copy and kind, with commas between."),
    ] = None,
) -> None:
    """Write a small working service that passes conformance, install it, and describe the fleet again."""
    from tailrace.cli.new import new_service as make

    make(name, one, having)


@new.command("migration")
@explained
def new_migration(
    service: Annotated[str, typer.Argument(help="Whose models changed: widgets.")],
    message: Annotated[str, typer.Argument(help='What is different now: "Widgets have a weight".')],
) -> None:
    """Write the migration from a service's last one to its models. Read it, and add what moves rows."""
    from tailrace.cli.new import new_migration as make

    make(service, message)


@app.command()
@explained
def describe(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing that is committed; fail when it differs.")
    ] = False,
    build: Annotated[
        bool, typer.Option("--build", help="Write only what is not committed: AsyncAPI, pages, …")
    ] = False,
) -> None:
    """Write what follows from the manifests: connectors, schemas, OpenAPI, charts; and build merged documents and pages of it."""
    from tailrace.cli.described import describe_fleet

    raise typer.Exit(describe_fleet(check=check, build=build))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
@explained
def demo(context: typer.Context) -> None:
    """Run the main job against the fleet that runs. Options go to the demo, see `tailrace demo -- --help`."""
    from tailrace.cli.demo import run_demo

    raise typer.Exit(run_demo(context.args))
