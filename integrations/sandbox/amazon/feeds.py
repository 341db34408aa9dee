"""Feeds 2021-06-30 with JSON_LISTINGS_FEED: many patches in one document (amazon sheet §2b).

The document is read when the feed is made; its effect and its result are there after the shop's setting `feed_delay`
(seconds at speed 1, DONE_AFTER when unset). PATCH and PARTIAL_UPDATE (a PATCH with `replace`) are simulated; other
operations are issues of their message. A document that cannot be read makes the feed FATAL, with one issue that names
no message, and so does any other feed type (listing feeds in XML and flat files are dead).
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from integrations.sandbox.amazon import documents
from integrations.sandbox.amazon.documents import Document
from integrations.sandbox.amazon.listings import channel_of
from integrations.sandbox.amazon.mall import NAME
from integrations.sandbox.amazon.patches import effect_of, issues_of, read_patches, refusal_issue
from integrations.sandbox.amazon.wire import (
    MARKETPLACE,
    answer,
    invalid_input,
    json_object,
    not_found,
    operation,
    shown,
)
from integrations.sandbox.core import Call, Core, Mall, Operation, Refused, endpoint
from integrations.sandbox.ledger import StockWrite
from integrations.sandbox.limits import Limit

KIND = "feed"
LISTINGS = "JSON_LISTINGS_FEED"
CONTENT_TYPE = "application/json; charset=UTF-8"
MOST_MESSAGES = 25_000
QUEUED_FOR, DONE_AFTER = 5.0, 120.0
KEPT = 200

CREATE = Operation(
    "createFeed",
    "stock",
    writes=True,
    limits=(Limit("createFeed", 0.0083, 15), Limit("feeds in five minutes", 5 / 300, 5)),
)
GET = operation("getFeed", "stock", 2, 15)
CREATE_DOCUMENT = operation("createFeedDocument", "stock", 0.5, 15)
GET_DOCUMENT = operation("getFeedDocument", "stock", 0.0222, 10)


def routes(core: Core, mall: Mall) -> list[BaseRoute]:
    path = "/feeds/2021-06-30"
    return [
        Route(
            f"{path}/documents",
            endpoint(core, mall, CREATE_DOCUMENT, create_document),
            methods=["POST"],
        ),
        Route(
            f"{path}/documents/{{document}}",
            endpoint(core, mall, GET_DOCUMENT, get_document),
            methods=["GET"],
        ),
        Route(f"{path}/feeds", endpoint(core, mall, CREATE, create), methods=["POST"]),
        Route(f"{path}/feeds/{{feed}}", endpoint(core, mall, GET, get), methods=["GET"]),
    ]


async def create_document(call: Call) -> Response:
    kind = json_object(call).get("contentType")
    if not isinstance(kind, str) or not kind:
        raise invalid_input("Invalid 'contentType' provided.")
    empty, at = Document(b"", kind), call.now.timestamp()
    name = documents.keep(call.ledger, call.shop.seller, empty, at)
    return answer(call, {"feedDocumentId": name, "url": documents.address(call, name)}, 201)


async def get_document(call: Call) -> Response:
    return documents.answered(call, "feedDocumentId")


async def create(call: Call) -> Response:
    body = json_object(call)
    source = documents.kept(call.ledger, call.shop.seller, str(body.get("inputFeedDocumentId")))
    feed_type = body.get("feedType")
    if source is None or not isinstance(feed_type, str):
        raise invalid_input("Invalid 'inputFeedDocumentId' or 'feedType' provided.")
    if body.get("marketplaceIds") != [MARKETPLACE]:
        raise invalid_input("Invalid 'marketplaceIds' provided.")
    name = f"{secrets.randbelow(10**12):012d}"
    result = _processed(call, name, source if feed_type == LISTINGS else None)
    made = {
        "seller": call.shop.seller,
        "type": feed_type,
        "at": call.now.timestamp(),
        "status": "FATAL" if result.is_fatal else "DONE",
        "result": _kept_result(call, result),
    }
    _forget(call)
    call.ledger.put_record(NAME, KIND, name, made, call.shop.seller)
    return answer(call, {"feedId": name}, 202)


def _forget(call: Call) -> None:
    feeds = call.ledger.records(NAME, KIND, call.shop.seller)
    newest = sorted(feeds, key=lambda name: float(feeds[name]["at"]), reverse=True)
    for name in newest[KEPT - 1 :]:
        call.ledger.drop_record(NAME, KIND, name)


@dataclass(slots=True)
class Result:
    """The processing report of one feed."""

    seller: str
    feed: str
    processed: int = 0
    invalid: int = 0
    is_fatal: bool = False
    issues: list[dict[str, Any]] = field(default_factory=list)

    def fatal(self, message: str) -> None:
        self.is_fatal = True
        self.issues.append({"code": "4000000", "severity": "ERROR", "message": message})

    def message(self, message: Mapping[str, Any], issues: Sequence[Mapping[str, Any]]) -> None:
        """One message was looked at; it is accepted when it has no issues."""
        self.processed += 1
        self.invalid += bool(issues)
        named = {"messageId": message["messageId"], "sku": message["sku"]}
        for issue in issues:
            kept = {name: issue[name] for name in ("code", "severity", "message")}
            self.issues.append(named | kept | {"attributeName": issue["attributeNames"][0]})

    def document(self) -> dict[str, Any]:
        return {
            "header": {"sellerId": self.seller, "version": "2.0", "feedId": self.feed},
            "issues": self.issues,
            "summary": {
                "errors": len(self.issues),
                "warnings": 0,
                "messagesProcessed": self.processed,
                "messagesAccepted": self.processed - self.invalid,
                "messagesInvalid": self.invalid,
            },
        }


def _processed(call: Call, name: str, source: Document | None) -> Result:
    """Reads the document, postpones what its accepted messages change, and reports."""
    result = Result(call.shop.seller, name)
    if source is None:
        result.fatal("This feed type is no longer supported.")
        return result
    try:
        messages = _messages(call, source)
    except ValueError as fault:
        result.fatal(str(fault))
        return result
    writes = [write for message in messages if (write := _write(call, message, result))]
    call.write(writes, apply_delay=_delay(call))
    return result


def _messages(call: Call, source: Document) -> list[dict[str, Any]]:
    """Raises ValueError for a document that is not a listings feed of this seller."""
    feed = json.loads(source.content)
    header = feed.get("header") if isinstance(feed, dict) else None
    if not isinstance(header, dict) or header.get("version") != "2.0":
        raise ValueError("The feed has no valid header.")
    if header.get("sellerId") != call.shop.seller:
        raise ValueError("The header names another seller.")
    messages = feed.get("messages")
    if not isinstance(messages, list) or not 1 <= len(messages) <= MOST_MESSAGES:
        raise ValueError(f"A feed has 1 to {MOST_MESSAGES} messages.")
    if not all(_is_named(message) for message in messages):
        raise ValueError("Every message needs a messageId, a sku and an operationType.")
    return messages


def _is_named(message: object) -> bool:
    if not isinstance(message, dict):
        return False
    number, sku = message.get("messageId"), message.get("sku")
    return isinstance(number, int) and number >= 1 and isinstance(sku, str) and bool(sku)


def _write(call: Call, message: Mapping[str, Any], result: Result) -> StockWrite | None:
    """What an accepted message changes; None, with issues in the result, when it is not accepted."""
    key = (message["sku"], "")
    try:
        patches = read_patches(_as_patch(message))
    except Refused:
        result.message(message, [refusal_issue()])
        return None
    issues = issues_of(patches) or ([refusal_issue()] if call.refuses(key) else [])
    result.message(message, issues)
    if issues:
        return None
    effect = effect_of(patches, channel_of(call.ledger.item(call.shop, key)))
    return StockWrite(key, effect.quantity, attributes=effect.attributes)


def _as_patch(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Messages of other operations lack what a patch needs, and are refused as such."""
    attributes = message.get("attributes")
    if message.get("operationType") == "PATCH":
        return message
    if message.get("operationType") != "PARTIAL_UPDATE" or not isinstance(attributes, dict):
        return {}
    patches = [
        {"op": "replace", "path": f"/attributes/{name}", "value": value}
        for name, value in attributes.items()
    ]
    return {"productType": message.get("productType"), "patches": patches}


def _kept_result(call: Call, result: Result) -> str:
    text = json.dumps(result.document(), ensure_ascii=False).encode()
    zipped = bool(call.shop.settings.get("gzip_documents", False))
    document = documents.made(text, CONTENT_TYPE, zipped=zipped)
    return documents.keep(call.ledger, call.shop.seller, document, call.now.timestamp())


def _delay(call: Call) -> float:
    return float(call.shop.settings.get("feed_delay", DONE_AFTER))


async def get(call: Call) -> Response:
    name = call.request.path_params["feed"]
    made = call.ledger.record(NAME, KIND, name)
    if made is None or made["seller"] != call.shop.seller:
        raise not_found("The feed was not found.")
    return answer(call, _view(call, name, made))


def _view(call: Call, name: str, made: Mapping[str, Any]) -> dict[str, Any]:
    asked = datetime.fromtimestamp(made["at"], UTC)
    starts = asked + call.core.clock.delay(QUEUED_FOR)
    ends = max(starts, asked + call.core.clock.delay(_delay(call)))
    seen = {
        "feedId": name,
        "feedType": made["type"],
        "marketplaceIds": [MARKETPLACE],
        "createdTime": shown(asked),
        "processingStatus": "IN_QUEUE",
    }
    if call.now >= starts:
        seen |= {"processingStatus": "IN_PROGRESS", "processingStartTime": shown(starts)}
    if call.now >= ends:
        seen |= {"processingStatus": made["status"], "processingEndTime": shown(ends)}
        seen["resultFeedDocumentId"] = made["result"]
    return seen
