"""What the screens draw: whole, in both languages, and true to the connectors."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from domain.model.errors import DomainError
from domain.model.mall_specs import MALL_SPECS, FormField, FormFieldKind, consent_url
from domain.model.malls import MallKind
from integrations.registry import CONNECTORS

FIELDS = [
    pytest.param(spec.kind, each, id=f"{spec.kind}-{each.key}")
    for spec in MALL_SPECS.values()
    for each in (*spec.credential_fields, *spec.setting_fields)
]


def test_every_kind_of_mall_is_described_and_connected() -> None:
    assert set(MALL_SPECS) == set(CONNECTORS) == set(MallKind)


@pytest.mark.parametrize(("kind", "field"), FIELDS)
def test_a_field_can_be_drawn(kind: MallKind, field: FormField) -> None:
    assert field.label_ja
    assert field.label_en
    assert field.secret or field.kind not in (FormFieldKind.PASSWORD, FormFieldKind.PEM)
    if field.default:
        assert re.fullmatch(field.pattern or ".*", field.default)
        assert not field.required


@pytest.mark.parametrize("kind", MallKind)
def test_every_mall_can_be_pointed_elsewhere(kind: MallKind) -> None:
    settings = MALL_SPECS[kind].settings_with_defaults({"base_url": "http://127.0.0.1:9000/m"})

    assert settings["base_url"] == "http://127.0.0.1:9000/m"
    assert (
        MALL_SPECS[kind].settings_with_defaults({"base_url": ""})["base_url"].startswith("https://")
    )


@pytest.mark.parametrize("kind", MallKind)
def test_the_usual_link_code_is_a_match_key(kind: MallKind) -> None:
    spec = MALL_SPECS[kind]
    carrying = [column for column in spec.columns if column.carries_link_code]

    assert [column.key for column in carrying] == [spec.match_keys[0]]


def test_yahoos_consent_page() -> None:
    url = urlsplit(
        consent_url(
            MALL_SPECS[MallKind.YAHOO_SHOPPING],
            {"client_id": "app"},
            {"auth_url": "http://127.0.0.1:9000/yahoo/"},
            "st/ate",
            "https://renkei.example/connect/yahoo_shopping",
        )
    )

    assert (url.netloc, url.path) == ("127.0.0.1:9000", "/yahoo/yconnect/v2/authorization")
    assert parse_qs(url.query) == {
        "response_type": ["code"],
        "client_id": ["app"],
        "redirect_uri": ["https://renkei.example/connect/yahoo_shopping"],
        "scope": ["openid profile"],
        "bail": ["1"],
        "state": ["st/ate"],
    }


def test_amazons_consent_page_names_the_application() -> None:
    settings = {"application_id": "amzn1.sp.solution.x"}

    url = consent_url(MALL_SPECS[MallKind.AMAZON], {}, settings, "s", "https://renkei.example/c")

    assert url.startswith("https://sellercentral.amazon.co.jp/apps/authorize/consent?")
    assert parse_qs(urlsplit(url).query)["application_id"] == ["amzn1.sp.solution.x"]


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (MallKind.RAKUTEN, "NOT_SUPPORTED_BY_MALL"),
        (MallKind.YAHOO_SHOPPING, "REQUIRED"),
        (MallKind.AMAZON, "REQUIRED"),
    ],
)
def test_where_there_is_no_consent_page_yet(kind: MallKind, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        consent_url(MALL_SPECS[kind], {}, {}, "s", "https://renkei.example/c")

    assert refused.value.code == code
