"""What a Relay app would hold: a module for each operation of the examples, and one for each list that can be paged."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from graphql import (
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    NameNode,
    Node,
    OperationDefinitionNode,
    Visitor,
    get_named_type,
    is_required_argument,
    parse,
    print_ast,
    visit,
)

PAGES = """
fragment {module}_{way} on {parent}
@argumentDefinitions(count: {{type: "Int", defaultValue: 20}}, cursor: {{type: "String"}})
@refetchable(queryName: "{module}_{way}_Query") {{
  {way}: {field}({size}: $count, {place}: $cursor) @connection(key: "{module}_{way}") {{
    totalCount
    edges {{ cursor node {{ __typename }} }}
    pageInfo {{ startCursor endCursor hasNextPage hasPreviousPage }}
  }}
}}
"""
FORWARD, BACKWARD = ("forward", "first", "after"), ("backward", "last", "before")


@dataclass(frozen=True, slots=True)
class Pageable:
    """A field that answers a connection."""

    parent: str
    field: str
    refetchable: bool

    @property
    def module(self) -> str:
        return f"{self.parent}{self.field[0].upper()}{self.field[1:]}Pages"


def pageables(schema: GraphQLSchema) -> Iterator[Pageable]:
    """Relay asks again for what hangs on Query or on a node, where nothing else must be said."""
    for kind in schema.type_map.values():
        if not isinstance(kind, GraphQLObjectType):
            continue
        reachable = kind is schema.query_type or "Node" in {each.name for each in kind.interfaces}
        for name, field in kind.fields.items():
            if get_named_type(field.type).name.endswith("Connection"):
                free = not any(map(is_required_argument, field.args.values()))
                yield Pageable(kind.name, name, reachable and free)


def paged_module(list_: Pageable) -> str:
    """Both ways through a list, and the screen that shows them."""
    ways = [
        PAGES.format(
            module=list_.module,
            parent=list_.parent,
            field=list_.field,
            way=way,
            size=size,
            place=at,
        )
        for way, size, at in (FORWARD, BACKWARD)
    ]
    return _tagged(*ways, _screen(list_))


def operation_module(source: str) -> tuple[str, str]:
    """Its name and its text: Relay wants every name to begin with that of the module."""
    document = parse(source)
    [operation] = [
        each for each in document.definitions if isinstance(each, OperationDefinitionNode)
    ]
    assert operation.name is not None
    module = operation.name.value
    renamed = visit(document, _Renaming(module))
    return module, _tagged(*(print_ast(each) for each in renamed.definitions))


def write_app(folder: Path, sdl: str, modules: dict[str, str]) -> None:
    (folder / "schema.graphql").write_text(sdl)
    (folder / "relay.config.json").write_text(
        '{"src": ".", "schema": "schema.graphql", "language": "typescript", "eagerEsModules": true}'
    )
    (folder / "package.json").write_text("{}")
    for name, text in modules.items():
        (folder / f"{name}.ts").write_text(text)


Named = TypeVar("Named", OperationDefinitionNode, FragmentDefinitionNode, FragmentSpreadNode)


def _screen(list_: Pageable) -> str:
    """A node may be of another kind than the fragment's: Relay wants such a spread named."""
    spreads = [f"...{list_.module}_{way}" for way, _, _ in (FORWARD, BACKWARD)]
    if list_.parent == "Query":
        return f"query {list_.module}Query {{ {' '.join(spreads)} }}"
    named = " ".join(f"{each} @alias" for each in spreads)
    return f"query {list_.module}Query($id: ID!) {{ node(id: $id) {{ {named} }} }}"


class _Renaming(Visitor):
    def __init__(self, module: str) -> None:
        super().__init__()
        self._module = module

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: object) -> Node:
        return _renamed(node, f"{self._module}{node.operation.value.title()}")

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: object) -> Node:
        return _renamed(node, f"{self._module}_{node.name.value.lower()}")

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> Node:
        return _renamed(node, f"{self._module}_{node.name.value.lower()}")


def _renamed(node: Named, name: str) -> Named:
    return replace(node, name=NameNode(value=name))


def _tagged(*definitions: str) -> str:
    tags = "\n".join(f"graphql`{each}`;" for each in definitions)
    return f'import {{ graphql }} from "relay-runtime";\n{tags}\n'
