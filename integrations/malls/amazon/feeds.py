"""Numbers in bulk: a JSON_LISTINGS_FEED (Feeds API 2021-06-30; the mall's fact sheet, §2b).

Handed over in three calls: a place for the document, the document, the feed. Only the last one changes anything. Amazon
works it off in its own time, and reports item by item; FATAL may still have applied a part.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import quote

from domain.model.malls import FeedStage, FeedState, StockPush
from integrations.http import MallAnswer, MallClient

from .answers import Document, Unreadable, document_in, optional, word
from .calls import SellingPartnerApi
from .documents import fetched, of_storage
from .feed_document import CONTENT_TYPE, FEED_TYPE, document_of, report_in
from .limits import (
    CREATE_FEED,
    CREATE_FEED_DOCUMENT,
    FEEDS_IN_FIVE_MINUTES,
    GET_FEED,
    GET_FEED_DOCUMENT,
)

FEEDS_PATH = "/feeds/2021-06-30/feeds"
DOCUMENTS_PATH = "/feeds/2021-06-30/documents"


class ListingsFeeds:
    def __init__(
        self, api: SellingPartnerApi, client: MallClient, seller_id: str, marketplace_id: str
    ) -> None:
        self._api = api
        self._client = client
        self._seller_id = seller_id
        self._marketplace_id = marketplace_id

    async def begin(self, pushes: Sequence[StockPush]) -> str:
        """Some megabytes are written beside the loop, not in it."""
        document = await asyncio.to_thread(document_of, self._seller_id, pushes)
        document_id, url = await self._place()
        await self._client.send(
            "PUT",
            url,
            buckets=(),
            classify=of_storage,
            safe=True,
            headers={"content-type": CONTENT_TYPE},
            content=document,
        )
        return await self._made_of(document_id)

    async def state(self, name: str) -> FeedState:
        answer = await self._api.call(
            "GET", f"{FEEDS_PATH}/{quote(name, safe='')}", GET_FEED, accept=(HTTPStatus.NOT_FOUND,)
        )
        if answer.response.status_code == HTTPStatus.NOT_FOUND:
            return FeedState(FeedStage.UNHEARD_OF, answer.at)
        with document_in(answer.response) as feed:
            stage, document_id = stage_of(feed)
        if document_id is None:
            return FeedState(stage, answer.at)
        report = await self._report(document_id, answer)
        return report if stage is FeedStage.DONE else replace(report, stage=stage, refused={})

    async def _place(self) -> tuple[str, str]:
        answer = await self._api.call(
            "POST", DOCUMENTS_PATH, CREATE_FEED_DOCUMENT, json={"contentType": CONTENT_TYPE}
        )
        with document_in(answer.response, quoted=False) as document:
            return word(document, "feedDocumentId"), word(document, "url")

    async def _made_of(self, document_id: str) -> str:
        wanted = {
            "feedType": FEED_TYPE,
            "marketplaceIds": [self._marketplace_id],
            "inputFeedDocumentId": document_id,
        }
        buckets = (CREATE_FEED, FEEDS_IN_FIVE_MINUTES)
        answer = await self._api.call("POST", FEEDS_PATH, *buckets, json=wanted, safe=False)
        with document_in(answer.response) as feed:
            return word(feed, "feedId")

    async def _report(self, document_id: str, answer: MallAnswer) -> FeedState:
        content = await fetched(
            self._api, self._client, DOCUMENTS_PATH, document_id, GET_FEED_DOCUMENT
        )
        return await asyncio.to_thread(report_in, content, answer.at)


def stage_of(feed: Document) -> tuple[FeedStage, str | None]:
    """How far it is; of one that has ended, the id of its report, which one that was called off may lack."""
    match word(feed, "processingStatus"):
        case "IN_QUEUE" | "IN_PROGRESS":
            return FeedStage.RUNNING, None
        case "DONE":
            return FeedStage.DONE, word(feed, "resultFeedDocumentId")
        case "FATAL" | "CANCELLED":
            return FeedStage.FAILED, optional(feed, "resultFeedDocumentId", str)
        case _:
            raise Unreadable("processingStatus is not known")
