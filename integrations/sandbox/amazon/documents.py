"""Documents of reports and feeds: kept by the mall, fetched and filled through presigned addresses (amazon sheet §2, §5).

An address lives five minutes and needs no token, as one of S3 does; a dead one answers S3's 403 in XML.
The newest KEPT documents of a seller are kept.
"""

import base64
import gzip
import secrets
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from integrations.sandbox.amazon.jobs import forget_oldest
from integrations.sandbox.amazon.wire import NAME, answer, not_found
from integrations.sandbox.core import Call, Core, Refused, read_body
from integrations.sandbox.ledger import Ledger

DOCUMENTS, CONTENTS, ADDRESSES = "document", "content", "address"
ADDRESS_LIVES = timedelta(minutes=5)
KEPT = 20
DENIED = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
)


@dataclass(frozen=True, slots=True)
class Document:
    """`content` as it lies there: compressed when `gzipped`."""

    content: bytes
    content_type: str
    gzipped: bool = False


def made(text: bytes, content_type: str, *, zipped: bool) -> Document:
    return Document(gzip.compress(text) if zipped else text, content_type, zipped)


def keep(
    ledger: Ledger, seller: str, document: Document, at: float, name: str | None = None
) -> str:
    """Answers the document's id: `name`, or a new one."""
    name = name or f"amzn1.spdoc.1.4.na.{secrets.token_hex(8)}.T{secrets.token_hex(6).upper()}"
    card = {"seller": seller, "type": document.content_type, "gzipped": document.gzipped, "at": at}
    ledger.put_record(NAME, DOCUMENTS, name, card, seller)
    content = {"content": base64.b64encode(document.content).decode()}
    ledger.put_record(NAME, CONTENTS, name, content, seller)
    for gone in forget_oldest(ledger, seller, DOCUMENTS, keep=KEPT):
        ledger.drop_record(NAME, CONTENTS, gone)
    return name


def kept(ledger: Ledger, seller: str, name: str) -> Document | None:
    """None when the seller has no such document, or no longer."""
    card, body = ledger.record(NAME, DOCUMENTS, name), ledger.record(NAME, CONTENTS, name)
    if card is None or body is None or card["seller"] != seller:
        return None
    return Document(base64.b64decode(body["content"]), card["type"], card["gzipped"])


def address(call: Call, name: str) -> str:
    """A new presigned address of the document; the seller's dead ones are forgotten."""
    for old, body in call.ledger.records(NAME, ADDRESSES, call.shop.seller).items():
        if body["until"] <= call.now.timestamp():
            call.ledger.drop_record(NAME, ADDRESSES, old)
    signature = secrets.token_hex(32)
    until = (call.now + ADDRESS_LIVES).timestamp()
    body = {"document": name, "seller": call.shop.seller, "until": until}
    call.ledger.put_record(NAME, ADDRESSES, signature, body, call.shop.seller)
    path = f"{call.request.scope['root_path']}/documents/{name}"
    query = f"X-Amz-Expires={int(ADDRESS_LIVES.total_seconds())}&X-Amz-Signature={signature}"
    return str(call.request.url.replace(path=path, query=query))


def answered(call: Call, id_field: str) -> Response:
    """getReportDocument and getFeedDocument. Raises Refused when there is no such document."""
    name = call.request.path_params["document"]
    document = kept(call.ledger, call.shop.seller, name)
    if document is None:
        raise not_found("The document was not found.")
    body = {id_field: name, "url": address(call, name)}
    if document.gzipped:
        body["compressionAlgorithm"] = "GZIP"
    return answer(call, body)


class Presigned:
    """The store behind the addresses."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def routes(self) -> list[BaseRoute]:
        path = "/documents/{name}"
        return [
            Route(path, self.fetch, methods=["GET"]),
            Route(path, self.fill, methods=["PUT"]),
        ]

    async def fetch(self, request: Request) -> Response:
        seller = self._seller(request)
        document = seller and kept(self._core.ledger, seller, request.path_params["name"])
        if not document:
            return _denied()
        return Response(document.content, media_type=document.content_type)

    async def fill(self, request: Request) -> Response:
        """The Content-Type has to be the one the document was made with: it is part of the signature."""
        seller, name = self._seller(request), request.path_params["name"]
        document = seller and kept(self._core.ledger, seller, name)
        if not seller or not document:
            return _denied()
        if request.headers.get("content-type") != document.content_type:
            return _denied()
        try:
            content = await read_body(request)
        except Refused as refused:
            return refused.response
        at = self._core.clock.now().timestamp()
        keep(self._core.ledger, seller, Document(content, document.content_type), at, name)
        return Response(status_code=200)

    def _seller(self, request: Request) -> str | None:
        signature = request.query_params.get("X-Amz-Signature", "")
        body = self._core.ledger.record(NAME, ADDRESSES, signature)
        if body is None or body["until"] <= self._core.clock.now().timestamp():
            return None
        return str(body["seller"]) if body["document"] == request.path_params["name"] else None


def _denied() -> Response:
    return Response(DENIED, 403, media_type="application/xml")
