"""What the demo says when the replay has settled, and its last line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.model.malls import MallKind
from renkei.demo.audit import Audit, Kind
from renkei.demo.latency import Lasted, Spell, calm, percentile
from renkei.demo.replay import Tally
from renkei.demo.screen import seconds
from renkei.demo.stalls import NAMES

FINDINGS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Pace:
    """How the demo ran: orders a second, how often each shop is asked for orders, how much faster its malls are."""

    per_second: float
    poll_seconds: Mapping[MallKind, int]
    speed: float

    @property
    def polls(self) -> str:
        return ", ".join(
            f"{NAMES[kind]} every {seconds} s" for kind, seconds in self.poll_seconds.items()
        )

    @property
    def malls(self) -> str:
        return (
            f"malls run {self.speed:g} times as fast as the real ones"
            if self.speed
            else "malls answer at once, limits lifted"
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """`lasted`: every order that changed another mall's number. `missing`: units sold that did not exist, here and at the
    shadow."""

    audit: Audit
    pushes: int
    oversold: int
    errors_opened: int
    errors_open: int
    lasted: Sequence[Lasted]
    spells: Sequence[Spell]
    missing: tuple[int, int] = (0, 0)

    @property
    def p95(self) -> int | None:
        """Of the orders that met no mishap; of all of them where none was spared."""
        return percentile(calm(self.lasted, self.spells) or self.lasted, 95)


def last_line(outcome: Outcome) -> str:
    """For machines. `demo: ok …`, or `demo: FAILED …` with what is off."""
    audit = outcome.audit
    numbers = (
        f"orders={audit.orders} lines={audit.lines} pushes={outcome.pushes}"
        f" mall_requests={audit.requests} errors_opened={outcome.errors_opened}"
        f" errors_open={outcome.errors_open} differences={audit.count(Kind.DIFFERENCE)}"
        f" unapplied={audit.count(Kind.UNAPPLIED)}"
    )
    if audit.balanced:
        p95 = 0 if outcome.p95 is None else outcome.p95
        return f"demo: ok {numbers} p95_order_to_malls_ms={p95}"
    return f"demo: FAILED {numbers} ledgers_off={audit.count(Kind.LEDGER)}"


def summary(outcome: Outcome, tallies: Sequence[Tally], pace: Pace) -> list[str]:
    """For people."""
    findings = [f"  {finding.text}" for finding in outcome.audit.findings[:FINDINGS_SHOWN]]
    more = len(outcome.audit.findings) - len(findings)
    return [
        "",
        f"Asked the malls themselves: {outcome.audit.listings:,} listings, {outcome.audit.orders:,} orders.",
        "All of it balances." if outcome.audit.balanced else "It does not balance:",
        *findings,
        *([f"  … and {more} more"] if more else []),
        *_shoppers(tallies),
        *(_missing(outcome) if any(tally.orders for tally in tallies) else []),
        f"Oversold in the lag between malls: {outcome.oversold} products, kept as totals below zero.",
        *(_latency(outcome, pace) if any(tally.orders for tally in tallies) else []),
    ]


def _latency(outcome: Outcome, pace: Pace) -> list[str]:
    """Of the orders of this run: what went wrong in an earlier one is not known any more."""
    return [
        f"From a mall's order list to the last mall's counter, at {pace.per_second:g} orders a second;",
        f"order lists are read: {pace.polls}; {pace.malls}:",
        f"  orders that met no mishap  {_times(calm(outcome.lasted, outcome.spells))}",
        f"  all orders                 {_times(outcome.lasted)}",
    ]


def _shoppers(tallies: Sequence[Tally]) -> list[str]:
    if not any(tally.orders for tally in tallies):
        return []
    return [
        f"Shoppers: {sum(t.orders for t in tallies):,} orders, {sum(t.cancelled for t in tallies):,} cancellations;"
        f" {sum(t.refused for t in tallies):,} lines refused as sold out,"
        f" {sum(t.sent_away for t in tallies):,} shoppers left with nothing."
    ]


def _missing(outcome: Outcome) -> list[str]:
    here, shadow = outcome.missing
    return [
        f"Units sold that did not exist: {here:,}. At a shadow of these malls, told every 5 minutes: {shadow:,}."
    ]


def _times(orders: Sequence[Lasted]) -> str:
    half, most = seconds(percentile(orders, 50)), seconds(percentile(orders, 95))
    return f"half within {half}, 95 of 100 within {most} ({len(orders):,} orders)"
