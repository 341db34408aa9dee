"""stCategoryList, myItemList and getItem (fact sheet §5).

A store's items lie in categories (attribute `category`); a full walk goes through the categories one by one.
"""

from collections.abc import Callable, Mapping
from itertools import groupby
from xml.etree.ElementTree import Element

from starlette.responses import Response

from integrations.sandbox.core import Call, Refused
from integrations.sandbox.ledger import Item
from integrations.sandbox.yahoo import errors
from integrations.sandbox.yahoo.markup import answer, element, error, result_set

MAX_RESULTS = 100
DEFAULT_RESULTS = 25
DEFAULT_CATEGORY = "all"

Product = list[Item]
"""One item code with all its sub-codes."""

SEARCHES: Mapping[str, Callable[[Product, str], bool]] = {
    "code": lambda product, words: words in product[0].item_code,
    "name": lambda product, words: words in product[0].name,
}


async def category_list(call: Call) -> Response:
    _own_store(call)
    keys = sorted({_category(product) for product in _products(call)})
    return answer(result_set([element("Result", {"PageKey": key, "Name": key}) for key in keys]))


async def my_item_list(call: Call) -> Response:
    _own_store(call)
    found = [product for product in _products(call) if _matches(call, product)]
    first, most = (
        _whole(call, "start", 1),
        min(_whole(call, "results", DEFAULT_RESULTS), MAX_RESULTS),
    )
    page = found[first - 1 : first - 1 + most]
    stock = call.request.query_params.get("stock") == "true"
    results = [_listed(product, stock) for product in page]
    return answer(result_set(results, available=len(found), first=first))


async def get_item(call: Call) -> Response:
    _own_store(call)
    code = call.request.query_params.get("item_code", "")
    for product in _products(call):
        if product[0].item_code == code:
            return answer(result_set([_full(product)]))
    return error(404, "", "The item does not exist.")


def _own_store(call: Call) -> None:
    seller = call.request.query_params.get("seller_id", "")
    if seller != call.shop.seller:
        raise Refused(errors.by_code("ed-00005" if seller else "ed-00003"))


def _products(call: Call) -> list[Product]:
    known = [item for item in call.ledger.items(call.shop) if not item.attributes.get("ghost")]
    return [list(product) for _, product in groupby(known, key=lambda item: item.item_code)]


def _matches(call: Call, product: Product) -> bool:
    """By category, or by words in the code or the name; one of them must be given."""
    asked = call.request.query_params
    if "stcat_key" in asked:
        return _category(product) == asked["stcat_key"]
    search = SEARCHES.get(asked.get("type", ""))
    if search is None or not asked.get("query"):
        raise Refused(errors.by_code("px-04001"))
    return search(product, asked["query"])


def _category(product: Product) -> str:
    return str(product[0].attributes.get("category", DEFAULT_CATEGORY))


def _whole(call: Call, name: str, default: int) -> int:
    text = call.request.query_params.get(name, str(default))
    if not text.isdigit() or int(text) < 1:
        raise Refused(errors.by_code("px-04001"))
    return int(text)


def _listed(product: Product, stock: bool) -> Element:
    first = product[0]
    quantity = {"Quantity": sum(item.shown for item in product)} if stock else {}
    return element(
        "Result",
        {
            "ItemCode": first.item_code,
            "HasSubCode": int(_has_sub_codes(product)),
            "Name": first.name,
            "Display": int(first.attributes.get("display", True)),
            "EditingFlag": int(first.attributes.get("editing", False)),
            **quantity,
        },
    )


def _full(product: Product) -> Element:
    first = product[0]
    result = element(
        "Result",
        {
            "ItemCode": first.item_code,
            "Name": first.name,
            "Display": int(first.attributes.get("display", True)),
            "KeepStock": int(first.attributes.get("keep_stock", False)),
        },
    )
    codes = element("SubCodes")
    if _has_sub_codes(product):
        codes.extend(element("SubCode", attributes={"code": item.variant_code}) for item in product)
    result.append(codes)
    return result


def _has_sub_codes(product: Product) -> bool:
    return any(item.variant_code for item in product)
