"""What Yahoo! Shopping's answers mean (the mall's fact sheet, §1, §2, §4, §6).

Refusals are `<Error><Message/><Code/></Error>`, with or without a namespace, on 4xx, 5xx or 200; an expired access
token is told by 401 and a `WWW-Authenticate` header.

* 401 without a code      the access token ended; "insufficient_scope" in its header: locked out
* px-04102                the order session ended (12 hours, or the public key lapsed): consent anew
* px-043..                the application, address or API is not permitted: locked out
* ed-00003, -4, -5, st-02100   the store account is not one of ours: locked out
* ed-00002                maintenance
* ed-00001, st-02999      the system failed: a write may have been applied
* pm-08003                a file that was asked for is not ready
* 403 "Your Request was Forbidden"   too many calls, of the second or of the day: nobody has seen them told apart
"""

from dataclasses import dataclass
from datetime import timedelta
from xml.etree.ElementTree import Element

import httpx
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from domain.model.errors import (
    MallError,
    MallLockedOut,
    MallOutcomeUnknown,
    MallRefused,
    MallThrottled,
    MallUnavailable,
)

SESSION_ENDED = "px-04102"
NOT_PERMITTED = "px-043"
WRONG_STORE = frozenset({"ed-00003", "ed-00004", "ed-00005", "st-02100"})
MAINTENANCE = "ed-00002"
SYSTEM_FAILED = frozenset({"ed-00001", "st-02999"})
UPLOADING = "反映またはアップロード中"
TOO_MANY = "your request was forbidden"
FILE_NOT_READY = "pm-08003"
ACCESS_ENDED = "401"
OUT_OF_SCOPE = "insufficient_scope"
A_WHILE = timedelta(minutes=1)
"""Yahoo names no time; a look once a minute ends a block soon and a spent day without harm."""


@dataclass(frozen=True, slots=True)
class Fault:
    code: str
    message: str


def document(response: httpx.Response) -> Element:
    """The answer's root, namespaces dropped. Raises ValueError."""
    try:
        root: Element = fromstring(response.content)
    except (ParseError, DefusedXmlException) as error:
        raise ValueError(f"not XML: {error}") from error
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def word(element: Element, path: str) -> str:
    """The text at `path`, which must not be empty. Raises KeyError."""
    value = optional(element, path)
    if not value:
        raise KeyError(path)
    return value


def optional(element: Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def fault_of(response: httpx.Response) -> Fault | None:
    """Looked for wherever a refusal may be: not in the long answers that succeeded."""
    if b"<Error" not in response.content[:1000]:
        return None
    try:
        root = document(response)
    except ValueError:
        return None
    error = root if root.tag == "Error" else root.find("Error")
    return None if error is None else Fault(optional(error, "Code"), optional(error, "Message"))


def classify(response: httpx.Response) -> MallError | None:
    """For calls that change nothing."""
    if response.status_code == 403 and TOO_MANY in response.text.lower():
        return MallThrottled("Too many calls.", retry_after=A_WHILE, mall_code="403")
    if OUT_OF_SCOPE in response.headers.get("www-authenticate", ""):
        return MallLockedOut("The application lacks the store scope.", mall_code=OUT_OF_SCOPE)
    fault = fault_of(response)
    if fault is None:
        return _without_fault(response)
    error = _meaning(fault, response.status_code)
    error.mall_code, error.mall_message = fault.code or str(response.status_code), fault.message
    return error


def classify_write(response: httpx.Response) -> MallError | None:
    """For setStock: after a failure of Yahoo's system the number may stand."""
    error = classify(response)
    if isinstance(error, MallUnavailable) and error.mall_code in SYSTEM_FAILED:
        return MallOutcomeUnknown(
            error.message, mall_code=error.mall_code, mall_message=error.mall_message
        )
    return error


def _meaning(fault: Fault, status: int) -> MallError:
    code = fault.code
    if code == SESSION_ENDED or (status == 401 and not code):
        return MallLockedOut("Yahoo's consent has ended: give it again.", consent=True)
    if code.startswith(NOT_PERMITTED):
        return MallLockedOut("Yahoo does not permit this application or address to use the API.")
    if code in WRONG_STORE:
        return MallLockedOut("Yahoo does not know the store account: check it in the settings.")
    if code == MAINTENANCE:
        return MallUnavailable("Yahoo! Shopping is in maintenance.", maintenance=True)
    if UPLOADING in fault.message:
        return MallUnavailable("The store is publishing or taking in a file; again later.")
    if code == FILE_NOT_READY:
        return MallUnavailable("The file is not ready yet.")
    if code in SYSTEM_FAILED or code.startswith("od91001"):
        return MallUnavailable("Yahoo's system failed.")
    return _by_status(fault, status)


def _by_status(fault: Fault, status: int) -> MallError:
    match status:
        case 401 | 403:
            return MallLockedOut("Yahoo refuses access.")
        case 429:
            return MallThrottled("Too many calls.")
        case status if status >= 500:
            return MallUnavailable("Yahoo! Shopping is not available.", maintenance=status == 503)
        case _:
            return MallRefused("Yahoo refused the request.")


def _without_fault(response: httpx.Response) -> MallError | None:
    if response.status_code == 401:
        return MallLockedOut(
            "Yahoo's consent has ended: give it again.", consent=True, mall_code=ACCESS_ENDED
        )
    return None
