"""`renkei up`: the engines, the schema, the malls of the sandbox, the workers and the API at once."""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from socket import socket

from domain.settings import Settings
from renkei import bell, database, serving, supervisor
from renkei.embedded import engines
from renkei.engines.datadir import DataDirectory, data_directory
from renkei.refusal import Refusal
from renkei.supervisor import Service, Stopped, this_command

SANDBOX_PORT = "sandbox.port"


@dataclass(frozen=True, slots=True)
class Plan:
    host: str
    port: int
    data_path: Path
    sandbox: bool


def serve_all(plan: Plan, env: Mapping[str, str]) -> None:
    """Serve until a signal. Raises Refusal or a DomainError when something stands in the way."""
    try:
        with supervisor.stopping_on_signals(), ExitStack() as stack:
            _serve(plan, env, stack)
    except Stopped:
        print("Renkei has stopped.")


def _serve(plan: Plan, env: Mapping[str, str], stack: ExitStack) -> None:
    listener = stack.enter_context(serving.listen(plan.host, plan.port))
    data = stack.enter_context(data_directory(plan.data_path))
    malls = stack.enter_context(_sandbox_listener(data)) if plan.sandbox else None
    found = {"RENKEI_PUBLIC_URL": serving.address(listener), **env}
    if malls is not None:
        found["RENKEI_SANDBOX_URL"] = serving.address(malls)
    ours = stack.enter_context(engines(data, found))
    settings = Settings.from_env(ours.env)
    bell.check_reached(settings)
    asyncio.run(database.check_fit(settings.database_url))
    members = _services(ours.env, listener, malls)
    stack.enter_context(supervisor.services(members))
    print(f"Renkei is ready: {serving.address(listener)}", flush=True)
    supervisor.keep([*ours.started, *members])


def _services(env: Mapping[str, str], listener: socket, malls: socket | None) -> list[Service]:
    """The workers stop last but one: what the malls of the sandbox answer still counts."""
    worker = Service("worker", this_command("worker"), env=env)
    api = _web("api", listener, env)
    return [_web("sandbox", malls, env), worker, api] if malls else [worker, api]


def _web(name: str, listener: socket, env: Mapping[str, str]) -> Service:
    return Service(
        name,
        this_command(name, "--fd", str(listener.fileno())),
        env=env,
        listener=listener,
        is_ready=lambda: serving.answers(listener),
    )


def _sandbox_listener(data: DataDirectory) -> socket:
    """The port of last time when it is free, so that shops set up there go on."""
    note = data.path / SANDBOX_PORT
    port = int(note.read_text()) if note.exists() else 0
    try:
        listener = serving.listen("127.0.0.1", port)
    except Refusal:
        listener = serving.listen("127.0.0.1", 0)
    data.write_private(note.name, str(listener.getsockname()[1]))
    return listener
