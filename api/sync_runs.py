"""在庫同期履歴 The history of what ran between us and the malls."""

from datetime import datetime

import strawberry

from api.fields import described, field
from api.nodes import Node
from api.shops import Shop
from api.sync_errors import SyncError
from domain.model.sync_runs import RunKind, RunOutcome

described(
    RunKind,
    "What ran.",
    REFLECT="反映: numbers that waited were sent.",
    FULL_SYNC="一括同期: every number of the shop was sent.",
    ORDERS="受注取込: orders were fetched.",
    READ_BACK="反映確認: numbers that were sent were looked at.",
    FEED="一括送信: many numbers were sent in one document, which the mall works off by itself.",
)
described(
    RunOutcome,
    "How a run ended.",
    RUNNING="It runs.",
    OK="✓: all is good.",
    PARTIAL="Some is good.",
    FAILED="✗: nothing is good.",
)


@strawberry.type(
    description=(
        "在庫同期履歴: one run of a shop, kept for 30 days. Runs that found nothing to do are none. Good ones within a "
        "minute, and failures in a row of one cause, are one with a count."
    )
)
class SyncRun(Node):
    shop: Shop = field("The shop.")
    kind: RunKind = field("What ran.")
    started_at: datetime = field("When it began; of several, the first.")
    ended_at: datetime | None = field("When it ended; of several, the last. Null: it runs.")
    outcome: RunOutcome = field("✓ / ✗.")
    turns: int = field("回数: runs that are told as this one.")
    sent: int = field(
        "Numbers that were sent, whatever became of them; of a full sync, once it has ended."
    )
    taken: int = field(
        "Orders that were new or changed (ORDERS); numbers that were looked at (READ_BACK)."
    )
    refused: int = field(
        "Of them: numbers that the mall refused, orders that could not be read, numbers that the mall does not show."
    )
    failed: int = field(
        "Of the numbers that were sent: those whose call failed. They are sent again."
    )
    error: SyncError | None = field("What it failed of; of several causes, the last.")
