"""Passwords that people choose."""

import unicodedata

from domain.model.errors import DomainError

LEAST = 10
MOST = 200


def normal(password: str) -> str:
    """One form of what may be typed in several: an input method writes full-width letters."""
    return unicodedata.normalize("NFKC", password)


def checked_password(password: str, field: str) -> str:
    """In its normal form. Raises DomainError INVALID_VALUE for one that is too short or too long."""
    chosen = normal(password)
    if not LEAST <= len(chosen) <= MOST or not chosen.strip():
        raise DomainError(
            f"Choose a password of {LEAST} to {MOST} characters.",
            field=(field,),
            least=LEAST,
            most=MOST,
        )
    return chosen
