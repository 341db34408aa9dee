"""What a change of the schema means to those who built on it."""

from datetime import date

import pytest

from api.evolution import changes_since, undated
from api.schema import print_sdl

TODAY = date(2027, 5, 24)
LONG_AGO, TOO_LATE = "2026-11-22: ask for code.", "2026-11-23: ask for code."

RELEASED = """
directive @requires(permission: Permission!) on FIELD_DEFINITION
enum Permission { READ SHOPS }
interface Node { id: ID! }
type Query { node(id: ID!): Node, tea(size: Int = 1, kind: Kind): Tea @requires(permission: READ), cup: Cup, odd: Drink }
type Mutation { brew(input: BrewInput): BrewPayload }
type Tea implements Node { id: ID!, name: String!, old: Old }
type Cup { name: String, tea: [Tea!] }
type Old { name: String }
union Drink = Tea | Cup
enum Kind { GREEN BLACK }
input BrewInput { kind: Kind, grams: Int }
type BrewPayload { tea: Tea }
"""


def after(old: str, new: str, *more: tuple[str, str]) -> str:
    """RELEASED, with this put in the place of that."""
    sdl = RELEASED
    for this, that in [(old, new), *more]:
        assert this in sdl
        sdl = sdl.replace(this, that)
    return sdl


def said(now: str, released: str = RELEASED) -> list[str]:
    return [f"{each.severity}: {each.sentence}" for each in changes_since(released, now, TODAY)]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (after(", cup: Cup", ""), "breaking: Field Query.cup was removed."),
        (after("name: String, tea", "name: [String], tea"), "from String to [String]."),
        (after("name: String!", "name: String"), "Tea.name changed type from String! to String."),
        (after("GREEN BLACK", "GREEN"), "breaking: Enum value Kind.BLACK was removed."),
        (after("Tea | Cup", "Tea"), "breaking: Cup was removed from union type Drink."),
        (after("kind: Kind)", "kind: Kind, hot: Boolean!)"), "required argument Query.tea(hot:)"),
        (after("(size: Int = 1, kind", "(kind"), "breaking: Argument Query.tea(size:) was removed"),
        (after("size: Int = 1", "size: String"), "tea(size:) has changed type from Int to String."),
        (after("grams: Int", "grams: Int!"), "BrewInput.grams changed type from Int to Int!."),
        (after("grams: Int", "grams: Int, hot: Boolean!"), "A required field BrewInput.hot"),
        (after(", grams: Int", ""), "breaking: Field BrewInput.grams was removed."),
        (after("Tea implements Node", "Tea"), "Tea no longer implements interface Node."),
        (after("directive @requires(permission: Permission!) on FIELD_DEFINITION", "",
               (" @requires(permission: READ)", "")), "Directive @requires was removed."),
        (after("permission: READ", "permission: SHOPS"),
         "breaking: Query.tea has changed what it needs from READ to SHOPS."),
        (after("cup: Cup", "cup: Cup @requires(permission: READ)"),
         "breaking: Query.cup has changed what it needs from no right to READ."),
        (after("type Old { name: String }", "enum Old { A }"), "changed from an Object type to"),
        (after("GREEN BLACK", "GREEN BLACK WHITE"), "dangerous: Enum value Kind.WHITE was added."),
        (after("Tea | Cup", "Tea | Cup | Old"), "dangerous: Old was added to union type Drink."),
        (after("kind: Kind)", "kind: Kind, hot: Boolean)"), "dangerous: An optional argument"),
        (after("size: Int = 1", "size: Int = 2"), "dangerous: Query.tea(size:) has changed default"),
        (after("grams: Int", "grams: Int, hot: Boolean"), "dangerous: An optional field BrewInput"),
    ],
)  # fmt: skip
def test_each_change_is_named(now: str, expected: str) -> None:
    [sentence] = said(now)
    assert expected in sentence


@pytest.mark.parametrize(
    "now",
    [
        RELEASED,
        after("type Old", '"Of yore." type Old'),
        after("cup: Cup", "cup: Cup, pot: Cup"),
        after("name: String, tea", "name: String!, tea"),
        after("cup: Cup", 'cup: Cup @deprecated(reason: "2027-05-01: it leaks.")'),
        after(" @requires(permission: READ)", ""),
    ],
)
def test_what_harms_nobody_is_not_named(now: str) -> None:
    assert said(now) == []


def test_what_breaks_comes_first() -> None:
    assert [each.split(":")[0] for each in said(after("BLACK", "WHITE"))] == [
        "breaking",
        "dangerous",
    ]


@pytest.mark.parametrize(
    ("field", "gone"),
    [
        ("old: Old", "Field Tea.old was removed."),
        ("grams: Int", "Field BrewInput.grams was removed."),
        ("BLACK", "Enum value Kind.BLACK was removed."),
        ("size: Int = 1", "Argument Query.tea(size:) was removed."),
    ],
)
def test_what_was_deprecated_for_half_a_year_may_go(field: str, gone: str) -> None:
    without = after(field, "")
    for reason, expected in [(LONG_AGO, []), (TOO_LATE, [gone]), ("soon", [gone])]:
        deprecated = after(field, f'{field} @deprecated(reason: "{reason}")')
        assert said(without, deprecated) == [f"breaking: {each}" for each in expected]
    assert said(without) == [f"breaking: {gone}"]


def test_a_type_goes_with_the_last_field_that_led_to_it() -> None:
    without = after("type Old { name: String }", "", (", old: Old", ""))
    deprecated = after("old: Old", f'old: Old @deprecated(reason: "{LONG_AGO}")')
    assert said(without, deprecated) == []
    assert said(without) == ["breaking: Field Tea.old was removed.", "breaking: Old was removed."]


def test_a_node_does_not_go_with_its_fields() -> None:
    node = RELEASED + "type Pot implements Node { id: ID! }"
    assert said(RELEASED, node) == ["breaking: Pot was removed."]


def test_a_deprecation_says_since_when() -> None:
    sdl = after("cup: Cup", 'cup(a: Int @deprecated(reason: "2026-13-45")): Cup @deprecated')
    assert undated(sdl) == ["Query.cup", "Query.cup.a"]
    assert undated(after("cup: Cup", f'cup: Cup @deprecated(reason: "{LONG_AGO}")')) == []


def test_every_deprecation_of_ours_says_since_when() -> None:
    assert undated(print_sdl()) == []
