"""`renkei schema check`: what a release would change for those who built on the last one."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from api.schema import print_sdl
from renkei.refusal import Refusal
from renkei.released_schema import accept, changes
from tests.patience import PROCESS_SECONDS
from tests.renkei.command import CHECKOUT

A_VALUE = '  """セット商品: made of parts."""\n  SET\n'


def check(*options: str) -> "subprocess.CompletedProcess[str]":
    """With the real API, in the folder where it is kept."""
    command = [sys.executable, "-m", "renkei", "schema", "check", *options]
    return subprocess.run(
        command, cwd=CHECKOUT, capture_output=True, text=True, timeout=PROCESS_SECONDS
    )


def test_nothing_of_the_last_release_is_broken() -> None:
    done = check()
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """Another schema than ours: with a field that we have not, without a value that we have."""
    sdl = print_sdl().replace("type Query {", 'type Query {\n  "Gone." bygone: String\n', 1)
    path = tmp_path / "released.graphql"
    path.write_text(sdl.replace("enum ProductKind {", "enum ProductKind { GIFT", 1))
    return path


def test_what_breaks_is_named_and_ends_with_1(released: Path) -> None:
    done = check("--baseline", str(released))
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "breaking: Enum value ProductKind.GIFT was removed.",
        "breaking: Field Query.bygone was removed.",
    ]
    assert "2 of these would break clients." in done.stderr
    assert "half a year later" in done.stderr


def test_what_is_only_dangerous_is_named_and_ends_well(tmp_path: Path) -> None:
    older = tmp_path / "older.graphql"
    assert A_VALUE in print_sdl()
    older.write_text(print_sdl().replace(A_VALUE, "", 1))
    done = check("--baseline", str(older))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "dangerous: Enum value ProductKind.SET was added.\n"


def test_a_release_is_what_is_compared_with_from_then_on(released: Path) -> None:
    accepted = check("--baseline", str(released), "--accept")
    assert (accepted.returncode, accepted.stdout) == (0, "")
    assert released.read_text() == print_sdl()
    again = check("--baseline", str(released))
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("holds", "words"),
    [
        (None, "No released schema can be read from"),
        (b"\xff", "No released schema can be read from"),
        (b"type Query {", "holds no schema: Syntax Error"),
        (b"type Query { a: Nothing }", "holds no schema: Unknown type"),
    ],
)
def test_a_file_that_is_no_schema_is_told(tmp_path: Path, holds: bytes | None, words: str) -> None:
    path = tmp_path / "odd.graphql"
    if holds is not None:
        path.write_bytes(holds)
    with pytest.raises(Refusal, match=words):
        changes(path, date(2026, 11, 22))


def test_a_folder_that_is_not_there_takes_no_release(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="cannot be written: No such file or directory"):
        accept(tmp_path / "none" / "schema.graphql")
