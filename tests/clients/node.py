"""Node with the clients that frontends use: installed as package-lock.json says, and run."""

import asyncio
import hashlib
import shlex
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tests.patience import PATIENCE_SECONDS

FOLDER = Path(__file__).parent
INSTALLED = FOLDER / "node_modules" / ".lock"
"""The hash of the lock that node_modules was installed from."""
OLDEST = 20
INSTALL_SECONDS = 180


class NoNode(Exception):
    """Says why nothing of this can run here."""


@dataclass(frozen=True, slots=True)
class Node:
    program: str

    async def run(self, script: str | Path, *arguments: str, cwd: Path = FOLDER) -> str:
        """What it printed. Fails with its own words when it ends otherwise than well."""
        async with self.talking(script, *arguments, cwd=cwd) as talk:
            said, complained = await asyncio.wait_for(
                talk.process.communicate(b""), PATIENCE_SECONDS
            )
        assert talk.process.returncode == 0, f"{said.decode()}\n{complained.decode()}"
        return said.decode()

    @asynccontextmanager
    async def talking(
        self, script: str | Path, *arguments: str, cwd: Path = FOLDER
    ) -> AsyncIterator["Talk"]:
        process = await asyncio.create_subprocess_exec(
            self.program,
            "--conditions=development",  # in which libraries warn
            FOLDER / script,
            *arguments,
            cwd=cwd,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=2**24,
        )
        try:
            yield Talk(process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


@dataclass(frozen=True, slots=True)
class Talk:
    """A script that is told things and answers, each a line of JSON."""

    process: asyncio.subprocess.Process

    async def ask(self, what: str, **more: Any) -> Any:
        """Its answer. Fails with the script's own words when it ended instead."""
        pipe = self.process.stdin
        assert pipe is not None
        pipe.write(orjson.dumps({"ask": what, **more}) + b"\n")
        return await self.hear()

    async def end(self) -> str:
        """What it complained of."""
        _, complained = await asyncio.wait_for(self.process.communicate(b""), PATIENCE_SECONDS)
        return complained.decode()

    async def hear(self) -> Any:
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE_SECONDS)
        if not line:
            assert self.process.stderr is not None
            raise AssertionError((await self.process.stderr.read()).decode())
        return orjson.loads(line)


def installed(path: str | None = None) -> Node:
    """With the clients in place; Node is looked for on `path`, as programs are. Raises NoNode."""
    program, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if program is None or npm is None:
        raise NoNode(f"Node {OLDEST} or newer with npm is not on this machine.")
    version = run_in(FOLDER, program, "--version").strip()
    if int(version.removeprefix("v").split(".")[0]) < OLDEST:
        raise NoNode(f"This is Node {version}; the clients need {OLDEST} or newer.")
    _install(npm)
    return Node(program)


def _install(npm: str) -> None:
    """Once for each lock. Raises NoNode."""
    lock = lock_of(FOLDER)
    if INSTALLED.exists() and INSTALLED.read_text() == lock:
        return
    install(npm, FOLDER)
    INSTALLED.write_text(lock)


def lock_of(folder: Path) -> str:
    return hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()


def install(npm: str, folder: Path) -> None:
    """As the folder's package-lock.json says. Raises NoNode."""
    run_in(folder, npm, "ci", "--ignore-scripts", "--prefer-offline")


def run_in(folder: Path, *command: str) -> str:
    """What the command printed, in the folder. Raises NoNode with its complaint."""
    try:
        return subprocess.run(
            command, cwd=folder, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS
        ).stdout
    except subprocess.CalledProcessError as error:
        raise NoNode(f"{shlex.join(command)}: {error.stderr}") from error
    except subprocess.TimeoutExpired as error:
        raise NoNode(str(error)) from error
