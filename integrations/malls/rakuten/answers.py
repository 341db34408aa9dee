"""What Rakuten's answers mean (the mall's fact sheet, §1, §2, §4, §6).

Three shapes say what is wrong: `{"errors": [{code, message, metadata: {propertyPath}}]}` (inventory, items),
`{"Results": {errorCode, message}}` (gateway) and `{"MessageModelList": [{messageType, messageCode, message}]}`
(orders; an ERROR may ride on HTTP 200).

* 401, GA0001, ES01-01, GE0011   expired or wrong key: locked out
* ES04-01                        the function is not switched on, or the key is not live yet: locked out
* 429                            throttled
* 503, an HTML page              maintenance
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from domain.model.errors import MallError, MallLockedOut, MallRefused, MallUnavailable

DEAD_KEY = frozenset({"GA0001", "ES01-01", "GE0011"})
NOT_SWITCHED_ON = "ES04-01"
ENTRY = re.compile(r"^inventories\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing Rakuten found wrong. `path` points into the request."""

    code: str
    message: str
    path: str = ""

    @property
    def entry(self) -> int | None:
        """Which of the request's inventories it objects to."""
        named = ENTRY.match(self.path)
        return int(named[1]) if named else None


def faults(response: httpx.Response) -> list[Fault]:
    try:
        return faults_in(response.json())
    except ValueError:
        return []


def faults_in(body: object) -> list[Fault]:
    if not isinstance(body, dict):
        return []
    return _errors(body) or _gateway(body) or _messages(body)


def _errors(body: Mapping[str, Any]) -> list[Fault]:
    return [
        Fault(
            str(error.get("code", "")),
            str(error.get("message", "")),
            str(_object(error.get("metadata")).get("propertyPath", "")),
        )
        for error in _objects(body.get("errors"))
    ]


def _gateway(body: Mapping[str, Any]) -> list[Fault]:
    results = _object(body.get("Results"))
    code = results.get("errorCode")
    return [Fault(str(code), str(results.get("message", "")))] if code else []


def _messages(body: Mapping[str, Any]) -> list[Fault]:
    return [
        Fault(str(each.get("messageCode", "")), str(each.get("message", "")))
        for each in _objects(body.get("MessageModelList"))
        if each.get("messageType") == "ERROR"
    ]


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def word(value: object) -> str:
    """A text that must not be empty. Raises TypeError or ValueError."""
    if not isinstance(value, str):
        raise TypeError("a text is missing")
    if not value:
        raise ValueError("a text is empty")
    return value


def whole(value: object) -> int:
    """A whole number of JSON, no text and no fraction. Raises TypeError."""
    if type(value) is not int:
        raise TypeError("a whole number is missing")
    return value


def classify(response: httpx.Response) -> MallError | None:
    """Successes pass, with ERROR messages in them or not: orders.py reads those beside what was answered."""
    if response.is_success:
        return None
    first = next(iter(faults(response)), None)
    if response.status_code == 401 or (first and first.code in DEAD_KEY):
        return _said(MallLockedOut("Rakuten refuses the license key: renew it."), first)
    if first and first.code == NOT_SWITCHED_ON:
        return _said(
            MallLockedOut("The API is not switched on in RMS, or a new key is not live yet."), first
        )
    if response.status_code == 503 or (_is_page(response) and response.is_server_error):
        return MallUnavailable("Rakuten is in maintenance.", maintenance=True, mall_code="503")
    if first and response.is_client_error and response.status_code != 429:
        return _said(MallRefused("Rakuten refused the request."), first)
    return None


def _said(error: MallError, fault: Fault | None) -> MallError:
    error.mall_code = fault.code if fault else "401"
    error.mall_message = fault.message if fault else ""
    return error


def _is_page(response: httpx.Response) -> bool:
    return "html" in response.headers.get("content-type", "")
