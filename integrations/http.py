"""One reading of statuses, time-outs and lost connections, for every connector.

`MallClient.send` draws from the throttle, sends, and answers a `MallAnswer` (the response with the mall's time) or
raises from the tree in domain/model/errors.py. What a status means where a mall departs from HTTP is the
connector's to say: it passes `classify`. A call is *safe* (RFC 9110 §9.2.1) when it changes nothing at the mall:
one that is not and gets no readable answer has an unknown outcome.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from domain.model.clocks import Now, own_time
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
from domain.model.reflect import LONGEST_WAIT_OF_MALLS
from integrations.connections import Http

EXCERPT = 200
RESOLUTION_OF_DATE = timedelta(seconds=1)
MAX_ANSWER_BYTES = 64 * 1024 * 1024
HEADERS_OF_THE_WIRE = frozenset({"content-encoding", "content-length", "transfer-encoding"})

Classify = Callable[[httpx.Response], MallError | None]
"""What the mall means by this answer; None where the common reading of its status will do."""


@dataclass(frozen=True, slots=True)
class MallAnswer:
    """A response, and the mall's time at which it was made (RFC 9110 §6.6.1 `Date`, one-second resolution)."""

    response: httpx.Response
    at: MallTime


class MallClient:
    def __init__(self, http: Http, throttle: Throttle, now: Now = own_time) -> None:
        self._http = http
        self._throttle = throttle
        self.now = now

    async def send(
        self,
        method: str,
        url: str,
        *,
        buckets: tuple[Bucket, ...],
        classify: Classify = lambda _: None,
        safe: bool = False,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
        json: object | None = None,
        data: Mapping[str, str] | None = None,
        accept: Collection[int] = (),
    ) -> MallAnswer:
        """Raises MallError for any answer that is neither a success (2xx) nor of a status in `accept`. GET is always
        safe."""
        safe = safe or method == "GET"
        await self._throttle.take(*buckets)
        sent = self.now()
        response = await self._request(
            method,
            url,
            safe,
            headers=headers,
            params=params,
            content=content,
            json=json,
            data=data,
        )
        accepted = response.status_code in accept
        error = None if accepted else classify(response) or of_status(response, safe=safe)
        if isinstance(error, MallThrottled):
            await self._wait(buckets, error.retry_after)
        if error is not None:
            raise error
        return MallAnswer(response, mall_time(response, sent, self.now()))

    async def _wait(self, buckets: tuple[Bucket, ...], retry_after: timedelta | None) -> None:
        """Where the mall does not say how long, the narrowest bucket (the first) rests for one call's worth."""
        if retry_after is None:
            for bucket in buckets[:1]:
                await self._throttle.told_to_wait(bucket, timedelta(seconds=1 / bucket.rate))
            return
        for bucket in buckets:
            await self._throttle.told_to_wait(bucket, retry_after)

    async def _request(self, method: str, url: str, safe: bool, **parts: object) -> httpx.Response:
        try:
            async with self._http.stream(method, url, **parts) as response:  # type: ignore[arg-type]  # as given
                return await bounded(response)
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.PoolTimeout,
            httpx.ProxyError,
        ) as error:
            raise MallUnavailable(f"The mall cannot be reached: {error}") from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError) as error:
            raise MallRefused(f"The address {url!r} of the mall cannot be used: {error}") from error
        except httpx.HTTPError as error:
            raise unanswered(type(error).__name__, safe=safe) from error


async def bounded(response: httpx.Response) -> httpx.Response:
    """The response, read whole and unpacked. Raises MallMalformed when it is longer than MAX_ANSWER_BYTES."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise MallMalformed(f"The mall's answer is longer than {MAX_ANSWER_BYTES} bytes.")
    return httpx.Response(
        response.status_code,
        headers=[
            pair for pair in response.headers.multi_items() if pair[0] not in HEADERS_OF_THE_WIRE
        ],
        content=bytes(body),
    )


def unanswered(why: str, *, safe: bool) -> MallError:
    if safe:
        return MallUnavailable(f"The mall did not answer: {why}")
    return MallOutcomeUnknown(f"The mall did not answer: {why}")


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


def of_status(response: httpx.Response, *, safe: bool = False) -> MallError | None:
    """The common reading: 401 and 403 lock out, 429 throttles, other 4xx refuse, 5xx is unavailable; but what a
    fault (500) or a gateway (502, 504) says about a call that is not safe leaves its outcome unknown."""
    status, words = response.status_code, excerpt(response)
    if response.is_success:
        return None
    if status in (401, 403):
        return MallLockedOut(
            "The mall refuses the credentials.", mall_code=str(status), mall_message=words
        )
    if status == 429:
        return MallThrottled("Too many calls.", retry_after=retry_after(response), mall_code="429")
    if status in (500, 502, 504) and not safe:
        return MallOutcomeUnknown(
            "The mall failed while it worked on the request.",
            mall_code=str(status),
            mall_message=words,
        )
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
    """RFC 9110 §10.2.3: delay-seconds, or an HTTP-date, which is the mall's as its `Date` is. A day at most: whatever is
    told by mistake keeps nothing back for ever."""
    value = response.headers.get("retry-after", "")
    try:
        seconds = float(value) if value.isdecimal() else _until(value, response)
    except (TypeError, ValueError):
        return None
    return timedelta(seconds=min(max(seconds, 0), LONGEST_WAIT_OF_MALLS.total_seconds()))


def _until(value: str, response: httpx.Response) -> float:
    made = date_of(response) or own_time()
    return (parsedate_to_datetime(value) - made).total_seconds()


def excerpt(response: httpx.Response) -> str:
    return response.text[:EXCERPT]


def malformed(response: httpx.Response, why: str) -> MallMalformed:
    return MallMalformed(f"The mall's answer could not be read: {why}", excerpt=excerpt(response))


@contextmanager
def reading(response: httpx.Response, *, personal: bool = False) -> Iterator[None]:
    """What fails inside is the answer's fault and becomes MallMalformed. A `personal` answer may name buyers: neither
    it nor the value that failed is quoted."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        if personal:
            why = f"an order in it is not as documented ({type(error).__name__})"
            raise MallMalformed(f"The mall's answer could not be read: {why}") from None
        raise malformed(response, f"{type(error).__name__}: {error}") from error
