"""A shop's form, held against the fields of its mall."""

import pytest

from domain.model.errors import DomainError
from domain.model.mall_specs import (
    AMAZON,
    RAKUTEN,
    YAHOO_SHOPPING,
    FormField,
    FormFieldKind,
    FormSection,
)
from domain.model.shop_forms import Entered, entered, points_elsewhere

PEM = "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----"


def a_field(key: str, kind: FormFieldKind = FormFieldKind.TEXT, **values: object) -> FormField:
    return FormField(key, FormSection.SHOP, key, key, kind=kind, **values)  # type: ignore[arg-type]


FIELDS = (
    a_field("name"),
    a_field("count", FormFieldKind.NUMBER, required=False),
    a_field("on", FormFieldKind.BOOLEAN, required=False),
    a_field("until", FormFieldKind.DATE, required=False),
    a_field("key", FormFieldKind.PEM, required=False),
    a_field("way", FormFieldKind.CHOICE, required=False, options=("API", "FTP")),
    a_field("code", required=False, pattern="[A-Z]{2}"),
)


@pytest.mark.parametrize(
    ("case", "values", "complete", "expected"),
    [
        ("what is required is enough", {"name": "Tea"}, True, Entered({"name": "Tea"})),
        (
            "blanks around a value do not count",
            {"name": " Tea \n"},
            True,
            Entered({"name": "Tea"}),
        ),
        (
            "an empty value takes away",
            {"count": "", "on": None, "way": " "},
            False,
            Entered({}, frozenset({"count", "on", "way"})),
        ),
        ("what is not named is not touched", {"count": "3"}, False, Entered({"count": "3"})),
        ("a negative number", {"count": "-3.5"}, False, Entered({"count": "-3.5"})),
        ("yes", {"on": "true"}, False, Entered({"on": "true"})),
        ("a date", {"until": "2027-01-31"}, False, Entered({"until": "2027-01-31"})),
        ("a key of several lines", {"key": PEM}, False, Entered({"key": PEM})),
        ("one of the choices", {"way": "FTP"}, False, Entered({"way": "FTP"})),
        ("the whole pattern", {"code": "AB"}, False, Entered({"code": "AB"})),
    ],
)
def test_what_is_entered(case, values, complete, expected):
    assert entered(FIELDS, values, path="settings", complete=complete) == expected, case


@pytest.mark.parametrize(
    ("case", "values", "complete", "error"),
    [
        ("a field there is not", {"nmae": "Tea"}, False, ("INVALID_VALUE", "nmae")),
        ("nothing of what is required", {}, True, ("REQUIRED", "name")),
        ("a blank of what is required", {"name": " "}, True, ("REQUIRED", "name")),
        ("taking away what is required", {"name": None}, False, ("REQUIRED", "name")),
        ("not a number", {"count": "three"}, False, ("INVALID_VALUE", "count")),
        ("not yes or no", {"on": "yes"}, False, ("INVALID_VALUE", "on")),
        ("not a date", {"until": "tomorrow"}, False, ("INVALID_VALUE", "until")),
        ("half a key", {"key": PEM[:-10]}, False, ("INVALID_VALUE", "key")),
        ("none of the choices", {"way": "POST"}, False, ("INVALID_VALUE", "way")),
        ("more than the pattern", {"code": "ABC"}, False, ("INVALID_VALUE", "code")),
        ("endless", {"name": "T" * 10_001}, False, ("INVALID_VALUE", "name")),
    ],
)
def test_what_is_refused(case, values, complete, error):
    with pytest.raises(DomainError) as refused:
        entered(FIELDS, values, path="settings", complete=complete)

    code, key = error
    assert (refused.value.code, refused.value.field) == (code, ("settings", key)), case


def test_a_refusal_does_not_repeat_what_was_entered():
    with pytest.raises(DomainError) as refused:
        entered(FIELDS, {"code": "hunter2"}, path="credentials", complete=False)

    assert "hunter2" not in f"{refused.value.message}{dict(refused.value.params)}"


@pytest.mark.parametrize(
    ("case", "spec", "settings", "expected"),
    [
        ("nothing set", RAKUTEN, {}, False),
        ("the mall's own address", RAKUTEN, {"base_url": "https://api.rms.rakuten.co.jp/"}, False),
        ("another address", RAKUTEN, {"base_url": "http://127.0.0.1:9000"}, True),
        ("one of several addresses", YAHOO_SHOPPING, {"auth_url": "http://127.0.0.1:9000"}, True),
        ("the consent page alone", AMAZON, {"consent_url": "http://127.0.0.1:9000"}, True),
        ("no address at all", AMAZON, {"seller_id": "A1B2C3D4"}, False),
    ],
)
def test_points_elsewhere(case, spec, settings, expected):
    assert points_elsewhere(spec, settings) is expected, case
