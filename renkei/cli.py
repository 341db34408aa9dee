"""The command line: reads options and the environment, calls what does the work, shows refusals.

A command imports what it runs, so that each process loads that alone.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer

from domain.model.errors import DomainError
from domain.model.roles import Role
from domain.settings import (
    Settings,
    database_url,
    log_level,
    loss_window,
    owner_database_url,
    public_url,
)
from renkei import home
from renkei.logs import configure_logs
from renkei.refusal import Refusal

app = typer.Typer(
    name="renkei",
    help="One true stock total per product, and every mall shows the right number.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
schema = typer.Typer(help="The GraphQL schema.", no_args_is_help=True)
account = typer.Typer(help="Merchant companies.", no_args_is_help=True)
user = typer.Typer(help="People of an account.", no_args_is_help=True)
token = typer.Typer(help="Tokens of the API.", no_args_is_help=True)
listings = typer.Typer(help="Listings: what the malls show.", no_args_is_help=True)
app.add_typer(account, name="account")
app.add_typer(user, name="user")
app.add_typer(token, name="token")
app.add_typer(schema, name="schema")
app.add_typer(listings, name="listings")

DataDir = Annotated[
    Path | None,
    typer.Option(help="The folder of the embedded engines. [RENKEI_DATA_DIR]", show_default=False),
]
Host = Annotated[str, typer.Option(help="The address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free port and prints it.")]
Account = Annotated[str, typer.Option(help="The account's code.")]
Name = Annotated[str, typer.Option(help="What people call it.")]
Email = Annotated[str, typer.Option(help="The mail address to sign in with.")]
Listener = Annotated[int | None, typer.Option("--fd", hidden=True)]


@app.callback()
def begin(context: typer.Context) -> None:
    configure_logs(log_level(os.environ), context.invoked_subcommand or "renkei")


@app.command()
def up(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    data_dir: DataDir = None,
    sandbox: Annotated[bool, typer.Option(help="Serve the sandbox malls as well.")] = True,
) -> None:
    """Start everything: PostgreSQL, Valkey, the API, a worker and the sandbox malls."""
    from renkei.demo.note import speed_of_malls
    from renkei.up import Plan, serve_all

    path = home.data_path(data_dir, os.environ)
    serve_all(Plan(host, port, path, sandbox, speed_of_malls(path)), os.environ)


@app.command()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End when the replay has settled: 0 if all balances.")
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", help="No story; after the replay, serve data that stands still."),
    ] = False,
    orders: Annotated[int, typer.Option(min=1, help="How many real orders to replay.")] = 240,
    port: Port = 8000,
    data_dir: DataDir = None,
    plain: Annotated[bool, typer.Option("--plain", help="Lines instead of a table.")] = False,
    rate: Annotated[
        float | None,
        typer.Option(min=0.1, max=100, help="Orders a second.", show_default="about 90 s in all"),
    ] = None,
    speed: Annotated[
        int, typer.Option(min=0, help="How fast the malls' clocks go; 0 lifts limits and delays.")
    ] = 60,
    calm: Annotated[bool, typer.Option("--calm", help="Nothing is made to go wrong.")] = False,
    story: Annotated[
        float, typer.Option(min=0, help="Seconds that the story takes; 0 leaves it out.")
    ] = 90,
) -> None:
    """Show Renkei at work: an example shop, real orders, malls on which things go wrong."""
    from renkei.demo.command import run
    from renkei.demo.story import Wishes
    from renkei.up import Plan

    plan = Plan("127.0.0.1", port, home.data_path(data_dir, os.environ), sandbox=True)
    wishes = Wishes(orders, once, quiet, calm, rate, speed, story)
    if not run(plan, wishes, os.environ, plain=plain):
        raise typer.Exit(1)


@app.command()
def api(
    host: Host = "127.0.0.1", port: Port = 8000, fd: Listener = None, data_dir: DataDir = None
) -> None:
    """Serve the GraphQL API."""
    from api.app import create_app
    from renkei.serving import serve

    settings = _fit_settings(data_dir)
    with _listener(host, port, fd) as listener:
        serve(create_app(settings), listener)


@app.command()
def worker(data_dir: DataDir = None) -> None:
    """Run a worker: pushes, order imports, and what goes by the clock."""
    import uvloop

    from workers.main import run

    uvloop.run(_until_told(run(_fit_settings(data_dir))))


@app.command()
def sandbox(
    host: Host = "127.0.0.1",
    port: Port = 8001,
    fd: Listener = None,
    data_dir: DataDir = None,
    speed: Annotated[
        float, typer.Option(min=0, help="How fast the malls' clocks go; 0 lifts limits and delays.")
    ] = 1.0,
) -> None:
    """Serve the sandbox malls, which speak as the real ones do."""
    from integrations.sandbox.app import create_app
    from renkei.serving import serve

    path = home.data_path(data_dir, os.environ)
    state = path / "sandbox.state" if path.is_dir() else None
    with _listener(host, port, fd) as listener:
        serve(create_app(state=state, speed=speed), listener)


@app.command()
def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; say what differs from the code.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Bring the database to this version."""
    from renkei import database, embedded

    with embedded.reachable(os.environ, home.data_path(data_dir, os.environ)) as env:
        owner_url = owner_database_url(env)
        asyncio.run(
            database.show_drift(owner_url) if check else database.bring_up_to_date(owner_url)
        )
    print("The database is as this version wants it.")


@app.command()
def resync(
    since: Annotated[
        str | None,
        typer.Option(help="From when on something may be lost: 2026-11-20T03:00:00+09:00."),
    ] = None,
    loss: Annotated[
        int | None,
        typer.Option(min=0, help="So many seconds ago instead.", show_default="RENKEI_LOSS_WINDOW"),
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="One account's code.", show_default="all accounts")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """After an older database was put back: believe nothing of the malls, read orders again, send every number anew."""
    from renkei import restored

    moment = restored.chosen(since, loss, loss_window(os.environ), now=datetime.now(UTC))
    with _database(data_dir) as url:
        print(asyncio.run(restored.resync(url, moment, account)))


@account.command("create")
def create_account(
    code: Annotated[str, typer.Option(help="What its people type to sign in.")],
    name: Name,
    product_limit: Annotated[int | None, typer.Option(min=0, help="Products it may hold.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a merchant company."""
    from renkei import merchants

    with _database(data_dir) as url:
        asyncio.run(merchants.create_account(url, code, name, product_limit))
    print(f"Account {code} is made.")


@user.command("create")
def create_user(
    account: Account,
    email: Email,
    name: Name,
    role: Annotated[Role, typer.Option(help="What the user may do.")],
    data_dir: DataDir = None,
) -> None:
    """Make a user of an account, and print where they choose a password: it is shown this once."""
    from renkei import merchants

    with _database(data_dir) as url:
        invitation = asyncio.run(merchants.create_user(url, account, email, name, role))
    print(f"User {email} is made. Within 72 hours they choose a password at")
    print(invitation.address(public_url(os.environ)))


@user.command("invite")
def invite_user(account: Account, email: Email, data_dir: DataDir = None) -> None:
    """Invite a user anew, in place of the last invitation, and print where they choose a password."""
    from renkei import merchants

    with _database(data_dir) as url:
        invitation = asyncio.run(merchants.invite_user(url, account, email))
    print(invitation.address(public_url(os.environ)))


@user.command("password")
def set_password(account: Account, email: Email, data_dir: DataDir = None) -> None:
    """Set a user's password, asked for or read from standard input, and sign them out everywhere."""
    from renkei import merchants

    password = _password()
    with _database(data_dir) as url:
        asyncio.run(merchants.set_password(url, account, email, password))
    print(f"The password of {email} is set.")


@token.command("create")
def create_token(
    account: Account,
    name: Name,
    role: Annotated[Role | None, typer.Option(help="What the token may do.")] = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="Instead of a role: stock:read, say. May be repeated.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make a token and print it: it is shown this once."""
    from renkei import merchants

    with _database(data_dir) as url:
        made = asyncio.run(merchants.create_token(url, account, name, role, scope or []))
    print(made)


@listings.command("import")
def import_listings(
    files: Annotated[list[Path], typer.Argument(help="One download of the mall, whole.")],
    account: Account,
    shop: Annotated[str, typer.Option(help="The shop's name.")],
    create_products: Annotated[
        bool, typer.Option(help="Make a product for each code that has none.")
    ] = True,
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Take in the good rows all the same.")
    ] = False,
    lead_time_days: Annotated[
        int | None, typer.Option(help="Amazon: the lead time of listings that come in new.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Take in a mall's own item or stock file: its listings, what they show, and links by code."""
    from domain.model.mall_fields import LEAD_TIME
    from renkei.item_files import Wanted, take_in

    with _database(data_dir) as url:
        chosen = {} if lead_time_days is None else {LEAD_TIME: str(lead_time_days)}
        wanted = Wanted(account, shop, files, create_products, skip_bad_rows, chosen)
        print(asyncio.run(take_in(url, wanted)))


@schema.command("print")
def print_schema() -> None:
    """Print the SDL, as it is kept in schema.graphql."""
    from api.schema import print_sdl

    print(print_sdl(), end="")


@schema.command("check")
def check_schema(
    baseline: Annotated[
        Path, typer.Option(help="The file of the schema that was released last.")
    ] = Path("docs/schema-baseline.graphql"),
    accept: Annotated[
        bool, typer.Option("--accept", help="Release it: from now on it is compared with this one.")
    ] = False,
) -> None:
    """Name what has changed since the last release; exit with 1 when it breaks clients."""
    from renkei import released_schema

    if accept:
        released_schema.accept(baseline)
        return
    found = released_schema.changes(baseline, datetime.now(UTC).date())
    for change in found:
        print(f"{change.severity}: {change.sentence}")
    released_schema.check_breaks_nothing(found)


@schema.command("tables")
def print_tables(
    into: Annotated[
        Path | None, typer.Option(help="Bring them up to date in this file instead: docs/api.md.")
    ] = None,
) -> None:
    """Print the tables of docs/api.md that follow from the code: rights, codes, limits."""
    from renkei import reference

    if into is None:
        print(reference.tables())
    else:
        reference.bring_up_to_date(into)


def main() -> None:
    """Every refusal is one message on standard error and exit code 1. What nobody foresaw goes to
    the log with its origin, but not to a terminal."""
    try:
        app()
    except (Refusal, DomainError) as error:
        sys.exit(f"renkei: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if not sys.stderr.isatty():
            structlog.get_logger("renkei").critical("failed", exc_info=error)
        sys.exit(f"renkei: Renkei itself failed, please report it: {type(error).__name__}: {error}")


@contextmanager
def _database(data_dir: Path | None) -> Iterator[str]:
    """Where a command of a moment finds the database, with the app's login."""
    from renkei import embedded

    with embedded.reachable(os.environ, home.data_path(data_dir, os.environ)) as env:
        yield database_url(env)


def _password() -> str:
    """Typed twice and not shown; the first line where nobody types."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def _fit_settings(data_dir: Path | None) -> Settings:
    """The settings of a process that serves, once its database has been found fit for it."""
    from renkei import database, embedded

    env = embedded.reached(os.environ, home.data_path(data_dir, os.environ))
    settings = Settings.from_env(env)
    asyncio.run(database.check_fit(settings.database_url))
    return settings


def _listener(host: str, port: int, fd: int | None) -> socket.socket:
    """The one that `renkei up` holds open for us, or our own, whose address is printed."""
    from renkei.serving import address, listen

    if fd is not None:
        return socket.socket(fileno=fd)
    listener = listen(host, port)
    print(f"Listening on {address(listener)}", flush=True)
    return listener


async def _until_told(work: Coroutine[Any, Any, None]) -> None:
    """SIGINT and SIGTERM cancel the work, which puts itself away and ends."""
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return
