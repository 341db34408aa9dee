"""`renkei up` for a test: started where the engines' user can reach it, and gone afterwards."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.renkei.command import Up, alive, until


@contextmanager
def a_place() -> Iterator[Path]:
    """A folder that every user may pass, unlike pytest's; gone afterwards."""
    path = Path(tempfile.gettempdir()) / f"renkei-test-{secrets.token_hex(4)}"
    path.mkdir()
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def place() -> Iterator[Path]:
    """The test's own."""
    with a_place() as path:
        yield path


def put_away(run: Up) -> None:
    family = run.kill()
    until(lambda: not alive(family))


@pytest.fixture
def up(place: Path) -> Iterator[Callable[..., Up]]:
    """`up(data, *options)` starts one and does not wait."""
    with ExitStack() as stack:

        def start(data: Path | None, *options: str, **more: object) -> Up:
            errors = place / f"errors-{secrets.token_hex(2)}"
            run = Up.start(data, errors, *options, **more)  # type: ignore[arg-type]
            stack.callback(put_away, run)
            return run

        yield start


@pytest.fixture(params=["as we are", "as nobody"] if os.geteuid() == 0 else ["as we are"])
def user(request: pytest.FixtureRequest) -> str:
    return str(request.param)
