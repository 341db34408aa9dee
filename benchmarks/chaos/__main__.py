"""Everything fails, and nothing is lost.

    python -m benchmarks.chaos --seed 1 --faults 500

Ends with 0 when every check held and all was settled within a minute of the last fault's end, else with 1.
"""

import argparse
import asyncio
import secrets
import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

from benchmarks.chaos.grounds import made_ready
from benchmarks.chaos.run import Outcome, run
from benchmarks.chaos.schedule import Schedule, Size, scheduled
from benchmarks.chaos.wares import Wares, chosen
from benchmarks.market import FIVE_SHOPS
from benchmarks.saying import say
from renkei import supervisor
from renkei.logs import configure_logs
from renkei.supervisor import Stopped

APIS = 2
FAULTS_A_SECOND = 1.9
FINDINGS_SHOWN = 20


def main() -> int:
    asked = _asked()
    configure_logs("error", "chaos")
    seconds = asked.seconds or asked.faults / FAULTS_A_SECOND
    size = Size(asked.faults, seconds, FIVE_SHOPS, asked.workers, APIS)
    wares = chosen(asked.seed, asked.orders, asked.products)
    schedule = scheduled(asked.seed, size, wares)
    say(
        f"seed {asked.seed}, schedule {schedule.digest}: {len(schedule.strikes)} faults,"
        f" {len(wares.steps)} orders and cancellations, {len(wares.goods)} products"
    )
    if asked.only_schedule:
        return 0
    try:
        outcome = _run(size, wares, schedule, keep=asked.keep)
    except (Stopped, asyncio.CancelledError):
        say("Stopped.")
        return 130
    _show(outcome)
    return 0 if outcome.good else 1


def _asked() -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="benchmarks.chaos", description=__doc__)
    reader.add_argument("--seed", type=int, default=1)
    reader.add_argument("--faults", type=int, default=500)
    reader.add_argument("--seconds", type=float, help="how long they are spread over")
    reader.add_argument("--orders", type=int, default=900)
    reader.add_argument("--products", type=int, default=100)
    reader.add_argument("--workers", type=int, default=3)
    reader.add_argument("--only-schedule", action="store_true", help="print its digest and end")
    reader.add_argument("--keep", type=Path, help="where to leave the logs")
    return reader.parse_args()


def _run(size: Size, wares: Wares, schedule: Schedule, *, keep: Path | None) -> Outcome:
    folder = Path(tempfile.gettempdir()) / f"renkei-chaos-{secrets.token_hex(4)}"
    begun = monotonic()

    def timed(text: str) -> None:
        say(f"[{monotonic() - begun:6.1f} s] {text}")

    try:
        with supervisor.stopping_on_signals(), ExitStack() as stack:
            site = made_ready(folder, size.apis, stack)

            async def stoppable() -> Outcome:
                task = asyncio.ensure_future(run(site, size, wares, schedule, timed))
                for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                    asyncio.get_running_loop().add_signal_handler(number, task.cancel)
                return await task

            return asyncio.run(stoppable())
    finally:
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            for log in folder.glob("*.log"):
                shutil.copy(log, keep)
        shutil.rmtree(folder, ignore_errors=True)


def _show(outcome: Outcome) -> None:
    say("\nfaults")
    for kind, count in sorted(outcome.struck.items(), key=lambda each: (-each[1], each[0])):
        say(f"  {count:4}  {kind}")
    told = ", ".join(f"{count} {name}" for name, count in sorted(outcome.tally.items()))
    say(f"shoppers: {told}")
    say(f"merchant: {outcome.changes} changes, {outcome.repeats} requests sent again")
    say(f"processes started: {outcome.starts}")
    say(f"checked: {outcome.settled.checked}")
    for finding in outcome.settled.amiss[:FINDINGS_SHOWN]:
        say(f"  AMISS  {finding}")
    if len(outcome.settled.amiss) > FINDINGS_SHOWN:
        say(f"  … and {len(outcome.settled.amiss) - FINDINGS_SHOWN} more")
    settled = "never" if outcome.settled.after is None else f"{outcome.settled.after:.1f} s"
    verdict = "ok" if outcome.good else "FAILED"
    say(
        f"chaos: {verdict} faults={sum(outcome.struck.values())} kinds={len(outcome.struck)}"
        f" orders={outcome.tally.get('orders', 0)} settled={settled} amiss={len(outcome.settled.amiss)}"
    )


if __name__ == "__main__":
    sys.exit(main())
