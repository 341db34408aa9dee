"""`renkei up`: the engines, the schema, the malls of the sandbox, the workers and the API at once."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from socket import socket

from domain.settings import Settings
from renkei import bell, database, home, serving, supervisor
from renkei.embedded import engines
from renkei.engines.datadir import DataDirectory, data_directory, in_use
from renkei.refusal import Refusal
from renkei.supervisor import Member, Service, Stopped, this_command

SANDBOX_PORT = "sandbox.port"
PAGE_PORT = "page.port"


@dataclass(frozen=True, slots=True)
class Plan:
    host: str
    port: int
    data_path: Path
    sandbox: bool
    sandbox_speed: float = 1.0
    page: bool = False
    """Make room for a page of another origin, which whoever asked for it serves."""


@dataclass(frozen=True, slots=True)
class Running:
    """All that was started, each to be kept alive. `sandbox`: where the sandbox malls are, when they are served.
    `page`: where the page is to be served that was asked for; the API lets its origin in."""

    address: str
    sandbox: str | None
    settings: Settings
    data: DataDirectory
    members: Sequence[Member]
    page: socket | None = None


def serve_all(plan: Plan, env: Mapping[str, str]) -> None:
    """Serve until a signal. Raises Refusal or a DomainError when something stands in the way."""
    try:
        with supervisor.stopping_on_signals(), ExitStack() as stack:
            running = started(plan, env, stack)
            print(f"\nIts data lie in {running.data.path}.")
            print(f"Renkei is ready: {running.address}\n", flush=True)
            supervisor.keep(running.members)
    except Stopped:
        print("Renkei has stopped.")


def started(plan: Plan, env: Mapping[str, str], stack: ExitStack) -> Running:
    """Everything, ready; `stack` stops it. Raises Refusal or a DomainError."""
    listener = stack.enter_context(_listener(plan))
    data = stack.enter_context(data_directory(plan.data_path))
    malls = stack.enter_context(_usual_listener(data, SANDBOX_PORT)) if plan.sandbox else None
    page = stack.enter_context(_usual_listener(data, PAGE_PORT)) if plan.page else None
    found = {"RENKEI_PUBLIC_URL": serving.address(listener), **env}
    if page is not None:
        origins = (env.get("RENKEI_ALLOWED_ORIGINS"), serving.address(page))
        found["RENKEI_ALLOWED_ORIGINS"] = ",".join(filter(None, origins))
    if malls is not None:
        found["RENKEI_SANDBOX_URL"] = serving.address(malls)
    ours = stack.enter_context(engines(data, found))
    settings = Settings.from_env(ours.env)
    bell.check_reached(settings)
    asyncio.run(database.check_fit(settings.database_url))
    services = _services(plan, ours.env, listener, malls)
    stack.enter_context(supervisor.services(services))
    sandbox = serving.address(malls) if malls else None
    members = (*ours.started, *services)
    return Running(serving.address(listener), sandbox, settings, data, members, page)


def _services(
    plan: Plan, env: Mapping[str, str], listener: socket, malls: socket | None
) -> list[Service]:
    """The workers stop last but one: what the malls of the sandbox answer still counts."""
    worker = Service("worker", this_command("worker"), env=env)
    api = _web("api", listener, env)
    speed = ("--speed", f"{plan.sandbox_speed:g}")
    return [_web("sandbox", malls, env, *speed), worker, api] if malls else [worker, api]


def _web(name: str, listener: socket, env: Mapping[str, str], *options: str) -> Service:
    return Service(
        name,
        this_command(name, "--fd", str(listener.fileno()), *options),
        env=env,
        listener=listener,
        is_ready=lambda: serving.answers(listener),
    )


def _listener(plan: Plan) -> socket:
    """A busy port is told before anything is made; where the port is our own second run's, that is what is told."""
    try:
        return serving.listen(plan.host, plan.port)
    except Refusal:
        path = plan.data_path.expanduser().resolve()
        with suppress(PermissionError):
            if holder := home.holder_of(path):
                raise in_use(path, holder) from None
        raise


def _usual_listener(data: DataDirectory, name: str) -> socket:
    """The port of last time when it is free: shops set up there go on, and so does a page that is open."""
    note = data.path / name
    port = int(note.read_text()) if note.exists() else 0
    try:
        listener = serving.listen("127.0.0.1", port)
    except Refusal:
        listener = serving.listen("127.0.0.1", 0)
    data.write_private(note.name, str(listener.getsockname()[1]))
    return listener
