"""The error tree, drawn once, sorted by who can do something about it.

* DomainError            the caller asked for what the rules refuse; shown to them
* MallError              a mall did not do what we asked; its type decides what happens next
  + MallUnavailable      again later, with backoff (maintenance, overload, unreachable)
  + MallThrottled        again when the mall said so; not counted as a failure
  + MallOutcomeUnknown   sent, and no answer came: it may have been applied
  + MallRefused          never, as it is: record it and go on (one item, one request)
  + MallLockedOut        the credentials are dead: halt the shop, tell a person
  + MallMalformed        the answer is not what the mall documents: keep it, tell a person
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from domain.model.locales import Words

WORDS = "words"


def kept(words: str) -> str:
    """A mall's words as a database keeps them: what no text may hold is shown as U+FFFD."""
    sound = words.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass")
    return sound.decode("utf-16", "replace")


class DomainError(Exception):
    """A refusal the caller can mend. `code` is stable; `params` are the values of the sentence."""

    code = "INVALID_VALUE"

    def __init__(
        self,
        message: str,
        /,
        *,
        field: tuple[str, ...] = (),
        code: str | None = None,
        **params: object,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.code = code or type(self).code
        self.params: Mapping[str, object] = params

    def as_json(self) -> Mapping[str, Any]:
        """To be told later, in its reader's language."""
        return {
            "code": self.code,
            "message": self.message,
            "field": list(self.field),
            "params": {name: _kept_value(value) for name, value in self.params.items()},
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> "DomainError":
        """As `as_json` wrote it."""
        params = {name: _known_value(value) for name, value in kept["params"].items()}
        return cls(kept["message"], code=kept["code"], field=tuple(kept["field"]), **params)


def _kept_value(value: object) -> object:
    match value:
        case Words():
            return {WORDS: [value.ja, value.en]}
        case list() | tuple():
            return [_kept_value(each) for each in value]
        case int():
            return value
    return str(value)


def _known_value(value: Any) -> Any:
    return Words(*value[WORDS]) if isinstance(value, dict) else value


class MallError(Exception):
    """`mall_code` and `mall_message` are the mall's own words, as received (may be empty)."""

    def __init__(self, message: str, /, *, mall_code: str = "", mall_message: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mall_code = kept(mall_code)
        self.mall_message = kept(mall_message)


class MallUnavailable(MallError):
    """Not now: maintenance, overload, or unreachable. Nothing was applied."""

    def __init__(
        self,
        message: str,
        /,
        *,
        maintenance: bool = False,
        retry_after: timedelta | None = None,
        mall_code: str = "",
        mall_message: str = "",
    ) -> None:
        super().__init__(message, mall_code=mall_code, mall_message=mall_message)
        self.maintenance = maintenance
        self.retry_after = retry_after


class MallThrottled(MallError):
    """Too many calls. Nothing was applied. `retry_after` is the mall's word, else None.

    `by_us`: the mall was not asked, because its limit is known; then `retry_after` is how long our share is used up.
    """

    def __init__(
        self,
        message: str,
        /,
        *,
        retry_after: timedelta | None = None,
        by_us: bool = False,
        mall_code: str = "",
        mall_message: str = "",
    ) -> None:
        super().__init__(message, mall_code=mall_code, mall_message=mall_message)
        self.retry_after = retry_after
        self.by_us = by_us


class MallOutcomeUnknown(MallError):
    """The request left us and no readable answer came back: it may or may not have been applied."""


class MallRefused(MallError):
    """The mall understood and said no. `item_ref` names the one item it objected to, if it named one."""

    def __init__(
        self,
        message: str,
        /,
        *,
        item_ref: str | None = None,
        mall_code: str = "",
        mall_message: str = "",
    ) -> None:
        super().__init__(message, mall_code=mall_code, mall_message=mall_message)
        self.item_ref = item_ref


class MallLockedOut(MallError):
    """The credentials are refused or have expired; `consent` is true when a person must consent anew at the mall."""

    def __init__(
        self,
        message: str,
        /,
        *,
        consent: bool = False,
        mall_code: str = "",
        mall_message: str = "",
    ) -> None:
        super().__init__(message, mall_code=mall_code, mall_message=mall_message)
        self.consent = consent


class MallMalformed(MallError):
    """An answer that is not what the mall documents; `excerpt` holds its beginning, no personal data."""

    def __init__(self, message: str, /, *, excerpt: str = "", mall_code: str = "") -> None:
        super().__init__(message, mall_code=mall_code, mall_message=excerpt)
        self.excerpt = excerpt
