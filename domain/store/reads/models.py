"""The words in which a read model is declared.

A model names the rows of one node; its parts are what may be asked of them. SQL is written with `{t}` for the row's
own alias, `{o}` for the alias of the related row, `{account}` and the other `REQUEST_VALUES` for what comes with every
request. Joins that only some parts need are named once and taken when one of those parts is selected.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

REQUEST_VALUES: Mapping[str, str] = {
    "account": "uuid",
    "user": "uuid",
    "token": "uuid",
    "permissions": "text[]",
    "locale": "text",
}
"""Name to type: bound with every statement that names them."""


class Form(Enum):
    """How a value of PostgreSQL becomes JSON. WORD: text that never needs escaping. JSON: it is already."""

    TEXT = auto()
    WORD = auto()
    NUMBER = auto()
    MOMENT = auto()
    JSON = auto()
    BASE64 = auto()


@dataclass(frozen=True, slots=True)
class Value:
    sql: str
    form: Form
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What a value is made from by the reader, in this order, each as JSON; then it must carry a mark."""

    values: tuple[Value, ...]


class Where(Protocol):
    """What a filter is given: aliases, and the arguments of the field it stands on."""

    def given(self, name: str) -> bool: ...
    def value(self, name: str) -> object: ...
    def bind(self, name: str, cast: str, convert: "Convert | None" = None) -> str: ...
    def fill(self, sql: str) -> str: ...
    def need(self, *names: str) -> None: ...
    def inner(self, name: str) -> "Where": ...
    def beside(self, alias: str) -> "Where": ...


Convert = Callable[[object], object]
Filter = Callable[[Where, str], str]
"""A condition from the argument of this name, which is given."""


@dataclass(frozen=True, slots=True)
class One:
    """A to-one relation. `on`: the target's row, beside its account. `key`: the target's id on this side; with it a
    selection of nothing but the id needs no look-up (only where that row is sure to be there). `when`: a condition on
    this side."""

    target: str
    on: str
    key: str | None = None
    when: str = "true"
    filters: Mapping[str, Filter] = field(default_factory=dict)
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Many:
    """A list that is short by nature. `needs`: joins of the target that `on` and `order` name.

    `source`: a FROM item made from this row, in place of the target's own.
    """

    target: str
    on: str
    order: str
    filters: Mapping[str, Filter] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """Rows in the order of `sql` (never null), then of their id. `cast`: its type in PostgreSQL."""

    sql: str = ""
    cast: str = "text"
    descending: bool = False
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Paged:
    """A connection. `orders`: by the name that the argument order_by makes ("CODE_ASC"); the first is the default."""

    target: str
    orders: Mapping[str, Order]
    on: str = "true"
    filters: Mapping[str, Filter] = field(default_factory=dict)
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inside:
    """An object made from the same row; null where `when` does not hold. `variants`: concrete type to condition."""

    parts: Mapping[str, "Part"]
    when: str = ""
    needs: tuple[str, ...] = ()
    variants: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Either:
    """A to-one relation to one of several types, by name: the first whose `when` holds."""

    choices: Mapping[str, "One | Inside"]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ByIds:
    """Nodes of any model by the ids in the argument `ids` (a list) or `id` (one)."""

    single: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """Rows that are made of this row and a field's own arguments. `source`: a FROM item in which each argument stands as {name};
    `arguments`: their types in PostgreSQL. `order`: of a list; without one it is a single object, or null."""

    target: str
    source: str
    arguments: Mapping[str, str]
    order: str = ""


Part = Value | Facts | One | Many | Paged | Inside | Either | ByIds | Made


@dataclass(frozen=True, slots=True)
class Model:
    """`source`: FROM item with the alias {t}. `alive`: which rows are nodes that can be read by id.

    `variants`: concrete type to condition, where the node's type is abstract.
    """

    name: str
    source: str
    parts: Mapping[str, Part]
    joins: Mapping[str, str] = field(default_factory=dict)
    key: str = "{t}.id"
    account: str = "{t}.account_id = {account}"
    alive: str = "true"
    variants: Mapping[str, str] = field(default_factory=dict)


def text(sql: str, *needs: str) -> Value:
    return Value(sql, Form.TEXT, needs)


def word(sql: str, *needs: str) -> Value:
    return Value(sql, Form.WORD, needs)


def number(sql: str, *needs: str) -> Value:
    return Value(sql, Form.NUMBER, needs)


def flag(sql: str, *needs: str) -> Value:
    return Value(sql, Form.NUMBER, needs)


def moment(sql: str, *needs: str) -> Value:
    return Value(sql, Form.MOMENT, needs)


def json(sql: str, *needs: str) -> Value:
    return Value(sql, Form.JSON, needs)


def words(sql: str, *needs: str) -> Value:
    """A text[]."""
    return Value(f"to_json({sql})", Form.JSON, needs)


def identity(model: str, sql: str, *needs: str) -> Value:
    """A global id: the model's name and the row's id, in base64."""
    return Value(f"'{model}:' || ({sql})", Form.BASE64, needs)


def facts(*values: Value) -> Facts:
    return Facts(values)


def texts(*names: str) -> dict[str, Part]:
    """Columns that are read as they stand."""
    return {name: text("{t}." + name) for name in names}


def numbers(*names: str) -> dict[str, Part]:
    return {name: number("{t}." + name) for name in names}


def moments(*names: str) -> dict[str, Part]:
    return {name: moment("{t}." + name) for name in names}
