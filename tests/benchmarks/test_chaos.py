"""The chaos run in short: faults of every kind that takes no lease's time, through the same program."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.chaos.kinds import ONLY_IN_LONG, Kind
from benchmarks.chaos.schedule import Size, scheduled
from benchmarks.chaos.wares import Wares, chosen
from benchmarks.market import FIVE_SHOPS

CHECKOUT = Path(__file__).parents[2]
LONGEST = 200
SHORT = Size(faults=30, seconds=6, shops=FIVE_SHOPS, workers=2, apis=2)
LONG = Size(faults=500, seconds=270, shops=FIVE_SHOPS, workers=3, apis=2)


@pytest.fixture(scope="module")
def wares() -> Wares:
    return chosen(1, orders=60, products=30)


def test_a_seed_brings_the_same_faults_and_orders_again(wares: Wares) -> None:
    assert chosen(1, orders=60, products=30) == wares
    assert scheduled(1, LONG, wares) == scheduled(1, LONG, wares)
    assert scheduled(1, LONG, wares).digest != scheduled(2, LONG, wares).digest
    assert chosen(2, orders=60, products=30).steps != wares.steps


@pytest.mark.parametrize(("size", "left_out"), [(LONG, frozenset()), (SHORT, ONLY_IN_LONG)])
def test_every_kind_of_fault_happens(wares: Wares, size: Size, left_out: frozenset[Kind]) -> None:
    strikes = scheduled(7, size, wares).strikes

    assert len(strikes) == size.faults
    assert {each.kind for each in strikes} == set(Kind) - left_out
    assert all(0 <= each.at <= size.seconds for each in strikes)


def test_whatever_fails_every_mall_shows_the_right_number_in_the_end() -> None:
    asked = ("--seed", "7", "--faults", "20", "--seconds", "6", "--workers", "2")
    little = ("--orders", "30", "--products", "12")
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.chaos", *asked, *little],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    [kinds] = re.findall(r"^chaos: ok faults=20 kinds=(\d+) ", ran.stdout, re.MULTILINE)
    assert int(kinds) >= 10
