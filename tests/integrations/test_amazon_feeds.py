"""Numbers in bulk at Amazon: the document, the three calls that hand it over, and what Amazon reports of it."""

import gzip
import json
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
from domain.model.malls import Feeds, FeedStage, ItemRef, MallKind, StockPush, WriteMode
from integrations.malls.amazon.feed_document import MOST_BYTES, document_of
from tests.integrations.recorded import Recorded
from tests.integrations.sandbox.amazon_seller import assert_fits

AT = datetime(2026, 2, 1, 1, 0, 0, tzinfo=UTC)
FEEDS = "/feeds/2021-06-30/feeds"
DOCUMENTS = "/feeds/2021-06-30/documents"
CREDENTIALS = {"client_id": "c", "client_secret": "s", "refresh_token": "r"}
TEA, MUG = ItemRef("TEA"), ItemRef("MUG 7/2")
NUMBERS = [StockPush(TEA, 7), StockPush(MUG, 8, fields={"lead_time_to_ship_max_days": "3"})]

Answer = httpx.Response | Exception


@dataclass
class Amazon:
    """Answers each call by method and path; `calls` are those it heard, without the login's."""

    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/auth/o2/token":
            return httpx.Response(200, json={"access_token": "Atza|1", "expires_in": 3600})
        call = f"{request.method} {request.url.path}"
        self.calls.append(call)
        answer = self.answers[call]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def amazon() -> Amazon:
    place = {"feedDocumentId": "D1", "url": "https://storage.example/put?sig=1"}
    report = {"feedDocumentId": "D2", "url": "https://storage.example/get?sig=2"}
    return Amazon(
        {
            f"POST {DOCUMENTS}": httpx.Response(201, json=place),
            "PUT /put": httpx.Response(200),
            f"POST {FEEDS}": httpx.Response(202, json={"feedId": "F1"}),
            f"GET {FEEDS}/F1": a_feed("DONE", resultFeedDocumentId="D2"),
            f"GET {DOCUMENTS}/D2": httpx.Response(200, json=report),
            "GET /get": reported(),
        }
    )


@pytest.fixture
def recorded(amazon: Amazon) -> Recorded:
    return Recorded(amazon)


@pytest.fixture
def feeds(recorded: Recorded) -> Feeds:
    mall = recorded.mall(MallKind.AMAZON, CREDENTIALS, {"seller_id": "A1EXAMPLE"})
    assert mall.feeds is not None
    return mall.feeds


def a_feed(status: str, **more: str) -> httpx.Response:
    shown = {
        "feedId": "F1",
        "feedType": "JSON_LISTINGS_FEED",
        "createdTime": "2026-02-01T00:00:00Z",
        "processingStatus": status,
    }
    assert_fits("feeds_2021-06-30", "Feed", shown | more)
    return httpx.Response(200, json=shown | more)


def issue(place: int | None, code: str, severity: str = "ERROR") -> Mapping[str, object]:
    named = {} if place is None else {"messageId": place}
    return {**named, "code": code, "severity": severity, "message": f"{code} says Amazon."}


def a_report(*issues: Mapping[str, object], processed: int = 2) -> bytes:
    document = {
        "header": {"sellerId": "A1EXAMPLE", "version": "2.0", "feedId": "F1"},
        "issues": list(issues),
        "summary": {
            "errors": len(issues),
            "warnings": 0,
            "messagesProcessed": processed,
            "messagesAccepted": processed - len(issues),
            "messagesInvalid": len(issues),
        },
    }
    return json.dumps(document).encode()


def reported(*issues: Mapping[str, object], processed: int = 2) -> httpx.Response:
    return httpx.Response(200, content=a_report(*issues, processed=processed))


def test_the_document_is_one_that_amazon_knows() -> None:
    document = json.loads(document_of("A1EXAMPLE", NUMBERS))

    assert_fits("listings-feed-schema-v2", None, document)
    assert document["header"] == {"sellerId": "A1EXAMPLE", "version": "2.0", "issueLocale": "ja_JP"}
    assert [
        (each["messageId"], each["sku"], each["operationType"], each["patches"][0]["value"])
        for each in document["messages"]
    ] == [
        (1, "TEA", "PATCH", [{"fulfillment_channel_code": "DEFAULT", "quantity": 7}]),
        (
            2,
            "MUG 7/2",
            "PATCH",
            [
                {
                    "fulfillment_channel_code": "DEFAULT",
                    "quantity": 8,
                    "lead_time_to_ship_max_days": 3,
                }
            ],
        ),
    ]
    assert {each["patches"][0]["op"] for each in document["messages"]} == {"merge"}


def test_a_whole_feed_is_small_at_amazon_and_here() -> None:
    fields = {"lead_time_to_ship_max_days": "30", "restock_date": "2026-12-31"}
    pushes = [StockPush(ItemRef(f"{n:040}"), 9_999_999, fields=fields) for n in range(25_000)]
    tracemalloc.start()
    try:
        document = document_of("A1EXAMPLE", pushes)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(document) < MOST_BYTES
    assert peak < 3 * MOST_BYTES


@pytest.mark.parametrize(
    ("case", "pushes"),
    [
        ("a delta", [StockPush(TEA, -1, WriteMode.RELATIVE)]),
        ("a lead time that is none", [StockPush(TEA, 1, fields={"lead_time_to_ship_max_days": "soon"})]),
        ("more than Amazon takes", [StockPush(ItemRef("\x01" * 40), 1)] * 25_000),
    ],
)  # fmt: skip
async def test_what_amazon_does_not_take_is_not_handed_over(
    feeds: Feeds, amazon: Amazon, case: str, pushes: list[StockPush]
) -> None:
    with pytest.raises(MallRefused):
        await feeds.begin(pushes)
    assert amazon.calls == [], case


async def test_a_feed_is_handed_over_in_three_calls(
    feeds: Feeds, amazon: Amazon, recorded: Recorded
) -> None:
    assert await feeds.begin(NUMBERS) == "F1"

    assert amazon.calls == [f"POST {DOCUMENTS}", "PUT /put", f"POST {FEEDS}"]
    place, put, made = recorded.requests[-3:]
    assert json.loads(place.content) == {"contentType": "application/json; charset=UTF-8"}
    assert put.content == document_of("A1EXAMPLE", NUMBERS)
    assert put.headers["content-type"] == "application/json; charset=UTF-8"
    assert "x-amz-access-token" not in put.headers
    assert json.loads(made.content) == {
        "feedType": "JSON_LISTINGS_FEED",
        "marketplaceIds": ["A1VC38T7YXB528"],
        "inputFeedDocumentId": "D1",
    }
    assert recorded.throttle.taken == [
        "amazon.createFeedDocument",
        "amazon.createFeed",
        "amazon.feeds",
    ]


@pytest.mark.parametrize(
    ("case", "call", "answer", "kind"),
    [
        ("no place", f"POST {DOCUMENTS}", httpx.Response(500), MallUnavailable),
        ("a place that is none", f"POST {DOCUMENTS}", httpx.Response(201, json={"url": ""}), MallMalformed),
        ("the address has lapsed", "PUT /put", httpx.Response(403, text="<Error>"), MallUnavailable),
        ("the document is not taken in time", "PUT /put", httpx.ReadTimeout(""), MallUnavailable),
        ("too many feeds", f"POST {FEEDS}", httpx.Response(429), MallThrottled),
        ("Amazon says no", f"POST {FEEDS}", httpx.Response(400), MallRefused),
        ("Amazon knows us no more", f"POST {FEEDS}", httpx.Response(403), MallLockedOut),
        ("no answer: it may be made", f"POST {FEEDS}", httpx.ReadTimeout(""), MallOutcomeUnknown),
        ("a fault: it may be made", f"POST {FEEDS}", httpx.Response(500), MallOutcomeUnknown),
        ("made, and not named", f"POST {FEEDS}", httpx.Response(202, json={}), MallMalformed),
    ],
)  # fmt: skip
async def test_what_may_go_wrong_on_the_way(
    feeds: Feeds, amazon: Amazon, case: str, call: str, answer: Answer, kind: type[MallError]
) -> None:
    amazon.answers[call] = answer

    with pytest.raises(MallError) as stopped:
        await feeds.begin(NUMBERS)

    assert type(stopped.value) is kind, case


@pytest.mark.parametrize(
    ("status", "more", "stage"),
    [
        ("IN_QUEUE", {}, FeedStage.RUNNING),
        ("IN_PROGRESS", {}, FeedStage.RUNNING),
        ("DONE", {"resultFeedDocumentId": "D2"}, FeedStage.DONE),
        ("FATAL", {"resultFeedDocumentId": "D2"}, FeedStage.FAILED),
        ("FATAL", {}, FeedStage.FAILED),
        ("CANCELLED", {}, FeedStage.FAILED),
    ],
)
async def test_how_far_a_feed_is(
    feeds: Feeds, amazon: Amazon, status: str, more: Mapping[str, str], stage: FeedStage
) -> None:
    amazon.answers[f"GET {FEEDS}/F1"] = a_feed(status, **more)

    state = await feeds.state("F1")

    assert state.stage is stage
    assert state.at.latest == AT + timedelta(seconds=1)


async def test_a_feed_that_amazon_does_not_know(feeds: Feeds, amazon: Amazon) -> None:
    amazon.answers[f"GET {FEEDS}/F1"] = httpx.Response(404, json={"errors": []})

    assert (await feeds.state("F1")).stage is FeedStage.UNHEARD_OF


async def test_what_amazon_did_not_take_is_told_by_its_place(feeds: Feeds, amazon: Amazon) -> None:
    report = (issue(2, "90220"), issue(2, "18000"), issue(1, "18001", "WARNING"))
    amazon.answers["GET /get"] = reported(*report)

    state = await feeds.state("F1")

    assert (state.stage, state.processed) == (FeedStage.DONE, 2)
    assert state.refused == {1: ("90220", "90220 says Amazon. / 18000 says Amazon.")}


async def test_a_report_may_be_packed(feeds: Feeds, amazon: Amazon) -> None:
    described = {"feedDocumentId": "D2", "url": "https://s.example/get", "compressionAlgorithm": "GZIP"}  # fmt: skip
    amazon.answers[f"GET {DOCUMENTS}/D2"] = httpx.Response(200, json=described)
    amazon.answers["GET /get"] = httpx.Response(200, content=gzip.compress(a_report(processed=9)))

    assert (await feeds.state("F1")).processed == 9


@pytest.mark.parametrize("status", ["DONE", "FATAL"])
async def test_a_fault_of_the_whole_document_says_nothing_of_its_items(
    feeds: Feeds, amazon: Amazon, status: str
) -> None:
    amazon.answers[f"GET {FEEDS}/F1"] = a_feed(status, resultFeedDocumentId="D2")
    amazon.answers["GET /get"] = reported(issue(1, "90220"), issue(None, "4000000"))

    state = await feeds.state("F1")

    assert (state.stage, state.refused) == (FeedStage.FAILED, {})
    assert (state.mall_code, state.mall_message) == ("4000000", "4000000 says Amazon.")


def without(*keys: str) -> bytes:
    whole = json.loads(a_report())
    return json.dumps({key: value for key, value in whole.items() if key not in keys}).encode()


@pytest.mark.parametrize(
    ("case", "content"),
    [
        ("no JSON", b"<Report/>"),
        ("no object", b"[]"),
        ("no issues", without("issues")),
        ("no summary", without("summary")),
        ("a place that is no number", a_report(issue("x", "1"))),  # type: ignore[arg-type]
        ("an issue without words", json.dumps({"issues": [{"severity": "ERROR"}]}).encode()),
    ],
)
async def test_a_report_that_cannot_be_read(
    feeds: Feeds, amazon: Amazon, case: str, content: bytes
) -> None:
    amazon.answers["GET /get"] = httpx.Response(200, content=content)

    with pytest.raises(MallMalformed):
        await feeds.state("F1")


def _broken(call: str, answer: Answer) -> Callable[[Amazon], None]:
    return lambda amazon: amazon.answers.update({call: answer})


@pytest.mark.parametrize(
    ("case", "breaks", "kind"),
    [
        ("Amazon is closed", _broken(f"GET {FEEDS}/F1", httpx.Response(503)), MallUnavailable),
        ("a status new to us", _broken(f"GET {FEEDS}/F1", httpx.Response(200, json={"processingStatus": "LOST"})), MallMalformed),
        ("done without a report", _broken(f"GET {FEEDS}/F1", a_feed("DONE")), MallMalformed),
        ("the address has lapsed", _broken("GET /get", httpx.Response(403)), MallUnavailable),
    ],
)  # fmt: skip
async def test_a_look_that_fails(
    feeds: Feeds,
    amazon: Amazon,
    case: str,
    breaks: Callable[[Amazon], None],
    kind: type[MallError],
) -> None:
    breaks(amazon)

    with pytest.raises(MallError) as stopped:
        await feeds.state("F1")

    assert type(stopped.value) is kind, case
