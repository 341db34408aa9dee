"""The document of a JSON_LISTINGS_FEED, and what Amazon reports of it (the mall's fact sheet, §2b).

A message is numbered by its place. Issues of severity ERROR say what Amazon did not take; one that names no message is
about the whole document.
"""

from collections.abc import Sequence

import orjson

from domain.model.errors import MallMalformed, MallRefused
from domain.model.malls import FeedStage, FeedState, MallTime, StockPush

from .answers import Document, Unreadable, count, listed, optional, part, required
from .stock import LOCALE, WORDS_LIMIT, patch_of

FEED_TYPE = "JSON_LISTINGS_FEED"
CONTENT_TYPE = "application/json; charset=UTF-8"
VERSION = "2.0"
MOST_BYTES = 10 * 1024 * 1024

Refused = dict[int, tuple[str, str]]


def document_of(seller_id: str, pushes: Sequence[StockPush]) -> bytes:
    """Raises MallRefused for what Amazon has no words for, and for more than it takes in one document."""
    header = {"sellerId": seller_id, "version": VERSION, "issueLocale": LOCALE}
    document = bytearray(b'{"header":' + orjson.dumps(header) + b',"messages":[')
    for number, push in enumerate(pushes, start=1):
        document += b"," if number > 1 else b""
        document += orjson.dumps(_message(number, push))
    document += b"]}"
    if len(document) > MOST_BYTES:
        raise MallRefused(f"A feed holds at most {MOST_BYTES} bytes.")
    return bytes(document)


def _message(number: int, push: StockPush) -> dict[str, object]:
    named = {"messageId": number, "sku": push.ref.item_code, "operationType": "PATCH"}
    return named | patch_of(push)


def report_in(content: bytes, at: MallTime) -> FeedState:
    """What became of each item of a feed that is DONE. Raises MallMalformed."""
    try:
        return _reported(_object_in(content), at)
    except Unreadable as error:
        raise MallMalformed(f"Amazon's report of the feed could not be read: {error}.") from error


def _object_in(content: bytes) -> Document:
    try:
        document = orjson.loads(content)
    except ValueError as error:
        raise Unreadable("it is not JSON") from error
    if not isinstance(document, dict):
        raise Unreadable("it is not a JSON object")
    return document


def _reported(report: Document, at: MallTime) -> FeedState:
    errors = [issue for issue in listed(report, "issues") if issue.get("severity") == "ERROR"]
    for issue in errors:
        if issue.get("messageId") is None:
            code, words = _told(issue)
            return FeedState(FeedStage.FAILED, at, mall_code=code, mall_message=words)
    processed = count(part(report, "summary"), "messagesProcessed")
    return FeedState(FeedStage.DONE, at, processed=processed, refused=_refused(errors))


def _refused(errors: Sequence[Document]) -> Refused:
    """By place from 0; of several issues of one message the first code, and the words of all."""
    refused: Refused = {}
    for issue in errors:
        place = count(issue, "messageId") - 1
        code, words = _told(issue)
        first, before = refused.get(place, (code, ""))
        said = f"{before} / {words}" if before else words
        refused[place] = (first, said[:WORDS_LIMIT])
    return refused


def _told(issue: Document) -> tuple[str, str]:
    return optional(issue, "code", str) or "", required(issue, "message", str)[:WORDS_LIMIT]
