"""Why a listing should show the number that it should: the rules in order, in one sentence."""

from dataclasses import dataclass

from domain.model.locales import Locale, Words
from domain.model.stock import QuantityRule, Step, Steps, explain

UNLINKED = Words(
    "商品に紐づいていないため、反映数はありません。",
    "It belongs to no product, so nothing here decides its number.",
)
NOTHING_LIMITS = Words(
    "在庫管理する構成品がないため、反映数はありません。",
    "No managed part limits the set, so nothing here decides its number.",
)

FIRST = {
    QuantityRule.TOTAL: Words("総在庫数{after}", "{after} in total"),
    QuantityRule.SET_PARTS: Words("構成品から{after}セット", "parts for {after} sets"),
}
THEN = {
    QuantityRule.RESERVE: Words(" − 確保在庫{taken} → {after}", " − {taken} reserved → {after}"),
    QuantityRule.FLOOR_ZERO: Words("、0未満にはしない → {after}", ", never below 0 → {after}"),
    QuantityRule.MINIMUM: Words(
        "、下限{minimum}以下 → {after}", ", no more than the minimum of {minimum} → {after}"
    ),
    QuantityRule.MAXIMUM: Words(
        "、この出品の上限{after} → {after}", ", at most {after} here → {after}"
    ),
    QuantityRule.MALL_MAXIMUM: Words(
        "、モールの上限{after} → {after}", ", at most {after} at the mall → {after}"
    ),
}
"""What a rule that changed the number adds to the sentence."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a listing's number follows from.

    `start`: the total of a single product, or how many of a set its parts allow; None where no managed part limits it.
    `most`: the mall's own maximum.
    """

    start: int | None
    is_set: bool = False
    reserve: int = 0
    minimum: int | None = None
    maximum: int | None = None
    most: int = 0

    @property
    def steps(self) -> Steps:
        """Empty where nothing decides the number."""
        if self.start is None:
            return ()
        return explain(
            self.start,
            reserve=self.reserve,
            minimum=self.minimum,
            maximum=self.maximum,
            most=self.most,
            start_rule=QuantityRule.SET_PARTS if self.is_set else QuantityRule.TOTAL,
        )


def sentence(figures: Figures | None, locale: Locale) -> str:
    """The first rule, and every other that made a difference. None: it belongs to no product."""
    if figures is None:
        return UNLINKED.of(locale)
    if not figures.steps:
        return NOTHING_LIMITS.of(locale)
    first, *others = figures.steps
    telling = [step for step in others if step.before != step.after]
    said = [FIRST[first.rule].of(locale).format(after=first.after)]
    said += [_then(step, figures, locale) for step in telling]
    return "".join(said) + ("。" if locale is Locale.JA else ".")


def _then(step: Step, figures: Figures, locale: Locale) -> str:
    taken = step.before - step.after
    words = THEN[step.rule].of(locale)
    return words.format(taken=taken, after=step.after, minimum=figures.minimum)
