"""How long texts may be."""

import pytest

from domain.model.errors import DomainError
from domain.model.texts import MOST_ADDRESS, checked_address, checked_name, checked_text


def test_blanks_around_a_text_do_not_count():
    assert checked_text("  緑茶 ", "name", 2) == "緑茶"


def test_a_longer_text_is_refused():
    with pytest.raises(DomainError) as refused:
        checked_text("緑茶。", "name", 2)

    assert (refused.value.code, refused.value.field) == ("INVALID_VALUE", ("name",))
    assert refused.value.params == {"most": 2}


def test_a_name_is_needed():
    assert checked_name(" 緑茶 ") == "緑茶"
    with pytest.raises(DomainError) as refused:
        checked_name("  ")

    assert (refused.value.code, refused.value.field) == ("REQUIRED", ("name",))


@pytest.mark.parametrize(
    "address", ["https://img.example.com/mug.jpg", "http://img.example.com/mug.jpg"]
)
def test_an_address_is_of_the_web(address: str):
    assert checked_address(address, "image_url") == address


@pytest.mark.parametrize(
    ("case", "address"),
    [
        ("a script", "javascript:alert(1)"),
        ("no address", "mug.jpg"),
        ("endless", "https://" + "m" * MOST_ADDRESS),
    ],
)
def test_what_is_none_is_refused(case: str, address: str):
    with pytest.raises(DomainError) as refused:
        checked_address(address, "image_url")

    assert (refused.value.code, refused.value.field) == ("INVALID_VALUE", ("image_url",)), case
