"""What Amazon means by a status that is no success (the mall's fact sheet, §1, §2 and §6).

An expired token, a revoked one and a missing role are all a 403, and 403s have been spurious. A 429 is the bucket of
one operation; Amazon sends no Retry-After with it, and often not the rate either. A write that fails with 500, 502
or 504 may have been taken.
"""

from datetime import timedelta

import httpx

from domain.model.errors import MallError, MallMalformed, MallThrottled
from integrations.http import excerpt, of_status

from .answers import document_in, objects, optional

RATE_HEADER = "x-amzn-ratelimit-limit"
SLOWEST_RATE = 1 / 3600


def classify(response: httpx.Response, *, safe: bool) -> MallError | None:
    """The common reading, in Amazon's words."""
    error = of_status(response, safe=safe)
    if error is not None:
        error.mall_code, error.mall_message = first_error(response)
    if isinstance(error, MallThrottled) and error.retry_after is None:
        error.retry_after = until_refilled(response)
    return error


def first_error(response: httpx.Response) -> tuple[str, str]:
    """Code and words of `{"errors": [{code, message, details?}]}`; of anything else its status and beginning."""
    try:
        with document_in(response) as document:
            first = objects(document, "errors")[0]
            words = (optional(first, "message", str), optional(first, "details", str))
            code = optional(first, "code", str) or str(response.status_code)
    except (MallMalformed, IndexError):
        return str(response.status_code), excerpt(response)
    return code, " ".join(filter(None, words))


def until_refilled(response: httpx.Response) -> timedelta | None:
    """One call's worth at the rate that the answer names, if it names one."""
    try:
        rate = float(response.headers[RATE_HEADER])
    except (KeyError, ValueError):
        return None
    return timedelta(seconds=1 / rate) if rate >= SLOWEST_RATE else None
