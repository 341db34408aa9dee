"""What JSON_LISTINGS_FEED makes of its document: changes to listings, and a processing report (amazon sheet §2b).

PATCH and PARTIAL_UPDATE (a PATCH with `replace`) are simulated; other operations are issues of their message.
A document that cannot be read is fatal: one issue that names no message.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from integrations.sandbox.amazon.documents import Document
from integrations.sandbox.amazon.listings import issues_with, write_of
from integrations.sandbox.amazon.patches import Issue, read_patches, refusal_issue
from integrations.sandbox.core import Call, Refused
from integrations.sandbox.faults import FaultKind
from integrations.sandbox.ledger import StockWrite

MOST_MESSAGES = 25_000
MOST_BYTES = 10 * 1024 * 1024


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

    def message(self, message: Mapping[str, Any], issues: Sequence[Issue]) -> None:
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


def processed(call: Call, name: str, source: Document | None, delay: float) -> Result:
    """Reads the document, postpones by `delay` what its accepted messages change, and reports. None: a dead feed type.

    The fault "fatal" breaks it off in the middle.
    """
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
    if call.meet(FaultKind.FATAL):
        writes = writes[: len(writes) // 2]
        result = Result(call.shop.seller, name)
        result.fatal("The feed could not be processed completely.")
    call.write(writes, apply_delay=delay)
    return result


def _messages(call: Call, source: Document) -> list[dict[str, Any]]:
    """Raises ValueError for a document that is not a listings feed of this seller."""
    if len(source.content) > MOST_BYTES:
        raise ValueError("The feed is too large.")
    feed = json.loads(source.content)
    header = feed.get("header") if isinstance(feed, dict) else None
    if not isinstance(header, dict) or header.get("version") != "2.0":
        raise ValueError("The feed has no valid header.")
    if header.get("sellerId") != call.shop.seller:
        raise ValueError("The header names another seller.")
    return _named(feed.get("messages"))


def _named(messages: object) -> list[dict[str, Any]]:
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
    sku = message["sku"]
    try:
        patches = read_patches(_as_patch(message))
    except Refused:
        result.message(message, [refusal_issue()])
        return None
    issues = issues_with(call, sku, patches)
    result.message(message, issues)
    return None if issues else write_of(call, sku, patches)


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
