"""A headless Chromium, spoken to over its own protocol: installed as package-lock.json says, and nothing else needed.

The npm package holds the program and the libraries that a bare machine may lack; Node and npm put it in place.
"""

import asyncio
import base64
import itertools
import json
import os
import re
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from renkei.engines.process import spawn, stop
from tests.clients.node import NoNode, install, lock_of, run_in
from tests.patience import PATIENCE_SECONDS

FOLDER = Path(__file__).parent
UNPACKED = FOLDER / "node_modules" / ".unpacked"
LOOK_AGAIN = 0.05
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27}
LISTENING = re.compile(r"ws://\S+")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--no-zygote",
    "--disable-gpu",
    "--remote-debugging-port=0",
)
"""`--no-sandbox`: it runs as root in containers, and sees this project's own page only."""


@dataclass
class Tab:
    """One page. `width` in CSS pixels."""

    line: ClientConnection
    session: str = ""
    errors: list[str] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _asked: dict[int, "asyncio.Future[dict[str, Any]]"] = field(default_factory=dict)

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The browser's answer. Raises AssertionError with its own words."""
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        told = {"id": number, "method": method, "params": params}
        if self.session:
            told["sessionId"] = self.session
        await self.line.send(json.dumps(told))
        return await asyncio.wait_for(answer, PATIENCE_SECONDS)

    async def listen(self) -> None:
        """Answers to whom they are for; what the page complains of is kept."""
        async for message in self.line:
            told = json.loads(message)
            if (answer := self._asked.pop(told.get("id", 0), None)) is not None:
                if "error" in told:
                    answer.set_exception(AssertionError(told["error"]["message"]))
                else:
                    answer.set_result(told["result"])
            elif told.get("method") == "Runtime.exceptionThrown":
                self.errors.append(json.dumps(told["params"]["exceptionDetails"])[:500])
            elif told.get("method") == "Log.entryAdded":
                self.errors.append(told["params"]["entry"]["text"])

    async def open(self, address: str) -> None:
        await self.call("Page.navigate", url=address)

    async def size(self, width: int, height: int, *, phone: bool = False) -> None:
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if phone else 1,
            mobile=phone,
        )

    async def ask(self, script: str) -> Any:
        """What an expression is worth on the page; promises are waited for."""
        told = await self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    async def until(self, script: str, seconds: float = PATIENCE_SECONDS) -> Any:
        """What it is worth once that is something. Fails with what the page shows."""
        clock = asyncio.get_running_loop()
        end = clock.time() + seconds
        while not (found := await self.ask(script)):
            if clock.time() > end:
                shown = await self.ask("document.body.innerText")
                raise AssertionError(f"not within {seconds} s: {script}\n{self.errors}\n{shown}")
            await asyncio.sleep(LOOK_AGAIN)
        return found

    async def clicks(self, element: str) -> None:
        """With the mouse, in the middle of what this expression finds."""
        where = await self.ask(
            f"(({{ x, y, width, height }}) => [x + width / 2, y + height / 2])({element}.getBoundingClientRect())"
        )
        at = dict(zip("xy", where, strict=True)) | {"button": "left", "clickCount": 1}
        await self.call("Input.dispatchMouseEvent", type="mousePressed", **at)
        await self.call("Input.dispatchMouseEvent", type="mouseReleased", **at)

    async def presses(self, key: str) -> None:
        """On the keyboard, wherever the page's focus is."""
        told = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        typed = {"text": "\r"} if key == "Enter" else {}
        await self.call("Input.dispatchKeyEvent", type="keyDown", **told, **typed)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **told)

    async def picture(self, *, whole: bool = False) -> bytes:
        """As PNG; `whole`: of what one would have to scroll to, too."""
        told = await self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        return base64.b64decode(told["data"])


@asynccontextmanager
async def a_tab(program: Path) -> AsyncIterator[Tab]:
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        tempfile.TemporaryFile("w+") as said,
    ):
        process = spawn(
            [str(program), *OPTIONS, f"--user-data-dir={profile}", "about:blank"],
            dies_by=signal.SIGKILL,
            env={**os.environ, "LD_LIBRARY_PATH": str(program.parent / "lib")},
            output=said.fileno(),
        )
        try:
            async with connect(await _address(said), max_size=None) as line:
                tab = Tab(line)
                listening = asyncio.create_task(tab.listen())
                await _attach(tab)
                yield tab
                listening.cancel()
        finally:
            stop(process, (signal.SIGKILL, PATIENCE_SECONDS))


async def _attach(tab: Tab) -> None:
    target = await tab.call("Target.createTarget", url="about:blank")
    attached = await tab.call("Target.attachToTarget", flatten=True, **target)
    tab.session = attached["sessionId"]
    for domain in ("Page", "Runtime", "Log"):
        await tab.call(f"{domain}.enable")


async def _address(said: Any) -> str:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            said.seek(0)
            if found := LISTENING.search(said.read()):
                return found[0]
            await asyncio.sleep(LOOK_AGAIN)


def installed() -> Path:
    """The program. Raises NoNode when it cannot be put in place."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NoNode("Node with npm is not on this machine, and the browser comes by it.")
    program = UNPACKED / lock_of(FOLDER)[:16] / "chromium"
    if not program.exists():
        install(npm, FOLDER)
        run_in(FOLDER, node, "unpack.mjs", str(program.parent))
    return program
