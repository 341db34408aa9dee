"""確認: mutations that may do much at the malls go on where that is little, or was seen and agreed to."""

import hashlib
from typing import Any

import orjson

from api.context import Context
from api.mutations.edge import caller, said
from api.mutations.repeats import written
from api.previews import ReflectPreview, shown
from domain.model.confirmations import Confirmer
from domain.model.previews import Preview
from domain.services import confirmations
from domain.services.confirmations import Offer
from domain.store.database import Tx

TOKEN = "確認: the token of this very change's preview, where it needs one."
PREVIEW = "What it does at the malls; with CONFIRMATION_NEEDED or CONFIRMATION_STALE what it would do, and nothing is done."


async def confirmed(
    tx: Tx, context: Context, preview: Preview, token: str | None, change: str, **what: Any
) -> ReflectPreview:
    """The preview of a change that may go on. `what`: all that says which change it is. Raises Unconfirmed."""
    bound = _bound(context, change, what)
    made = await confirmations.check(
        tx, _confirmer(context), preview, bound, said(token), now=context.now()
    )
    return shown(made)


async def offered(
    tx: Tx, context: Context, preview: Preview, change: str, **what: Any
) -> ReflectPreview:
    """The preview of a change that is looked at, with the token that it needs."""
    bound = _bound(context, change, what)
    made = await confirmations.offer(tx, _confirmer(context), preview, bound, now=context.now())
    return shown(made)


def unasked(preview: Preview) -> ReflectPreview:
    """Of a change that does nothing at the malls yet."""
    return shown(Offer(preview))


def _confirmer(context: Context) -> Confirmer:
    assert context.confirmer is not None
    return context.confirmer


def _bound(context: Context, change: str, what: dict[str, Any]) -> tuple[object, ...]:
    """Whose change it is, and which: what was left out and what is null say the same."""
    told = {name: written(said(each)) for name, each in what.items()}
    asked = orjson.dumps(_said(told), option=orjson.OPT_SORT_KEYS)
    return context.viewer.account_id, caller(context), change, hashlib.sha256(asked).hexdigest()


def _said(value: Any) -> Any:
    match value:
        case dict():
            return {key: _said(each) for key, each in value.items() if each is not None}
        case list():
            return [_said(each) for each in value]
    return value
