"""`renkei demo` as a person runs it: everything real, in processes of its own."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from tests.renkei.command import CHECKOUT, alive, environment, processes, until

OK = re.compile(
    r"demo: ok orders=(\d+) lines=(\d+) pushes=(\d+) mall_requests=(\d+) errors_opened=(\d+)"
    r" errors_open=0 differences=0 unapplied=0 p95_order_to_malls_ms=(\d+)"
)
MET = (
    "Amazon.co.jp THROTTLED (level 8)",
    "Yahoo! Shopping UNREACHABLE (level 8)",
    "Rakuten Ichiba MAINTENANCE (level 8)",
    "Yahoo! Shopping ITEM_REFUSED (level 8)",
    "Rakuten Ichiba CREDENTIALS_REFUSED (level 9)",
)


def command(data: Path, *options: str) -> list[str]:
    where = ["--port", "0", "--data-dir", str(data)]
    return [sys.executable, "-m", "renkei", "demo", "--plain", *where, *options]


def surroundings(place: Path) -> dict[str, str]:
    return environment(PYTHONPATH=str(CHECKOUT), TMPDIR=str(place))


def demo(place: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """One that ends by itself."""
    return subprocess.run(
        command(place / "data", *options),
        env=surroundings(place),
        capture_output=True,
        text=True,
        timeout=240,
    )


@contextmanager
def serving(place: Path, *options: str) -> Iterator[tuple["subprocess.Popen[str]", Path]]:
    """One that goes on, and the file of what it says."""
    said = place / "said"
    with ExitStack() as stack:
        output = stack.enter_context(said.open("w"))
        process = subprocess.Popen(
            command(place / "data", *options),
            env=surroundings(place),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )
        try:
            yield process, said
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def family(pid: int) -> set[int]:
    found, below = {pid}, list(processes())
    while more := {p for p, parent, _ in below if parent in found and p not in found}:
        found |= more
    return found


def test_it_balances_whatever_goes_wrong(place: Path) -> None:
    ran = demo(place, "--once", "--orders", "150", "--rate", "6")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stderr == ""
    last = OK.fullmatch(ran.stdout.splitlines()[-1])
    assert last, ran.stdout
    assert 100 < int(last[1]) <= 150
    for error in MET:
        assert f"error opened: {error}" in ran.stdout


def test_it_serves_on_and_again_and_stops_when_told(place: Path) -> None:
    with serving(place, "--orders", "20", "--rate", "20", "--calm", "--quiet") as (process, said):
        until(lambda: "stands still" in said.read_text() or process.poll() is not None, 90)
        assert process.poll() is None, said.read_text()
        assert "goods arrive" in said.read_text()
        products = _the_curl(said.read_text())
        assert [set(each) for each in products] == [{"code", "name", "total"}] * 3
        everyone = family(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(60) == 0
    assert said.read_text().splitlines()[-1] == "Renkei has stopped."
    assert not alive(sorted(everyone))

    again = demo(place, "--once")

    assert again.returncode == 0, again.stdout + again.stderr
    assert "served as it was left, nothing is replayed" in again.stdout
    assert "met no mishap" not in again.stdout
    assert OK.fullmatch(again.stdout.splitlines()[-1])


SCENES = (
    "A shopper buys 2 of",
    "Sold 2 on Rakuten Ichiba.",
    "Somebody counts the shelf",
    "Sold out everywhere after",
    "Yahoo! Shopping closes for maintenance",
    "Yahoo! Shopping has opened again.",
    "Rakuten Ichiba's licence key expires.",
    "A new key is entered and tested.",
    "Somebody types",
    "The next look at Amazon.co.jp's numbers found it",
    "Now the real order stream",
)
WAITED_IN_VAIN = 30_000
"""Milliseconds after which a scene goes on without."""


def test_it_tells_its_story_before_the_replay(place: Path) -> None:
    with serving(place, "--orders", "20", "--calm", "--story", "5") as (process, said):
        until(lambda: SCENES[-1] in said.read_text() or process.poll() is not None, 200)
    told = said.read_text()
    assert [told.find(each) for each in SCENES] == sorted(told.find(each) for each in SCENES)
    assert -1 not in [told.find(each) for each in SCENES], told
    assert "error opened: Rakuten Ichiba CREDENTIALS_REFUSED (level 9)" in told
    measured = [int(each.replace(",", "")) for each in re.findall(r"([\d,]+) ms", told)]
    assert len(measured) == 6
    assert max(measured) < WAITED_IN_VAIN, told


def _the_curl(said: str) -> list[dict[str, object]]:
    """What the command that is printed answers, asked without curl."""
    line = next(line for line in said.splitlines() if line.startswith("curl "))
    _, _, address, _, authorization, _, content, _, body = shlex.split(line)
    headers = dict(each.split(": ", 1) for each in (authorization, content))
    answer = httpx.post(address, headers=headers, content=body)
    edges = json.loads(answer.text)["data"]["products"]["edges"]
    return [edge["node"] for edge in edges]
