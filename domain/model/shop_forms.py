"""What a person enters in a shop's form, held against the fields of its mall."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from domain.model.errors import DomainError
from domain.model.locales import Words
from domain.model.mall_specs import SPEED, FormField, FormFieldKind, MallSpec

MOST_CHARACTERS = 10_000
MOST_NAME_CHARACTERS = 100
SHORTEST_POLL_SECONDS = 10
LONGEST_POLL_SECONDS = 3_600
LONGEST_INTERVAL_SECONDS = 1_200
SHAPES: Mapping[FormFieldKind, str] = {
    FormFieldKind.NUMBER: r"-?\d{1,18}(\.\d{1,9})?",
    FormFieldKind.BOOLEAN: r"true|false",
    FormFieldKind.DATE: r"\d{4}-\d{2}-\d{2}",
    FormFieldKind.PEM: r"-----BEGIN [A-Z ]+-----[\s\S]+-----END [A-Z ]+-----",
}


@dataclass(frozen=True, slots=True)
class Entered:
    """`values` to keep, and the keys whose value was taken away."""

    values: Mapping[str, str]
    removed: frozenset[str] = frozenset()


def entered(
    fields: Sequence[FormField],
    values: Mapping[str, str | None],
    *,
    path: str,
    complete: bool,
) -> Entered:
    """`complete`: nothing was entered before, so that what is required must be here. An empty value takes away.

    Raises DomainError INVALID_VALUE or REQUIRED with the field's path; the sentence never holds the value.
    """
    known = {field.key: field for field in fields}
    for key in values:
        if key not in known:
            raise DomainError(
                f"There is no field {key}: use {', '.join(known)}.", field=(path, key), key=key
            )
    kept = {key: value.strip() for key, value in values.items() if value and value.strip()}
    empty = known.keys() - kept.keys() if complete else values.keys() - kept.keys()
    for key, field in known.items():
        if key in kept:
            _check_shape(field, kept[key], path)
        elif key in empty and field.required:
            raise DomainError(
                f"Enter {field.label_en}.",
                field=(path, key),
                code="REQUIRED",
                key=key,
                label=Words(field.label_ja, field.label_en),
            )
    return Entered(kept, frozenset(values.keys() - kept.keys()))


def points_elsewhere(spec: MallSpec, settings: Mapping[str, str]) -> bool:
    """Does any address lead to another host than the mall's own? Then the shop is a sandbox shop."""
    known = spec.settings_with_defaults(settings)
    addresses = [each for each in spec.setting_fields if each.kind is FormFieldKind.URL]
    return any(known[each.key].rstrip("/") != each.default.rstrip("/") for each in addresses)


def checked_name(name: str) -> str:
    """Raises DomainError REQUIRED or INVALID_VALUE."""
    if not name.strip():
        raise DomainError("Enter a name for the shop.", field=("name",), code="REQUIRED")
    if len(name.strip()) > MOST_NAME_CHARACTERS:
        raise DomainError(
            f"Enter a name of at most {MOST_NAME_CHARACTERS} characters.",
            field=("name",),
            most=MOST_NAME_CHARACTERS,
        )
    return name.strip()


def checked_match_key(spec: MallSpec, columns: Sequence[str]) -> list[str]:
    """The columns that together are the same-product key. Raises DomainError INVALID_VALUE."""
    usable = spec.match_keys
    if not columns or len(set(columns)) != len(columns) or not set(columns) <= set(usable):
        raise DomainError(
            f"Choose one or more of {', '.join(usable)}, each once.",
            field=("match_key",),
            columns=usable,
        )
    return list(columns)


def checked_interval(seconds: int) -> int:
    """How long changes other than zero are gathered. Raises DomainError INVALID_VALUE."""
    if not 0 <= seconds <= LONGEST_INTERVAL_SECONDS:
        raise DomainError(
            f"Choose an interval of 0 (at once) to {LONGEST_INTERVAL_SECONDS} seconds.",
            field=("reflect_interval_seconds",),
            most=LONGEST_INTERVAL_SECONDS,
        )
    return seconds


def checked_poll(seconds: int) -> int:
    """How often orders are asked for. Raises DomainError INVALID_VALUE."""
    if not SHORTEST_POLL_SECONDS <= seconds <= LONGEST_POLL_SECONDS:
        raise DomainError(
            f"Ask for orders every {SHORTEST_POLL_SECONDS} to {LONGEST_POLL_SECONDS} seconds.",
            field=("order_poll_seconds",),
            least=SHORTEST_POLL_SECONDS,
            most=LONGEST_POLL_SECONDS,
        )
    return seconds


def usual_poll(spec: MallSpec, settings: Mapping[str, str]) -> int:
    """Seconds from one question for a new shop's orders to the next; a sandbox in a hurry is asked more often."""
    speed = float(settings.get(SPEED.key) or 1)
    return max(SHORTEST_POLL_SECONDS, ceil(spec.capabilities.order_poll.total_seconds() / speed))


def _check_shape(field: FormField, value: str, path: str) -> None:
    if len(value) > MOST_CHARACTERS or not _fits(field, value):
        raise DomainError(
            f"{field.label_en} is not entered as the mall writes it. {field.help_en}".strip(),
            field=(path, field.key),
            key=field.key,
            label=Words(field.label_ja, field.label_en),
            help=Words(field.help_ja, field.help_en),
        )


def _fits(field: FormField, value: str) -> bool:
    if field.options and value not in field.options:
        return False
    return all(
        re.fullmatch(pattern, value)
        for pattern in (field.pattern, SHAPES.get(field.kind))
        if pattern
    )
