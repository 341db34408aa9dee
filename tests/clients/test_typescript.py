"""Types generated from the schema and the examples compile strictly, and hold who writes against them to the schema."""

import shutil
from pathlib import Path

import pytest

from api.schema import print_sdl
from tests.api.transport.test_examples import FOLDER as EXAMPLES
from tests.clients.node import FOLDER, Node

STRICT = (
    "--strict", "--noEmit", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess",
    "--target", "es2022", "--module", "nodenext",
)  # fmt: skip
PARTS = ("schema.ts", "operations.ts", "program.ts")


@pytest.fixture
async def project(node: Node, tmp_path: Path) -> Path:
    """With everything generated, and a program on top of it."""
    (tmp_path / "schema.graphql").write_text(print_sdl())
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "node_modules").symlink_to(FOLDER / "node_modules")
    shutil.copy(FOLDER / "program.ts", tmp_path)
    sources = str(tmp_path / "schema.graphql"), str(EXAMPLES), str(tmp_path)
    await node.run("codegen.mjs", *sources)
    return tmp_path


async def test_what_is_generated_compiles_and_so_does_a_program_on_it(
    node: Node, project: Path
) -> None:
    await compiled(node, project)


async def test_a_program_that_asks_for_more_than_the_schema_says_does_not(
    node: Node, project: Path
) -> None:
    program = project / "program.ts"
    program.write_text(program.read_text().replace("event.listing.id", "event.listing.nothing"))
    with pytest.raises(AssertionError, match="Property 'nothing' does not exist"):
        await compiled(node, project)


async def compiled(node: Node, project: Path) -> None:
    await node.run("node_modules/typescript/bin/tsc", *STRICT, *PARTS, cwd=project)
