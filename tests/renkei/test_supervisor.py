"""What is started again, when, and how long anything is waited for."""

import os
import signal
from collections.abc import Callable, Sequence

import pytest

from renkei.engines.process import wait_until
from renkei.refusal import Refusal
from renkei.supervisor import Kept, Stopped, pause_before_restart, stopping_on_signals


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds


class Fragile:
    """Ended or not as the test says; may refuse to start."""

    name = "fragile"

    def __init__(self, refusals: int = 0) -> None:
        self.starts = 0
        self.ended = True
        self._refusals = refusals

    def start(self) -> None:
        self.starts += 1
        if self.starts <= self._refusals:
            raise Refusal("not yet")
        self.ended = False

    def has_ended(self) -> bool:
        return self.ended

    def stop(self) -> None:
        self.ended = True


def twice(number: signal.Signals) -> None:
    try:
        os.kill(os.getpid(), number)
    finally:
        os.kill(os.getpid(), number)


def progress_at(clock: Clock, moments: Sequence[float]) -> Callable[[], int]:
    return lambda: sum(moment <= clock.now for moment in moments)


@pytest.mark.parametrize(
    ("case", "ready_at", "progress", "expected"),
    [
        ("ready at once", 0, [], True),
        ("ready within its patience", 9, [], True),
        ("silent for longer than that", 11, [], False),
        ("slow, and getting on all the time", 45, [8, 17, 26, 35, 44], True),
        ("stuck after it got on", 45, [8, 17], False),
    ],
)
def test_patience_is_for_silence_not_for_slowness(
    case: str, ready_at: float, progress: Sequence[float], expected: bool
) -> None:
    clock = Clock()
    done = wait_until(
        lambda: clock.now >= ready_at,
        progress=progress_at(clock, progress),
        patience=10,
        clock=clock,
        pause=clock.pause,
    )
    assert done is expected, case


def test_the_pause_doubles_up_to_half_a_minute() -> None:
    assert [pause_before_restart(n) for n in (1, 2, 3, 6, 7, 8, 1000)] == [
        0.5, 1, 2, 16, 30, 30, 30,
    ]  # fmt: skip


def test_what_ended_starts_again_after_its_pause_and_not_before() -> None:
    member = Fragile()
    kept = Kept(member, 0)
    for now, starts in [(10.0, 0), (10.4, 0), (10.5, 1), (11.0, 1)]:
        kept.look(now)
        assert member.starts == starts, now


def test_crashes_in_a_row_wait_longer_and_a_calm_minute_forgets_them() -> None:
    member = Fragile(refusals=2)
    kept = Kept(member, 0)
    started = []
    for tenth in range(1, 100):
        kept.look(tenth / 10)
        started.extend([tenth / 10] * (member.starts - len(started)))
    assert started == [0.6, 1.7, 3.8]

    member.ended = True
    for now in (100.0, 100.4, 100.5):
        kept.look(now)
    assert member.starts == 4


def test_the_first_signal_stops_and_the_next_changes_nothing() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Stopped), stopping_on_signals():
        twice(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before
