"""Feeds 2021-06-30 with JSON_LISTINGS_FEED: many patches in one document (amazon sheet §2b).

The document is read when the feed is made; its effect and its result are there after the shop's setting `feed_delay`
(seconds at speed 1, DONE_AFTER when unset). Other feed types end FATAL: listing feeds in XML and flat files are dead. While
the fault "stuck" holds, feeds stay in progress; they are worked off when they are asked for after that.
"""

import json
import secrets
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from integrations.sandbox.amazon import documents
from integrations.sandbox.amazon.documents import Document
from integrations.sandbox.amazon.feed_processing import Result, processed
from integrations.sandbox.amazon.jobs import DONE, WORKED_ON, forget_oldest, progress
from integrations.sandbox.amazon.wire import (
    MARKETPLACE,
    NAME,
    answer,
    invalid_input,
    json_object,
    not_found,
    operation,
)
from integrations.sandbox.core import Call, Core, Mall, Operation, endpoint
from integrations.sandbox.faults import FaultKind
from integrations.sandbox.limits import Limit

KIND = "feed"
LISTINGS = "JSON_LISTINGS_FEED"
CONTENT_TYPE = "application/json; charset=UTF-8"
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
    feed_type, source = _asked(call)
    name = f"{secrets.randbelow(10**12):012d}"
    made = {"seller": call.shop.seller, "type": feed_type, "at": call.now.timestamp()}
    if call.meet(FaultKind.STUCK):
        made["source"] = source
    else:
        made |= _worked_off(call, name, feed_type, source, _delay(call))
    forget_oldest(call.ledger, call.shop.seller, KIND, keep=KEPT - 1)
    call.ledger.put_record(NAME, KIND, name, made, call.shop.seller)
    return answer(call, {"feedId": name}, 202)


def _worked_off(call: Call, name: str, feed_type: str, source: str, delay: float) -> dict[str, Any]:
    """How the feed ends, and the id of its report."""
    document = documents.kept(call.ledger, call.shop.seller, source)
    result = processed(call, name, document if feed_type == LISTINGS else None, delay)
    return {"status": "FATAL" if result.is_fatal else DONE, "result": _kept_result(call, result)}


def _asked(call: Call) -> tuple[str, str]:
    """The feed's type and the id of its document. Raises Refused."""
    body = json_object(call)
    source = str(body.get("inputFeedDocumentId"))
    feed_type = body.get("feedType")
    known = documents.kept(call.ledger, call.shop.seller, source) is not None
    if not known or not isinstance(feed_type, str):
        raise invalid_input("Invalid 'inputFeedDocumentId' or 'feedType' provided.")
    if body.get("marketplaceIds") != [MARKETPLACE]:
        raise invalid_input("Invalid 'marketplaceIds' provided.")
    return feed_type, source


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
    if "source" in made and not call.core.faults.holds(call.shop.key, FaultKind.STUCK):
        source = made.pop("source")
        made |= _worked_off(call, name, made["type"], source, 0)
        call.ledger.put_record(NAME, KIND, name, made, call.shop.seller)
    return answer(call, _view(call, name, made))


def _view(call: Call, name: str, made: Mapping[str, Any]) -> dict[str, Any]:
    seen = progress(call, made["at"], QUEUED_FOR, _delay(call))
    seen |= {"feedId": name, "feedType": made["type"], "marketplaceIds": [MARKETPLACE]}
    if "source" in made:
        return seen | {"processingStatus": WORKED_ON}
    if seen["processingStatus"] == DONE:
        seen |= {"processingStatus": made["status"], "resultFeedDocumentId": made["result"]}
    return seen
