"""The four runs: each arm with the malls' limits and without, each in a process of its own."""

import asyncio
import logging
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import structlog

from benchmarks.oversell.arms import Outcome, Terms, run_peer, run_renkei
from benchmarks.oversell.scene import Scene
from renkei.database import bring_up_to_date, create_database, let_app_in
from renkei.engines.postgres import APP, Postgres
from tests.databases import keep_as_template, scratch


@dataclass(frozen=True, slots=True)
class Run:
    """One arm on one set of terms. `database_url` is there for Renkei only."""

    terms: Terms
    database_url: str | None = None

    @property
    def name(self) -> str:
        arm = "Renkei" if self.database_url else "Peers"
        return f"{arm}, {self.terms.name}"


async def outcomes_of(
    server: Postgres, played: Scene, terms: Sequence[Terms]
) -> Mapping[str, Outcome]:
    """Renkei's two runs, which take long, first; each run in a process of its own, as many as there are cores."""
    await create_database(server)
    await bring_up_to_date(server.url())
    await let_app_in(server)
    await keep_as_template(server)
    async with scratch(server) as first, scratch(server) as second:
        runs = [
            Run(each, where.url(user=APP))
            for each, where in zip(terms, (first, second), strict=True)
        ]
        runs += [Run(each) for each in terms]
        with ProcessPoolExecutor(
            min(len(runs), os.cpu_count() or 1), get_context("spawn"), initializer=be_quiet
        ) as pool:
            loop = asyncio.get_running_loop()
            started = [loop.run_in_executor(pool, run, each, played) for each in runs]
            return {
                each.name: outcome
                for each, outcome in zip(runs, await asyncio.gather(*started), strict=True)
            }


def run(each: Run, played: Scene) -> Outcome:
    if each.database_url is None:
        return run_peer(played, each.terms)
    return run_renkei(played, each.terms, each.database_url)


def be_quiet() -> None:
    def drop(*_: Any) -> Any:
        raise structlog.DropEvent

    structlog.configure(processors=[drop])
    logging.disable(logging.INFO)
