"""How soon the demo's page shows a sale at the other malls, and how smoothly it draws 20 changes a second.

    renkei demo --quiet                     in one terminal, until it stands still
    python -m benchmarks.demo_page          in another

Real Chromium (tests/browser), the page as it is served, malls at the demo's speed with the limits of their fact sheets.
"""

import asyncio
import os
import sys
from statistics import median
from typing import Any

from benchmarks.saying import say
from renkei.home import data_path
from tests.browser import chrome
from tests.browser.chrome import Tab
from tests.browser.picture import SEEN, address

BUYS = 12
CHANGES_A_SECOND = 20
SECONDS = 10

BUY = """(async () => {
  const cells = () => [...document.querySelectorAll('#rows tr:nth-child(ROW) td b')].map((each) => Number(each.textContent));
  const before = cells(), begun = performance.now(), found = [0, 0, 0];
  document.querySelectorAll('#rows tr:nth-child(ROW) .buy')[0].click();
  while (found.includes(0) && performance.now() - begun < 20000) {
    await new Promise(requestAnimationFrame);
    cells().forEach((each, at) => { if (each < before[at] && !found[at]) found[at] = performance.now() - begun; });
  }
  return found;
})()"""

FRAMES = """(async () => {
  const frames = [], until = performance.now() + SECONDS * 1000, token = sessionStorage.getItem('renkei.token');
  const { codes, malls } = { codes: CODES, malls: ['RAKUTEN', 'YAHOO_SHOPPING', 'AMAZON'] };
  let changes = 0;
  const timer = setInterval(() => {
    changes += 1;
    fetch('/demo/raise', { method: 'POST', headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ mall: malls[changes % 3], code: codes[changes % codes.length] }) });
  }, 1000 / RATE);
  for (let last = performance.now(); last < until;) {
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - last);
    last = now;
  }
  clearInterval(timer);
  return { changes, frames };
})()"""

CODES = """(async () => {
  const asked = { headers: { authorization: `Bearer ${sessionStorage.getItem('renkei.token')}` } };
  return Object.keys((await (await fetch('/demo/state', asked)).json()).malls.RAKUTEN.numbers);
})()"""

ASK = """(async () => {
  const headers = { authorization: `Bearer ${sessionStorage.getItem('renkei.token')}`, 'content-type': 'application/json' };
  const { api, products } = await (await fetch('/demo/state', { headers })).json();
  const ask = async (query, variables) =>
    (await (await fetch(`${api}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables }) })).json()).data;
  const { nodes } = await ask(
    'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Product { id kind listings { id } } } }', { ids: products });
  WORK
})()"""
FILL = """
  const productId = nodes.find((each) => each.kind === 'SINGLE').id;
  const input = { items: [{ productId, total: TOTAL }], reflect: true };
  return (await ask('mutation ($input: SetStockInput!) { setStock(input: $input) { userErrors { message } } }', { input })).setStock.userErrors;
"""
MEND = """
  const input = { listings: { ids: nodes.flatMap((each) => each.listings.map(({ id }) => id)) } };
  const asked = 'mutation ($input: ReadMallStockInput!) { readMallStock(input: $input) { userErrors { message } } }';
  return (await ask(asked, { input })).readMallStock.userErrors;
"""
"""Renkei looks at what was typed into the malls, and puts it right."""

ROW = """1 + [...document.querySelectorAll('#rows tr')].findIndex((row) => !row.querySelector('small').textContent.includes('set')
  && [...row.querySelectorAll('td b')].every((each) => Number(each.textContent) > BUYS))"""


async def measure() -> None:
    async with chrome.a_tab(chrome.installed()) as tab:
        await tab.size(1280, 900)
        await tab.open(address(data_path(None, os.environ)))
        await tab.until(SEEN)
        await _buys(tab)
        await _frames(tab)
        await _ask(tab, MEND)


async def _ask(tab: Tab, work: str) -> None:
    if refused := await tab.ask(ASK.replace("WORK", work)):
        sys.exit(f"Renkei refused: {refused}")


async def _buys(tab: Tab) -> None:
    await _ask(tab, FILL.replace("TOTAL", str(BUYS * 2)))
    row = await tab.until(ROW.replace("BUYS", str(BUYS)))
    found = [await tab.ask(BUY.replace("ROW", str(row))) for _ in range(BUYS)]
    say(f"milliseconds from Buy at Rakuten Ichiba until the page shows it ({BUYS} times)")
    for place, mall in enumerate(("Rakuten Ichiba", "Yahoo! Shopping", "Amazon.co.jp")):
        times = sorted(each[place] for each in found)
        say(f"  {mall:16} median {median(times):6.0f}   longest {times[-1]:6.0f}")


async def _frames(tab: Tab) -> None:
    script = FRAMES.replace("SECONDS", str(SECONDS)).replace("RATE", str(CHANGES_A_SECOND))
    told: dict[str, Any] = await tab.ask(script.replace("CODES", str(await tab.ask(CODES))))
    frames = sorted(told["frames"])
    say(f"frames while {told['changes']} numbers change in {SECONDS} s: {len(frames)}")
    say(f"  median {median(frames):.0f} ms   longest {frames[-1]:.0f} ms")


if __name__ == "__main__":
    asyncio.run(measure())
