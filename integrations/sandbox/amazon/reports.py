"""Reports 2021-06-30: createReport, getReports (its first page), getReport and getReportDocument, all for
GET_MERCHANT_LISTINGS_ALL_DATA (amazon sheet §5).

IN_QUEUE, IN_PROGRESS, then DONE after the shop's setting `report_delay` (seconds at speed 1, READY_AFTER when unset);
CANCELLED when the seller lists nothing. The file shows the moment at which the report was asked for, or that of an
earlier report younger than the setting `report_cache` (seconds at speed 1, CACHED_FOR when unset), whose language it
then has too. More settings: `report_language` ("ja" or "en", what `preferredReportDocumentLocale` does not say),
`report_encoding` (a Python codec: utf-8, utf-8-sig, cp932), `gzip_documents`.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from integrations.sandbox.amazon import documents, inventory_files
from integrations.sandbox.amazon.jobs import DONE, forget_oldest, progress
from integrations.sandbox.amazon.wire import (
    MARKETPLACE,
    NAME,
    answer,
    invalid_input,
    json_object,
    not_found,
    operation,
)
from integrations.sandbox.core import Call, Core, Mall, endpoint

KIND = "report"
LISTINGS = "GET_MERCHANT_LISTINGS_ALL_DATA"
QUEUED_FOR, READY_AFTER, CACHED_FOR = 2.0, 30.0, 3600.0
KEPT = 200
EMPTY = {"processingStatus": "CANCELLED"}

CREATE = operation("createReport", "catalogue", 0.0167, 15)
LIST = operation("getReports", "catalogue", 0.0222, 10)
GET = operation("getReport", "catalogue", 2, 15)
GET_DOCUMENT = operation("getReportDocument", "catalogue", 0.0167, 15)


def routes(core: Core, mall: Mall) -> list[BaseRoute]:
    path = "/reports/2021-06-30"
    return [
        Route(f"{path}/reports", endpoint(core, mall, CREATE, create), methods=["POST"]),
        Route(f"{path}/reports", endpoint(core, mall, LIST, list_newest), methods=["GET"]),
        Route(f"{path}/reports/{{report}}", endpoint(core, mall, GET, get), methods=["GET"]),
        Route(
            f"{path}/documents/{{document}}",
            endpoint(core, mall, GET_DOCUMENT, get_document),
            methods=["GET"],
        ),
    ]


async def create(call: Call) -> Response:
    body = json_object(call)
    if body.get("reportType") != LISTINGS or body.get("marketplaceIds") != [MARKETPLACE]:
        raise invalid_input("Invalid 'reportType' or 'marketplaceIds' provided.")
    name = f"{secrets.randbelow(10**12):012d}"
    forget_oldest(call.ledger, call.shop.seller, KIND, keep=KEPT - 1)
    made = {"at": call.now.timestamp()} | (_cached(call) or _made(call, _language(call, body)))
    call.ledger.put_record(NAME, KIND, name, made, call.shop.seller)
    return answer(call, {"reportId": name}, 202)


def _language(call: Call, body: Mapping[str, Any]) -> str:
    """`ja` or `en`. Raises Refused when the options are no object of texts."""
    options = body.get("reportOptions", {})
    if not isinstance(options, dict) or not all(isinstance(v, str) for v in options.values()):
        raise invalid_input()
    asked = options.get("preferredReportDocumentLocale") or call.shop.settings.get(
        "report_language"
    )
    return str(asked or "ja")[:2]


def _cached(call: Call) -> dict[str, Any] | None:
    """The file of an earlier report that is young enough to be given again."""
    lasts = call.core.clock.delay(float(call.shop.settings.get("report_cache", CACHED_FOR)))
    since = (call.now - lasts).timestamp()
    for made in _reports(call).values():
        if made["document"] and made["document_at"] > since:
            return {name: made[name] for name in ("document", "document_at")}
    return None


def _made(call: Call, language: str) -> dict[str, Any]:
    """A new file; `document` is None when there is nothing to report."""
    items = call.ledger.items(call.shop)
    if not items:
        return {"document": None, "document_at": None}
    encoding = str(call.shop.settings.get("report_encoding", "utf-8"))
    text = inventory_files.tsv(items, japanese=language == "ja").encode(encoding, "replace")
    kind = f"text/plain; charset={encoding.removesuffix('-sig')}"
    zipped = bool(call.shop.settings.get("gzip_documents", False))
    document, at = documents.made(text, kind, zipped=zipped), call.now.timestamp()
    name = documents.keep(call.ledger, call.shop.seller, document, at)
    return {"document": name, "document_at": at}


def _reports(call: Call) -> dict[str, dict[str, Any]]:
    return call.ledger.records(NAME, KIND, call.shop.seller)


async def list_newest(call: Call) -> Response:
    """The newest of these types; `nextToken` is never given."""
    asked = call.request.query_params
    most = asked.get("pageSize", "10")
    if not asked.get("reportTypes") or not most.isdecimal() or not 1 <= int(most) <= 100:
        raise invalid_input("Invalid 'reportTypes' or 'pageSize' provided.")
    made = _reports(call) if LISTINGS in asked["reportTypes"].split(",") else {}
    newest = sorted(made, key=lambda name: -made[name]["at"])[: int(most)]
    return answer(call, {"reports": [_view(call, name, made[name]) for name in newest]})


async def get(call: Call) -> Response:
    name = call.request.path_params["report"]
    made = _reports(call).get(name)
    if made is None:
        raise not_found("The report was not found.")
    return answer(call, _view(call, name, made))


def _view(call: Call, name: str, made: Mapping[str, Any]) -> dict[str, Any]:
    delay = float(call.shop.settings.get("report_delay", READY_AFTER))
    seen = progress(call, made["at"], QUEUED_FOR, delay)
    times = {"dataStartTime": seen["createdTime"], "dataEndTime": seen["createdTime"]}
    seen |= {"reportId": name, "reportType": LISTINGS, "marketplaceIds": [MARKETPLACE], **times}
    if seen["processingStatus"] == DONE:
        seen |= {"reportDocumentId": made["document"]} if made["document"] else EMPTY
    return seen


async def get_document(call: Call) -> Response:
    return documents.answered(call, "reportDocumentId")
