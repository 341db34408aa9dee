"""`renkei demo`: everything that `renkei up` starts, and the story beside it."""

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from types import MappingProxyType

from renkei import supervisor
from renkei.demo.board import Board
from renkei.demo.driver import Driver, Ended
from renkei.demo.note import Note, read_note
from renkei.demo.plain import Plain
from renkei.demo.screen import Screen
from renkei.demo.stalls import ControlFailed
from renkei.demo.story import Wishes, tell
from renkei.demo.summary import Outcome, last_line
from renkei.refusal import Refusal
from renkei.supervisor import Stopped
from renkei.up import Plan, started

SETTINGS: Mapping[str, str] = MappingProxyType(
    {"RENKEI_SWEEP_SECONDS": "0.2", "RENKEI_LOG_LEVEL": "error"}
)
"""Of the processes it starts, unless the environment says otherwise: a screen is no log."""


def run(plan: Plan, wishes: Wishes, env: Mapping[str, str], *, plain: bool) -> bool:
    """Serves until a signal, or with `once` until the replay has settled. Whether it did what was asked:
    served, or found everything balanced. Raises Refusal or a DomainError when something stands in the way."""
    note = read_note(plan.data_path)
    if note is not None:
        wishes = replace(wishes, orders=note.orders, speed=note.speed)
    plan = replace(plan, sandbox_speed=wishes.speed, page=True)
    env = {**SETTINGS, **env}
    try:
        outcome = _run(plan, wishes, env, note, plain=plain)
    except Stopped:
        print("Renkei has stopped.")
        return not wishes.once
    except ControlFailed as error:
        raise Refusal(str(error)) from error
    print(last_line(outcome), flush=True)
    return outcome.audit.balanced


def _run(
    plan: Plan, wishes: Wishes, env: Mapping[str, str], note: Note | None, *, plain: bool
) -> Outcome:
    with supervisor.stopping_on_signals(), ExitStack() as stack:
        print("Starting PostgreSQL, Valkey, the API, a worker and the sandbox malls …")
        print(f"All of it lies in {plan.data_path}", flush=True)
        running = started(plan, env, stack)
        screen = stack.enter_context(_screen(wishes, plain=plain))
        driver = stack.enter_context(Driver(lambda: tell(running, wishes, screen, note)))
        try:
            supervisor.keep(running.members, pause=driver.pause)
        except Ended:
            return driver.answer()
    raise AssertionError("kept until something is raised")


def _screen(wishes: Wishes, *, plain: bool) -> Screen:
    title = f"Renkei demo: three malls, {wishes.pace.malls}"
    return Plain() if plain or not sys.stdout.isatty() else Board(title)
