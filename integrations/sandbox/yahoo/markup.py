"""Yahoo's XML: answers, errors, requests."""

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring
from starlette.responses import Response

Value = str | int | bool | None
ERROR_NAMESPACE = "urn:yahoo:api"


def element(
    tag: str,
    fields: Mapping[str, Value] | None = None,
    attributes: Mapping[str, Value] | None = None,
) -> Element:
    """An element whose children are the fields."""
    made = Element(tag, {name: _text(value) for name, value in (attributes or {}).items()})
    for name, value in (fields or {}).items():
        SubElement(made, name).text = _text(value) or None
    return made


def around(tag: str, *children: Element) -> Element:
    made = Element(tag)
    made.extend(children)
    return made


def result_set(
    results: Sequence[Element],
    *,
    available: int | None = None,
    first: int = 1,
    more: Mapping[str, Value] | None = None,
) -> Element:
    """The frame of stock and catalogue answers; `more` are attributes beside the counts."""
    counts: dict[str, Value] = {
        "totalResultsAvailable": len(results) if available is None else available,
        "totalResultsReturned": len(results),
        "firstResultPosition": first,
    }
    frame = element("ResultSet", attributes={**counts, **(more or {})})
    frame.extend(results)
    return frame


def answer(root: Element, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    body = tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(body, status, dict(headers or {}), media_type="application/xml; charset=utf-8")


def error(status: int, code: str, words: str) -> Response:
    """A whole call's refusal: in Yahoo's namespace when it has a code, bare otherwise."""
    if not code:
        return answer(element("Error", {"Message": words}), status)
    fields = {"Message": words, "Code": code}
    return answer(element("Error", fields, {"xmlns": ERROR_NAMESPACE}), status)


def request(body: bytes) -> Element | None:
    """The request's root element; None where it is not XML that Yahoo would take."""
    try:
        root: Element = fromstring(body)
    except (ParseError, DefusedXmlException):
        return None
    return root


def text_at(root: Element, path: str) -> str:
    """The text of the element at this path, "" where there is none."""
    return (root.findtext(path) or "").strip()


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
