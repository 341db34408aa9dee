"""「なぜこの数?」「なぜ反映されない?」 Why a listing should show what it should, and why that is sent or not."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry

from api.actors import Actor
from api.fields import described, field, planned
from api.locales import LOCALE, chosen, worded
from api.nodes import Node
from domain.model.diff import NotPushed
from domain.model.explanations import Figures, sentence
from domain.model.locales import Locale
from domain.model.mall_specs import MALL_SPECS
from domain.model.malls import MallKind
from domain.model.stock import QuantityRule, Step
from domain.model.trouble_list import CheckStep as Check
from domain.model.trouble_list import trouble_list

described(
    QuantityRule,
    "The rules between a total and the number to show, in the order in which they act.",
    TOTAL="総在庫数: of a single product.",
    SET_PARTS="セット商品: as many as its parts allow.",
    RESERVE="確保在庫 is taken off.",
    FLOOR_ZERO="Nothing shows less than 0.",
    MINIMUM="下限: at or below it 0 is shown.",
    MAXIMUM="上限: no more than it is shown.",
    MALL_MAXIMUM="The mall itself counts no further.",
)


def _figures(facts: Any) -> Figures | None:
    kind, start, reserve, minimum, maximum, mall = facts
    if kind is None:
        return None
    most = MALL_SPECS[MallKind(mall)].capabilities.max_quantity
    return Figures(start, kind == "SET", reserve, minimum, maximum, most)


def _text(facts: Any, arguments: Mapping[str, Any], locale: Locale) -> str:
    return sentence(_figures(facts), chosen(arguments, locale))


def _checks(facts: Any, arguments: Mapping[str, Any], locale: Locale) -> list[Check]:
    return trouble_list([NotPushed(each) for each in facts[0]])


def _step(facts: Any) -> Step:
    rule, *rest = facts
    figures = _figures(rest)
    assert figures is not None
    return next(step for step in figures.steps if step.rule == rule)


def _before(facts: Any, arguments: Mapping[str, Any], locale: Locale) -> int:
    return _step(facts).before


def _after(facts: Any, arguments: Mapping[str, Any], locale: Locale) -> int:
    return _step(facts).after


@strawberry.type(description="One rule and what it does to the number.")
class ExplanationStep:
    rule: QuantityRule = field("Which rule.")
    before: int = field("The number before it.", made_by=_before)
    after: int = field("The number after it.", made_by=_after)
    set_on: Node | None = field(
        "What its setting sits on: a product, a group, the listing; null: nothing is set."
    )
    set_by: Actor | None = field("Who set it last; null: nobody, or an order.")
    set_at: datetime | None = field("When it was set last.")


@strawberry.type(description="「反映されない」ときの確認: one thing that may keep a number back.")
class CheckStep:
    key: NotPushed = field("What is looked at.")
    ok: bool = field("It keeps nothing back.")
    text = planned(
        str, "How it is; and what to do where it is not ok.", LOCALE, made_by=worded("words")
    )


@strawberry.type(
    description="Why a listing should show what it should, and why that is sent or not."
)
class Explanation:
    text = planned(str, "The rules that count here, as a sentence.", LOCALE, made_by=_text)
    steps: list[ExplanationStep] = field(
        "Every rule in order; empty where nothing of ours decides the number."
    )
    checks: list[CheckStep] = field(
        "What may keep the number back, in the order in which to look.", made_by=_checks
    )
