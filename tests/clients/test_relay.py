"""Relay's compiler takes every operation of the examples, and pages through every list."""

from pathlib import Path

from graphql import build_schema

from api.schema import print_sdl
from tests.api.transport.test_examples import SOURCES
from tests.clients.node import Node
from tests.clients.relay import operation_module, pageables, paged_module, write_app

SDL = print_sdl()
LISTS = list(pageables(build_schema(SDL)))


def test_every_list_can_be_paged_again_from_where_it_hangs() -> None:
    assert [each for each in LISTS if not each.refetchable] == []
    assert len(LISTS) > 10


async def test_the_compiler_takes_every_operation_and_every_list(
    node: Node, tmp_path: Path
) -> None:
    modules = dict(map(operation_module, SOURCES.values()))
    modules |= {each.module: paged_module(each) for each in LISTS}
    write_app(tmp_path, SDL, modules)

    await node.run("node_modules/relay-compiler/cli.js", cwd=tmp_path)

    made = {path.name for path in (tmp_path / "__generated__").iterdir()}
    assert made >= {f"{name}Query.graphql.ts" for name in (each.module for each in LISTS)}
    assert len([name for name in made if name.endswith("backward_Query.graphql.ts")]) == len(LISTS)


async def test_a_field_that_is_not_there_is_told(node: Node, tmp_path: Path) -> None:
    write_app(tmp_path, SDL, {"Wrong": "graphql`query WrongQuery { nothing }`;"})
    async with node.talking("node_modules/relay-compiler/cli.js", cwd=tmp_path) as talk:
        said, complained = await talk.process.communicate()
    assert talk.process.returncode != 0
    assert b"nothing" in said + complained
