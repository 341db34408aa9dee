"""The demo's page as a person uses it: a real demo, a real browser. Without Node it is skipped; never in CI."""

import os
import re
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.browser import chrome
from tests.browser.chrome import Tab
from tests.clients.conftest import go_without
from tests.clients.node import NoNode
from tests.renkei.command import processes, until
from tests.renkei.conftest import a_place
from tests.renkei.test_demo import family, serving

PAGE = re.compile(r"http://\S+/demo#token=\S+")
EXPLORER = re.compile(r"http://\S+/graphql#token=\S+")
DATA = ("--orders", "12", "--rate", "20", "--calm", "--quiet")
STARTS_WITHIN = 120
ROW = "document.querySelector('#rows tr:nth-child({row})')"
CELLS = "[...document.querySelectorAll('#rows tr:nth-child({row}) td b')].map((each) => Number(each.textContent))"
RUN = "document.querySelector('.graphiql-execute-button')"
STOPS = f"{RUN}.ariaLabel.startsWith('Stop')"
NOTICED = "JSON.parse(sessionStorage.getItem('graphiql:tabState') ?? '{{\"tabs\":[]}}').tabs[{place}]?.operationName"
"""GraphiQL parses a moment after it shows."""
ANSWER = "[document.querySelector('.result-window').innerText].find((each) => each.includes('\"{answers}\"'))"
OPEN_LINE = "document.getElementById('line')?.textContent.startsWith('●')"


@pytest.fixture(scope="module")
def browser() -> Path:
    try:
        return chrome.installed()
    except NoNode as reason:
        go_without(str(reason), os.environ)


class Demo:
    """A running one. `page`: its address, with the token."""

    def __init__(self, pid: int, said: Path) -> None:
        self.pid, self.said = pid, said

    @property
    def page(self) -> str:
        return PAGE.findall(self.said.read_text())[0]

    @property
    def explorer(self) -> str:
        return EXPLORER.findall(self.said.read_text())[0]

    def buy(self) -> None:
        """As a shopper at a mall does."""
        address, token = self.page.split("#token=")
        headers = {"authorization": f"Bearer {token}"}
        httpx.post(f"{address}/buy", json={"mall": "AMAZON"}, headers=headers).raise_for_status()

    def kill_api(self) -> None:
        """With SIGKILL; the demo starts it again."""
        below = family(self.pid)
        for pid in below:
            if "api" in _command(pid):
                os.kill(pid, signal.SIGKILL)
                return
        raise AssertionError(f"no API among {[(p, n) for p, _, n in processes() if p in below]}")


def _command(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with a_place() as place, serving(place, *DATA) as (process, said):
        until(
            lambda: "stands still" in said.read_text() or process.poll() is not None, STARTS_WITHIN
        )
        assert process.poll() is None, said.read_text()
        yield Demo(process.pid, said)


@pytest.fixture
async def tab(browser: Path) -> AsyncIterator[Tab]:
    async with chrome.a_tab(browser) as opened:
        await opened.size(1280, 900)
        yield opened


async def test_it_is_read_in_japanese_and_on_a_phone(demo: Demo, tab: Tab) -> None:
    await tab.size(390, 844, phone=True)
    await tab.open(demo.page)
    await tab.until(OPEN_LINE)
    if await tab.ask("document.documentElement.lang") == "en":
        await tab.ask("document.getElementById('language').click()")
    await tab.until("document.getElementById('mall-RAKUTEN').innerText.includes('楽天市場')")
    await tab.until("document.querySelectorAll('#rows td .why small').length === 36")

    shown = await tab.ask("document.body.innerText")
    assert "undefined" not in shown
    assert "{" not in shown
    assert await tab.ask("document.querySelector('#rows td').dataset.mall") == "楽天市場"
    assert await tab.ask("document.documentElement.scrollWidth") <= 390


async def _row_with_stock(tab: Tab) -> int:
    """The first row, from 1, that every mall has at least two of and that is no set."""
    found: int = await tab.until(
        "1 + [...document.querySelectorAll('#rows tr')].findIndex((row) => !row.innerText.includes('set')"
        " && [...row.querySelectorAll('td b')].every((each) => Number(each.textContent) >= 4))"
    )
    return found


def _head(mall: str, button: str) -> str:
    return f"[...document.querySelectorAll('#mall-{mall} button')].find((each) => each.textContent === '{button}')"


async def _sees(tab: Tab, row: int, numbers: list[int]) -> None:
    await tab.until(
        f"JSON.stringify({CELLS.format(row=row)}) === '{str(numbers).replace(' ', '')}'", 40
    )


async def _buys(tab: Tab, row: int, mall: int) -> None:
    await tab.ask(f"{ROW.format(row=row)}.querySelectorAll('.buy')[{mall}].click()")


async def test_a_person_buys_and_breaks_things_and_the_malls_follow(demo: Demo, tab: Tab) -> None:
    await tab.open(demo.page)
    await tab.until(OPEN_LINE)
    assert "token" not in await tab.ask("location.href")
    if await tab.ask("document.documentElement.lang") == "ja":
        await tab.ask("document.getElementById('language').click()")
        await tab.until(OPEN_LINE)
    row = await _row_with_stock(tab)
    left = (await tab.ask(CELLS.format(row=row)))[0]

    await _buys(tab, row, 0)
    await _sees(tab, row, [left - 1] * 3)
    await tab.until("document.getElementById('reached').children.length === 2")

    await tab.ask(f"{_head('RAKUTEN', 'Expire key')}.focus()")
    await tab.presses("Enter")
    await _buys(tab, row, 1)
    await tab.until("!!document.querySelector('#mall-RAKUTEN .HALTED')")
    await tab.until("!!document.querySelector('#errors .LEVEL_9')")
    await _sees(tab, row, [left - 1, left - 2, left - 2])
    classes = f"[...{ROW.format(row=row)}.querySelectorAll('td')].map((each) => each.className)"
    assert await tab.until(f"{classes}[0] === 'held differs' && {classes}") == [
        "held differs",
        "",
        "",
    ]
    await tab.ask(f"{ROW.format(row=row)}.querySelector('.why').click()")
    await tab.until("document.getElementById('why').textContent.includes('‖')")
    await tab.presses("Escape")
    assert await tab.ask("document.getElementById('explained').hidden")

    # The column changed under the keyboard, and kept it.
    assert await tab.ask("document.activeElement.textContent") == "Renew key"
    await tab.presses("Enter")
    await tab.until("!!document.querySelector('#mall-RAKUTEN .RUNNING')")
    await _sees(tab, row, [left - 2] * 3)
    await tab.until("!document.querySelector('#errors .LEVEL_9')")
    assert tab.errors == []

    await tab.ask("window.stayed = true")
    demo.kill_api()
    await _buys(tab, row, 2)
    await _sees(tab, row, [left - 3] * 3)
    await tab.until(
        f"{OPEN_LINE} && {ROW.format(row=row)}.innerText.includes('{left - 3:,} in stock')", 40
    )
    ours = (
        f"[...{ROW.format(row=row)}.querySelectorAll('td small')].map((each) => each.textContent)"
    )
    await tab.until(f"{ours}.every((each) => each === '= {left - 3}')")
    assert await tab.ask("window.stayed")


async def test_the_explorer_comes_with_the_token_and_runs_what_its_tabs_hold(
    demo: Demo, tab: Tab
) -> None:
    await tab.open(f"{demo.explorer}&language=en")
    await tab.until("document.querySelectorAll('[role=tab]').length >= 5")
    assert "token" not in await tab.ask("location.href")

    for place, answers in enumerate(("products", "diffEvents", "syncErrors", "setStock", "node")):
        await tab.clicks(f"document.querySelectorAll('[role=tab]')[{place}]")
        await tab.until(NOTICED.format(place=place))
        await tab.clicks(RUN)
        if answers == "diffEvents":
            await tab.until(STOPS)
            demo.buy()
        shown = (await tab.until(ANSWER.format(answers=answers))).replace("\xa0", " ")
        assert '"errors"' not in shown
        if answers == "diffEvents":
            await tab.clicks(RUN)
    assert ' in total."' in shown
    assert tab.errors == []
