"""What a PATCH may say and what it does, as tables (amazon sheet §2)."""

import json

import pytest

from integrations.sandbox.amazon.patches import Patch, effect_of, issues_of, read_patches
from integrations.sandbox.core import Refused
from tests.integrations.sandbox.amazon_seller import fits

MODEL = "listingsItems_2021-08-01"
PATH = "/attributes/fulfillment_availability"
SEVEN = {"fulfillment_channel_code": "DEFAULT", "quantity": 7}
AS_IT_WAS = {"fulfillment_channel_code": "DEFAULT", "quantity": 3, "lead_time_to_ship_max_days": 2}


def a_body(**changes):
    return {"productType": "PRODUCT", "patches": [a_patch()]} | changes


def a_patch(**changes):
    return {"op": "merge", "path": PATH, "value": [SEVEN]} | changes


@pytest.mark.parametrize(
    ("case", "body", "message"),
    [
        ("no product type", {"patches": [a_patch()]}, "cannot be parsed"),
        ("no patches", {"productType": "PRODUCT"}, "cannot be parsed"),
        ("an empty list of patches", a_body(patches=[]), "cannot be parsed"),
        ("patches as an object", a_body(patches=a_patch()), "cannot be parsed"),
        ("an unknown op", a_body(patches=[a_patch(op="set")]), "cannot be parsed"),
        ("no path", a_body(patches=[{"op": "merge", "value": [SEVEN]}]), "cannot be parsed"),
        ("a value that is no list", a_body(patches=[a_patch(value=SEVEN)]), "cannot be parsed"),
        ("a value of numbers", a_body(patches=[a_patch(value=[7])]), "cannot be parsed"),
        ("no value", a_body(patches=[{"op": "merge", "path": PATH}]), "patch at index of 0"),
    ],
)
def test_a_wrong_shape_is_a_400(case, body, message):
    with pytest.raises(Refused) as refused:
        read_patches(body)
    answer = refused.value.response
    (error,) = json.loads(answer.body)["errors"]
    assert (answer.status_code, error["code"]) == (400, "InvalidInput"), case
    assert message in error["message"], case
    assert fits(MODEL, "ListingsItemPatchRequest", body) == case.startswith("no value"), case


@pytest.mark.parametrize(
    ("case", "path", "row", "codes"),
    [
        ("a right one", PATH, SEVEN, []),
        ("lead time with its quantity", PATH, AS_IT_WAS, []),
        ("another attribute", "/attributes/fulfillmentAvailability", SEVEN, ["90000900"]),
        ("a nested path", f"{PATH}/0/quantity", SEVEN, ["90000900"]),
        ("no channel", PATH, {"quantity": 7}, ["99022"]),
        ("an empty channel", PATH, SEVEN | {"fulfillment_channel_code": ""}, ["99022"]),
        ("an unknown channel", PATH, SEVEN | {"fulfillment_channel_code": "MARS"}, ["90000900"]),
        (
            "lead time without quantity",
            PATH,
            {"fulfillment_channel_code": "DEFAULT", "lead_time_to_ship_max_days": 2},
            ["90220"],
        ),
        ("a field in camel case", PATH, SEVEN | {"restockDate": "2026-12-01"}, ["90000900"]),
        ("a quantity as text", PATH, SEVEN | {"quantity": "7"}, ["90000900"]),
        ("a quantity below zero", PATH, SEVEN | {"quantity": -1}, ["90000900"]),
        ("a restock date that is none", PATH, SEVEN | {"restock_date": "soon"}, ["90000900"]),
    ],
)
def test_what_makes_a_submission_invalid(case, path, row, codes):
    found = issues_of(read_patches(a_body(patches=[a_patch(path=path, value=[row])])))
    assert [issue["code"] for issue in found] == codes, case


LATER = SEVEN | {"lead_time_to_ship_max_days": 5}
SIBLINGS_LOST = {"lead_time_to_ship_max_days": None, "restock_date": None}
NOW_DEFAULT = {"fulfillment_channel_code": "DEFAULT"}
FLIPPED = NOW_DEFAULT | {"left_channel_code": None}
BOTH_ROWS = NOW_DEFAULT | {"left_channel_code": "AMAZON_JP"}


@pytest.mark.parametrize(
    ("case", "op", "channel", "sent", "quantity", "attributes"),
    [
        ("merge keeps the siblings", "merge", "DEFAULT", SEVEN, 7, {}),
        (
            "merge writes what is sent",
            "merge",
            "DEFAULT",
            LATER,
            7,
            {"lead_time_to_ship_max_days": 5},
        ),
        ("replace drops the siblings", "replace", "DEFAULT", SEVEN, 7, SIBLINGS_LOST),
        ("add is replace", "add", "DEFAULT", SEVEN, 7, SIBLINGS_LOST),
        ("delete leaves nothing for sale", "delete", "DEFAULT", SEVEN, 0, SIBLINGS_LOST),
        ("merge flips an FBA listing", "merge", "AMAZON_JP", SEVEN, 7, FLIPPED),
        ("replace leaves both rows", "replace", "AMAZON_JP", SEVEN, 7, SIBLINGS_LOST | BOTH_ROWS),
    ],
)
def test_what_a_patch_does(case, op, channel, sent, quantity, attributes):
    effect = effect_of([Patch(op, PATH, (sent,))], channel)
    assert (effect.quantity, effect.attributes) == (quantity, attributes), case
