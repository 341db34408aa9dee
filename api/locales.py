"""Sentences in the reader's language: the one asked for, else the viewer's."""

from collections.abc import Mapping
from typing import Any

from api.fields import Maker, argument, described
from domain.model.locales import Locale, Words

described(Locale, "A language in which merchants read.", JA="日本語", EN="English")

LOCALE = {"locale": argument(Locale | None, "The language; the viewer's when nothing is said.")}
"""The argument of every field that is a sentence."""


def chosen(arguments: Mapping[str, Any], locale: Locale) -> Locale:
    return Locale(arguments.get("locale") or locale)


def in_language(name: str) -> Maker:
    """The attribute `name`_ja or `name`_en of the object that the field stands in."""

    def read(source: Any, arguments: Mapping[str, Any], locale: Locale) -> str:
        return str(getattr(source, f"{name}_{chosen(arguments, locale).value.lower()}"))

    return read


def worded(name: str) -> Maker:
    """The attribute of this name, which is `Words` or None, of the object that the field stands in."""

    def read(source: Any, arguments: Mapping[str, Any], locale: Locale) -> str | None:
        words: Words | None = getattr(source, name)
        return None if words is None else words.of(chosen(arguments, locale))

    return read
