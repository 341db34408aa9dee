"""Statuses, time-outs and lost connections, read once for every connector."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from domain.model.errors import (
    MallError,
    MallLockedOut,
    MallMalformed,
    MallOutcomeUnknown,
    MallRefused,
    MallThrottled,
    MallUnavailable,
)
from domain.model.malls import Bucket
from integrations import http as subject
from integrations.http import MallClient, mall_time, reading, retry_after
from tests.integrations.recorded import OpenThrottle

NARROW = Bucket("narrow", rate=2)
WIDE = Bucket("wide", rate=10)
SENT = datetime(2026, 2, 1, 1, 0, 0, tzinfo=UTC)


async def answered(
    answer: httpx.Response | Exception, *, safe: bool = False, method: str = "POST"
) -> OpenThrottle:
    def transport(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    throttle = OpenThrottle()
    http = httpx.AsyncClient(transport=httpx.MockTransport(transport))
    client = MallClient(http, throttle)
    try:
        await client.send(method, "https://mall.example/", buckets=(NARROW, WIDE), safe=safe)
    except MallError as error:
        throttle.error = error  # type: ignore[attr-defined]
    return throttle


async def error_of(
    answer: httpx.Response | Exception, *, safe: bool = False, method: str = "POST"
) -> MallError | None:
    return getattr(await answered(answer, safe=safe, method=method), "error", None)


@pytest.mark.parametrize(
    ("case", "answer", "unsafe", "safe"),
    [
        ("no connection", httpx.ConnectError("x"), MallUnavailable, MallUnavailable),
        ("no connection in time", httpx.ConnectTimeout("x"), MallUnavailable, MallUnavailable),
        ("no answer in time", httpx.ReadTimeout("x"), MallOutcomeUnknown, MallUnavailable),
        ("cut", httpx.RemoteProtocolError("x"), MallOutcomeUnknown, MallUnavailable),
        ("reset", httpx.ReadError("x"), MallOutcomeUnknown, MallUnavailable),
        ("cannot be unpacked", httpx.DecodingError("x"), MallOutcomeUnknown, MallUnavailable),
        ("no address", httpx.UnsupportedProtocol("x"), MallRefused, MallRefused),
        ("fault", httpx.Response(500), MallOutcomeUnknown, MallUnavailable),
        ("gateway", httpx.Response(502), MallOutcomeUnknown, MallUnavailable),
        ("gateway in time", httpx.Response(504), MallOutcomeUnknown, MallUnavailable),
        ("closed", httpx.Response(503), MallUnavailable, MallUnavailable),
        ("unauthorised", httpx.Response(401), MallLockedOut, MallLockedOut),
        ("forbidden", httpx.Response(403), MallLockedOut, MallLockedOut),
        ("too many", httpx.Response(429), MallThrottled, MallThrottled),
        ("not found", httpx.Response(404), MallRefused, MallRefused),
        ("redirected", httpx.Response(302), MallRefused, MallRefused),
        ("fine", httpx.Response(204), type(None), type(None)),
    ],
)
async def test_what_an_answer_means(
    case: str,
    answer: httpx.Response | Exception,
    unsafe: type[MallError],
    safe: type[MallError],
) -> None:
    assert type(await error_of(answer)) is unsafe, case
    assert type(await error_of(answer, safe=True)) is safe, case
    assert type(await error_of(answer, method="GET")) is safe, case


@pytest.mark.parametrize(
    ("case", "headers", "told"),
    [
        (
            "the mall's word is for all",
            {"retry-after": "30"},
            {"narrow": timedelta(seconds=30), "wide": timedelta(seconds=30)},
        ),
        ("else one call's worth", {}, {"narrow": timedelta(seconds=0.5)}),
    ],
)
async def test_too_many_calls(
    case: str, headers: dict[str, str], told: dict[str, timedelta]
) -> None:
    throttle = await answered(httpx.Response(429, headers=headers))

    assert throttle.taken == ["narrow", "wide"]
    assert throttle.told == told, case


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("120", timedelta(minutes=2)),
        ("Sun, 01 Feb 2026 01:00:00 GMT", timedelta(0)),
        ("86400", timedelta(days=1)),
        ("99999999999", timedelta(days=1)),
        ("9" * 5_000, timedelta(days=1)),
        ("Fri, 01 Feb 2999 01:00:00 GMT", timedelta(days=1)),
        ("soon", None),
        ("", None),
        ("-1", None),
    ],
)
def test_retry_after(value: str, expected: timedelta | None) -> None:
    assert retry_after(httpx.Response(429, headers={"retry-after": value})) == expected


def test_the_malls_time_reaches_from_the_sending_to_the_end_of_its_second() -> None:
    response = httpx.Response(200, headers={"date": "Sun, 01 Feb 2026 01:00:10 GMT"})

    at = mall_time(response, SENT, SENT + timedelta(seconds=2))

    assert at.earliest == datetime(2026, 2, 1, 1, 0, 8, tzinfo=UTC)
    assert at.latest == datetime(2026, 2, 1, 1, 0, 11, tzinfo=UTC)


@pytest.mark.parametrize("date", [None, "yesterday"])
def test_without_a_date_our_clock_has_to_do(date: str | None) -> None:
    response = httpx.Response(200, headers={"date": date} if date else {})
    received = SENT + timedelta(seconds=2)

    at = mall_time(response, SENT, received)

    assert (at.earliest, at.latest) == (SENT, received)


async def test_an_answer_without_end_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MAX_ANSWER_BYTES", 10)

    assert type(await error_of(httpx.Response(200, content=b"x" * 11))) is MallMalformed


def test_a_personal_answer_is_not_quoted() -> None:
    response = httpx.Response(200, text="taro@example.com")

    with pytest.raises(MallMalformed) as raised, reading(response, personal=True):
        int(response.text)

    assert "taro" not in str(raised.value) + raised.value.excerpt
    assert raised.value.__cause__ is None


def test_any_other_answer_is_quoted() -> None:
    response = httpx.Response(200, text="<html>")

    with pytest.raises(MallMalformed) as raised, reading(response):
        response.json()

    assert raised.value.excerpt == "<html>"
