"""The account itself, who is asking, and how far this read has seen."""

from domain.store.reads.cursors import EVENTS
from domain.store.reads.models import (
    Form,
    Inside,
    Model,
    One,
    Value,
    flag,
    numbers,
    texts,
    word,
    words,
)

ACCOUNT = Model(
    "Account",
    "accounts {t}",
    {
        **texts("code", "name", "time_zone"),
        "sync_running": flag("{t}.sync_running"),
        **numbers("version"),
    },
    account="{t}.id = {account}",
)

VIEWER = Inside(
    {
        "account": One("Account", "true"),
        "permissions": words("{permissions}"),
        "locale": word("{locale}"),
    }
)

EVENT_CURSOR = Value(
    f"(SELECT '{EVENTS}:' || coalesce(max(c.last), 0) FROM event_counters c WHERE c.account_id = {{account}})",
    Form.BASE64,
)
