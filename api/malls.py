"""モール The malls: what a form or a table header needs to draw itself. The same for every account."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import strawberry

from api.fields import described, field, planned
from api.locales import LOCALE, in_language
from domain.model.locales import Locale
from domain.model.mall_specs import MALL_SPECS, FormFieldKind, FormSection, MallSpec
from domain.model.malls import CancelSupport, MallKind

described(
    MallKind,
    "モール: a platform.",
    RAKUTEN="楽天市場",
    YAHOO_SHOPPING="Yahoo!ショッピング",
    AMAZON="Amazon.co.jp",
)
described(
    FormFieldKind,
    "How a field of a form is drawn.",
    TEXT="One line.",
    PASSWORD="One line, hidden.",
    NUMBER="A number.",
    BOOLEAN="A tick.",
    CHOICE="One of `options`.",
    DATE="A date.",
    PEM="A key of several lines.",
    URL="An address.",
)
described(
    FormSection,
    "Where a field of a form stands.",
    CREDENTIALS="認証情報.",
    SHOP="店舗情報.",
    CONNECTION="接続設定.",
)
described(
    CancelSupport,
    "How cancelled orders come to be known.",
    SEEN="The mall says so.",
    SEEN_ON_REREAD="Open orders are read again.",
    NOT_SEEN="They do not.",
)


def _seconds(name: str) -> Any:
    def read(source: Any, _: Mapping[str, Any], __: Locale) -> int:
        delay: timedelta = getattr(source, name)
        return int(delay.total_seconds())

    return read


def _attribute(name: str) -> Any:
    return lambda source, _, __: getattr(source, name)


def _days(source: Any, _: Mapping[str, Any], __: Locale) -> int | None:
    return None if source.valid_for is None else int(source.valid_for.days)


def spec_of(facts: Any, _: Mapping[str, Any], __: Locale) -> MallSpec:
    """Of a shop's mall."""
    return MALL_SPECS[MallKind(facts[0])]


def every_spec(_: Any, __: Mapping[str, Any], ___: Locale) -> list[MallSpec]:
    return list(MALL_SPECS.values())


@strawberry.type(description="One field of a shop's form.")
class FormField:
    key: str = field("Its name in `credentials` or `settings`.")
    section: FormSection = field("Where it stands.")
    label = planned(str, "Its label.", LOCALE, made_by=in_language("label"))
    help = planned(
        str,
        "What to enter, and where it is found; may be empty.",
        LOCALE,
        made_by=in_language("help"),
    )
    kind: FormFieldKind = field("How it is drawn.")
    secret: bool = field("Once entered it is never shown again.")
    required: bool = field("The shop cannot be connected without it.")
    pattern: str | None = field("A regular expression for the whole value.")
    options: list[str] = field("What may be chosen; empty: anything.")
    default: str = field("What holds when it is left empty.")


@strawberry.type(description="The mall wants the seller's consent on its own page.")
class ConsentSpec:
    valid_for_days: int | None = field("How long a consent holds; null: not known.", made_by=_days)
    rolls: bool = field("Using it prolongs it.")


@strawberry.type(description="モール別項目: one column of a mall's item data.")
class MallColumn:
    key: str = field("Its name here.")
    label = planned(str, "Its label.", LOCALE, made_by=in_language("label"))
    header: str | None = field("Its header in the mall's files.")
    carries_link_code: bool = field("It carries the code that links usually go by.")
    match_key: bool = field("It may serve as same-product key.")
    editable: bool = field("It can be changed here.")
    sent_with_stock: bool = field("It travels with the stock.")
    kind: FormFieldKind = field("How it is drawn where it can be changed.")
    pattern: str | None = field("A regular expression for the whole value.")
    help = planned(str, "What may be entered; may be empty.", LOCALE, made_by=in_language("help"))


@strawberry.type(description="What the mall's interface can do.")
class MallCapabilities:
    batch_size: int = field(
        "Numbers a call carries at most.", made_by=_attribute("max_pushes_per_call")
    )
    relative_writes: bool = field("It takes changes as well as numbers.")
    read_back: bool = field(
        "It tells what it shows: `readMallStock` can ask.", made_by=_attribute("reads_stock")
    )
    max_quantity: int = field("The largest number it shows.")
    cancels: CancelSupport = field("How cancelled orders come to be known.")
    usual_delay_seconds: int = field(
        "From accepted to shown, usually; differences allow for it.",
        made_by=_seconds("usual_delay"),
    )
    order_freshness_seconds: int = field(
        "Other numbers than zero go out only with orders as fresh as this.",
        made_by=_seconds("order_freshness"),
    )
    order_poll_seconds: int = field(
        "A new shop's orders are asked for every so many seconds, as the mall's limits allow all day; a shop can be set otherwise.",
        made_by=_seconds("order_poll"),
    )


@strawberry.type(description="What a merchant arranges at the mall before connecting.")
class Prerequisite:
    key: str = field("Its name here.")
    text = planned(str, "What to do.", LOCALE, made_by=in_language("text"))
    usual_days: int | None = field("How long the mall takes; null: not known.")


@strawberry.type(description="モール: forms, columns, capabilities. The same for every account.")
class Mall:
    kind: MallKind = field("Which.")
    name = planned(str, "Its name.", LOCALE, made_by=in_language("name"))
    credential_fields: list[FormField] = field("The form of its credentials.")
    setting_fields: list[FormField] = field("The form of its settings.")
    consent: ConsentSpec | None = field("Null: the form is enough.")
    columns: list[MallColumn] = field("The columns of its item data.")
    capabilities: MallCapabilities = field("What its interface can do.")
    prerequisites: list[Prerequisite] = field("What to arrange before.")
