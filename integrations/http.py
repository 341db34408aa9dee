"""One reading of statuses, time-outs and lost connections, for every connector.

`MallClient.send` draws from the throttle, sends, and answers a `MallAnswer` (the response with the mall's time) or
raises from the tree in domain/model/errors.py. What a status means where a mall departs from HTTP is the
connector's to say: it passes `classify`.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from domain.model.errors import (
    MallError,
    MallLockedOut,
    MallMalformed,
    MallOutcomeUnknown,
    MallRefused,
    MallThrottled,
    MallUnavailable,
)
from domain.model.malls import Bucket, MallTime, Throttle

EXCERPT = 200
RESOLUTION_OF_DATE = timedelta(seconds=1)

Classify = Callable[[httpx.Response], MallError | None]
"""What the mall means by this answer; None where the common reading of its status will do."""


@dataclass(frozen=True, slots=True)
class MallAnswer:
    """A response, and the mall's time at which it was made (RFC 9110 §6.6.1 `Date`, one-second resolution)."""

    response: httpx.Response
    at: MallTime


class MallClient:
    def __init__(self, http: httpx.AsyncClient, throttle: Throttle) -> None:
        self._http = http
        self._throttle = throttle

    async def send(
        self,
        method: str,
        url: str,
        *,
        buckets: tuple[Bucket, ...],
        classify: Classify = lambda _: None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        json: object | None = None,
        data: Mapping[str, str] | None = None,
        accept: Collection[int] = (),
    ) -> MallAnswer:
        """Raises MallError for any answer that is neither a success (2xx) nor of a status in `accept`."""
        await self._throttle.take(*buckets)
        sent = datetime.now(UTC)
        response = await self._request(
            method, url, headers=headers, params=params, content=content, json=json, data=data
        )
        accepted = response.status_code in accept
        error = None if accepted else classify(response) or of_status(response)
        if isinstance(error, MallThrottled) and error.retry_after is not None:
            for bucket in buckets:
                await self._throttle.told_to_wait(bucket, error.retry_after)
        if error is not None:
            raise error
        return MallAnswer(response, mall_time(response, sent, datetime.now(UTC)))

    async def _request(self, method: str, url: str, **parts: object) -> httpx.Response:
        try:
            return await self._http.request(method, url, **parts)  # type: ignore[arg-type]  # passed through as given
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise MallUnavailable(f"The mall cannot be reached: {error}") from error
        except (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError) as error:
            raise MallOutcomeUnknown(f"The mall did not answer: {type(error).__name__}") from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise MallRefused(f"The address {url!r} of the mall cannot be used: {error}") from error


def mall_time(response: httpx.Response, sent: datetime, received: datetime) -> MallTime:
    """The answer was made within [Date, Date + 1 s); what it speaks of happened after we sent."""
    made = date_of(response)
    if made is None:
        return MallTime(sent, received)
    return MallTime(made - (received - sent), made + RESOLUTION_OF_DATE)


def date_of(response: httpx.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return None


def of_status(response: httpx.Response) -> MallError | None:
    """The common reading: 401 and 403 lock out, 429 throttles, 5xx is unavailable, other 4xx refuse."""
    status, words = response.status_code, excerpt(response)
    if response.is_success:
        return None
    if status in (401, 403):
        return MallLockedOut(
            "The mall refuses the credentials.", mall_code=str(status), mall_message=words
        )
    if status == 429:
        return MallThrottled("Too many calls.", retry_after=retry_after(response), mall_code="429")
    if status >= 500:
        return MallUnavailable(
            "The mall is not available.",
            maintenance=status == 503,
            retry_after=retry_after(response),
            mall_code=str(status),
            mall_message=words,
        )
    return MallRefused("The mall refused the request.", mall_code=str(status), mall_message=words)


def retry_after(response: httpx.Response) -> timedelta | None:
    """RFC 9110 §10.2.3: delay-seconds, or an HTTP-date."""
    value = response.headers.get("retry-after", "")
    if value.isdigit():
        return timedelta(seconds=int(value))
    try:
        return max(parsedate_to_datetime(value) - datetime.now(UTC), timedelta(0))
    except (TypeError, ValueError):
        return None


def excerpt(response: httpx.Response) -> str:
    return response.text[:EXCERPT]


def malformed(response: httpx.Response, why: str) -> MallMalformed:
    return MallMalformed(f"The mall's answer could not be read: {why}", excerpt=excerpt(response))
