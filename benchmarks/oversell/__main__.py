"""Runs both arms, with the malls' limits and without, and prints them as one table."""

import argparse
import asyncio
import resource
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.oversell.arms import Outcome, Terms
from benchmarks.oversell.malls import CALL_SECONDS
from benchmarks.oversell.peer import RUN_EVERY
from benchmarks.oversell.runs import be_quiet, outcomes_of
from benchmarks.oversell.scene import HELD_PERCENT, SHARES, Scene, scene
from benchmarks.oversell.score import Score
from benchmarks.saying import say
from renkei.engines.datadir import data_directory
from renkei.engines.postgres import Postgres, embedded_postgres


def main(arguments: Sequence[str]) -> int:
    """0 when everything was right at the end of every run."""
    asked = _asked(arguments)
    begun = time.monotonic()
    played = scene(days=asked.days, products=asked.products, seed=asked.seed, orders=asked.orders)
    terms = [Terms(limits, asked.poll) for limits in (True, False)]
    say(_played(played, terms, asked.seed))
    with _server() as server:
        outcomes = asyncio.run(outcomes_of(server, played, terms))
    say(_table(outcomes))
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = spent.ru_utime + spent.ru_stime
    say(f"Took {time.monotonic() - begun:.0f} s, in which two processors had {busy:.0f} s of work.")
    return int(any(outcome.findings for outcome in outcomes.values()))


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.oversell", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="deals orders to shops")
    parser.add_argument("--days", type=int, default=14, help="the busiest days on end")
    parser.add_argument("--products", type=_products, default=100, help="most asked for, or: all")
    parser.add_argument("--orders", type=int, help="only the first so many")
    parser.add_argument("--poll", type=int, default=60, help="seconds between two order polls")
    return parser.parse_args(arguments)


def _products(text: str) -> int | None:
    return None if text == "all" else int(text)


@contextmanager
def _server() -> Iterator[Postgres]:
    """What is on disk when it fails is of no interest: nothing is forced there."""
    folder = Path(tempfile.gettempdir()) / f"renkei-benchmark-{secrets.token_hex(4)}"
    try:
        with data_directory(folder) as data, embedded_postgres(data, fsync=False) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _played(played: Scene, terms: Sequence[Terms], seed: int) -> str:
    return (
        f"{len(played.wishes):,} orders of {played.days} days ask for {played.units:,} units of {len(played.held):,} products, of"
        f" which {sum(played.held.values()):,} are held ({HELD_PERCENT} %). {len(SHARES)} shops; seed {seed}.\n"
        f"A call takes {CALL_SECONDS} s. Peers run every {RUN_EVERY:.0f} s. Renkei asks for orders every\n"
        + "".join(f"  {_polls(each)}, {each.name}\n" for each in terms)
    )


def _polls(terms: Terms) -> str:
    return ", ".join(f"{seconds} s ({name})" for name, seconds in terms.polls.items())


HEADS = (
    "",
    "orders",
    "units sold",
    "beyond",
    "products",
    "incidents",
    "too soon",
    "in time",
    "longest",
    "calls",
    "wrong",
)


def _table(outcomes: Mapping[str, Outcome]) -> str:
    rows = [HEADS, *(_cells(name, outcome) for name, outcome in outcomes.items())]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEADS))]
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "\n".join([*lines, "", *_ratios(outcomes), *_wrong(outcomes)])


def _cells(name: str, outcome: Outcome) -> tuple[str, ...]:
    told = outcome.score
    numbers = (
        told.orders,
        told.units,
        told.beyond,
        told.products,
        told.incidents,
        told.too_soon,
        told.in_time,
    )
    return (
        name,
        *(f"{number:,}" for number in numbers),
        str(told.exposed),
        f"{outcome.calls:,}",
        str(len(outcome.findings)),
    )


def _ratios(outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    for name, ours in outcomes.items():
        arm, terms = name.split(", ", 1)
        if arm == "Renkei":
            yield f"{terms}: {_ratio(outcomes[f'Peers, {terms}'].score, ours.score)}"


def _ratio(theirs: Score, ours: Score) -> str:
    """Of units beyond what was held; then of those alone that could have been known in time."""
    return (
        f"peers {theirs.beyond:,} to Renkei's {ours.beyond:,} units beyond{_times(theirs.beyond, ours.beyond)}; known in time:"
        f" {theirs.in_time:,} to {ours.in_time:,}{_times(theirs.in_time, ours.in_time)}"
    )


def _times(theirs: int, ours: int) -> str:
    return f" ({theirs / ours:.1f} to 1)" if ours else ""


def _wrong(outcomes: Mapping[str, Outcome]) -> Iterator[str]:
    for name, outcome in outcomes.items():
        yield from (f"WRONG, {name}: {finding}" for finding in outcome.findings[:10])


if __name__ == "__main__":
    be_quiet()
    sys.exit(main(sys.argv[1:]))
