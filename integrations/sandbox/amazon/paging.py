"""Opaque page tokens that remember the question they belong to, and need no memory at the mall."""

import base64
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from starlette.requests import Request


def sealed(kept: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(kept).encode()).decode()


def opened(token: str) -> dict[str, Any] | None:
    """What a token keeps; None when it is none of ours."""
    try:
        kept = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        return None
    return kept if isinstance(kept, dict) else None


def question(request: Request, *except_for: str) -> str:
    """A fingerprint of the query without these parameters: they may change from page to page."""
    asked = sorted(pair for pair in request.query_params.multi_items() if pair[0] not in except_for)
    return sha256(json.dumps(asked).encode()).hexdigest()[:16]
