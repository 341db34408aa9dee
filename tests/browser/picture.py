"""A picture of the demo's page, made from the demo that runs: `make demo-picture`.

    python -m tests.browser.picture INTO.png

The demo is the one on the data directory that the commands share (RENKEI_DATA_DIR names another). It is watched until a
mall is in trouble while another sells, or for as long as that takes at most. Japanese names want a Japanese font on the
machine.
"""

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

from renkei.demo.note import read_note
from renkei.home import data_path
from renkei.up import PAGE_PORT
from tests.browser import chrome

WIDTH, HEIGHT = 1280, 940
SEEN = "[...document.querySelectorAll('#rows td b')].filter((each) => each.textContent !== '–').length >= 30"
FOLLOWED = "document.getElementById('reached').textContent.includes('✓')"
TELLING = (
    f"document.querySelector('td.held') && document.querySelector('td.differs') && ({FOLLOWED})"
)
TROUBLE_COMES_WITHIN = 150


def address(folder: Path) -> str:
    note = read_note(folder)
    if note is None:
        sys.exit(f"No demo has run on {folder}: start one with `renkei demo`.")
    return f"http://127.0.0.1:{(folder / PAGE_PORT).read_text()}/demo#token={note.token}"


async def taken(page: str) -> bytes:
    async with chrome.a_tab(chrome.installed()) as tab:
        await tab.size(WIDTH, HEIGHT)
        await tab.open(page)
        await tab.until(SEEN)
        if await tab.ask("document.documentElement.lang") != "en":
            await tab.ask("document.getElementById('language').click()")
        await tab.until(f"({SEEN}) && ({FOLLOWED})")
        with suppress(AssertionError):
            await tab.until(TELLING, TROUBLE_COMES_WITHIN)
        return await tab.picture()


if __name__ == "__main__":
    picture = asyncio.run(taken(address(data_path(None, os.environ))))
    Path(sys.argv[1]).write_bytes(picture)
