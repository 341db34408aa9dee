"""Texts that people enter: how long they may be."""

from domain.model.errors import DomainError

MOST_NAME = 255
MOST_NOTE = 1_000
MOST_ADDRESS = 2_000


def checked_text(text: str, field: str, most: int) -> str:
    """Without the blanks around it. Raises DomainError INVALID_VALUE for one that is too long."""
    text = text.strip()
    if len(text) > most:
        raise DomainError(f"Enter at most {most} characters.", field=(field,), most=most)
    return text


def checked_name(text: str) -> str:
    """As it is kept. Raises DomainError REQUIRED or INVALID_VALUE."""
    name = checked_text(text, "name", MOST_NAME)
    if not name:
        raise DomainError("Enter a name.", field=("name",), code="REQUIRED")
    return name


def checked_address(text: str, field: str) -> str:
    """An address of the web. Raises DomainError INVALID_VALUE."""
    address = checked_text(text, field, MOST_ADDRESS)
    if not address.startswith(("https://", "http://")):
        raise DomainError("Enter an address that begins with https:// or http://.", field=(field,))
    return address
