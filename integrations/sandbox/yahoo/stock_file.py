"""downloadRequest and downloadSubmit: the stock file, ready some time after it was asked for (fact sheet §5).

Of the two files that Yahoo makes only the stock file (type 2) is simulated.
"""

import csv
import io
from collections.abc import Mapping
from datetime import datetime

from starlette.responses import Response

from integrations.sandbox.core import Call, Refused
from integrations.sandbox.ledger import Item
from integrations.sandbox.yahoo import errors
from integrations.sandbox.yahoo.consent import form
from integrations.sandbox.yahoo.markup import answer, element, error, result_set

STOCK = "2"
MAKING_SECONDS = 20.0
NOT_READY = "pm-08003"
RECORD = "stock_file"
HEADER = ("code", "name", "sub-code", "quantity", "allow-overdraft", "stock-close")


async def download_request(call: Call) -> Response:
    _check(call, form(call.body))
    ready = {"at": call.core.clock.after(MAKING_SECONDS).isoformat()}
    call.ledger.put_record(call.shop.mall, RECORD, call.shop.seller, ready, call.shop.seller)
    return answer(result_set([element("Result", {"Status": "OK"})]))


async def download_submit(call: Call) -> Response:
    _check(call, call.request.query_params)
    asked = call.ledger.record(call.shop.mall, RECORD, call.shop.seller)
    if asked is None or call.now < datetime.fromisoformat(asked["at"]):
        return error(400, NOT_READY, "The file is not ready.")
    known = [item for item in call.ledger.items(call.shop) if not item.attributes.get("ghost")]
    return Response(_file(known), media_type="text/csv; charset=Shift_JIS")


def _check(call: Call, asked: Mapping[str, str]) -> None:
    seller = asked.get("seller_id", "")
    if seller != call.shop.seller:
        raise Refused(errors.by_code("ed-00005" if seller else "ed-00003"))
    if asked.get("type") != STOCK:
        raise Refused(errors.by_code("px-04001"))


def _file(items: list[Item]) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(HEADER)
    rows.writerows(_row(item) for item in items)
    return text.getvalue().encode("cp932", "replace")


def _row(item: Item) -> tuple[object, ...]:
    """One row a sub-code; a code without any has one row with none."""
    flags = (item.attributes.get("overdraft"), item.attributes.get("stock_close"))
    return (item.item_code, item.name, item.variant_code, item.shown, *map(int, map(bool, flags)))
