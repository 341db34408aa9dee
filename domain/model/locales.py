"""The languages in which merchants read."""

from dataclasses import dataclass
from enum import StrEnum


class Locale(StrEnum):
    JA = "JA"
    EN = "EN"


@dataclass(frozen=True, slots=True)
class Words:
    """The same words in each language."""

    ja: str
    en: str

    def of(self, locale: Locale) -> str:
        return self.ja if locale is Locale.JA else self.en
